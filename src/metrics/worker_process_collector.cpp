#include "metrics/worker_process_collector.h"

#include <unistd.h>

#include <algorithm>

#include "metrics/proc_files.h"
#include "metrics/samples.h"

namespace poolwarden::metrics {
namespace {

// Descriptors of several processes; unreadable when those of one are, for a part is no sum.
struct Descriptors {
  double open = 0;
  std::optional<double> worst_ratio;
  bool readable = true;
};

void add_process(Descriptors& all, const std::string& folder) {
  const auto open = count_open_fds(folder);
  if (!open) {
    // Who has ended meanwhile has none; of a zombie only root is told so, others get EACCES.
    all.readable = all.readable && read_stat(folder).has_ended();
    return;
  }
  const auto count = static_cast<double>(*open);
  all.open += count;
  const auto limit = fd_limit(folder);
  if (!limit || *limit == 0) return;
  all.worst_ratio = std::max(all.worst_ratio.value_or(0), count / static_cast<double>(*limit));
}

}  // namespace

WorkerProcessCollector::Figures WorkerProcessCollector::look_at(const std::vector<int>& pids) {
  const auto page = static_cast<double>(::sysconf(_SC_PAGESIZE));
  Figures figures;
  Descriptors descriptors;
  double threads = 0;
  double resident = 0;
  std::size_t found = 0;
  for (const int pid : pids) {
    const std::string folder = "/proc/" + std::to_string(pid);
    const ProcessStat stat = read_stat(folder);
    if (stat.has_ended() || stat.fields.size() <= stat_field(24)) continue;
    ++found;
    threads += stat.fields[stat_field(20)];
    resident += stat.fields[stat_field(24)] * page;
    add_process(descriptors, folder);
  }
  if (found == 0 && !pids.empty()) return figures;
  figures.threads = threads;
  figures.resident = resident;
  if (!descriptors.readable) return figures;
  figures.open_fds = descriptors.open;
  figures.worst_fd_ratio = descriptors.worst_ratio;
  return figures;
}

std::vector<prometheus::MetricFamily> WorkerProcessCollector::Collect() const {
  const std::shared_ptr<const pool::Snapshot> snapshot = snapshots_.read();
  if (!snapshot) return {};
  std::lock_guard lock(mutex_);
  const TimePoint now = Clock::now();
  if (!looked_ || now - *looked_ >= at_most_every_) {
    pools_.clear();
    for (const auto& [pool, pids] : processes_(*snapshot)) pools_[pool] = look_at(pids);
    looked_ = now;
  }
  Samples samples;
  for (const pool::PoolSnapshot& pool : snapshot->pools) {
    const auto seen = pool.settings ? pools_.find(pool.settings->name) : pools_.end();
    if (seen == pools_.end()) continue;
    const Labels labels = {{"pool", seen->first}};
    const auto add = [&](Metric metric, const std::optional<double>& value) {
      if (value) samples.add(metric, labels, *value);
    };
    add(Metric::OpenFds, seen->second.open_fds);
    add(Metric::WorstFdRatio, seen->second.worst_fd_ratio);
    add(Metric::Threads, seen->second.threads);
    add(Metric::ResidentMemory, seen->second.resident);
  }
  return samples.take();
}

}  // namespace poolwarden::metrics
