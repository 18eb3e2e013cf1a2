#include "metrics/process_collector.h"

#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "metrics/proc_files.h"
#include "metrics/samples.h"

namespace poolwarden::metrics {
namespace {

constexpr const char* kSelf = "/proc/self";

std::optional<double> boot_time() {
  std::ifstream file("/proc/stat");
  for (std::string word; file >> word;) {
    double seconds = 0;
    if (word == "btime" && file >> seconds) return seconds;
  }
  return std::nullopt;
}

void add_limit(Samples& samples, Metric metric, decltype(RLIMIT_AS) resource) {
  rlimit limit = {};
  if (::getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return;
  samples.add(metric, {}, static_cast<double>(limit.rlim_cur));
}

void add_stat(Samples& samples) {
  const std::vector<double> fields = read_stat(kSelf).fields;
  if (fields.size() <= stat_field(24)) return;
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  const auto page = static_cast<double>(::sysconf(_SC_PAGESIZE));
  samples.add(Metric::ProcessCpu, {}, (fields[stat_field(14)] + fields[stat_field(15)]) / ticks);
  samples.add(Metric::ProcessThreads, {}, fields[stat_field(20)]);
  samples.add(Metric::ProcessVirtualMemory, {}, fields[stat_field(23)]);
  samples.add(Metric::ProcessResidentMemory, {}, fields[stat_field(24)] * page);
  // Read once: it moves when the clock is put right, and every move would look like a restart.
  static const std::optional<double> boot = boot_time();
  if (boot) {
    samples.add(Metric::ProcessStart, {}, *boot + fields[stat_field(22)] / ticks);
  }
}

}  // namespace

std::vector<prometheus::MetricFamily> ProcessCollector::Collect() const {
  Samples samples;
  add_stat(samples);
  if (const auto open = count_open_fds(kSelf)) {
    // One of them is that of the listing itself.
    samples.add(Metric::ProcessOpenFds, {}, static_cast<double>(*open - 1));
  }
  add_limit(samples, Metric::ProcessMaxFds, RLIMIT_NOFILE);
  add_limit(samples, Metric::ProcessVirtualMemoryMax, RLIMIT_AS);
  return samples.take();
}

}  // namespace poolwarden::metrics
