#include "metrics/process_collector.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include "metrics/samples.h"

namespace poolwarden::metrics {
namespace {

namespace fs = std::filesystem;

// The fields of /proc/self/stat after the command's name, which may hold spaces. (proc(5))
std::vector<double> stat_fields() {
  std::ifstream file("/proc/self/stat");
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const std::size_t end_of_name = text.rfind(')');
  if (end_of_name == std::string::npos) return {};
  std::istringstream rest(text.substr(end_of_name + 1));
  std::vector<double> fields;
  std::string state;
  rest >> state;
  for (double field = 0; rest >> field;) fields.push_back(field);
  return fields;
}

// Index into stat_fields(): proc(5) counts from 1, and the first three fields are not in it.
constexpr std::size_t field(std::size_t number_in_manual) { return number_in_manual - 4; }

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
  const std::vector<double> fields = stat_fields();
  if (fields.size() <= field(24)) return;
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  const auto page = static_cast<double>(::sysconf(_SC_PAGESIZE));
  samples.add(Metric::ProcessCpu, {}, (fields[field(14)] + fields[field(15)]) / ticks);
  samples.add(Metric::ProcessThreads, {}, fields[field(20)]);
  samples.add(Metric::ProcessVirtualMemory, {}, fields[field(23)]);
  samples.add(Metric::ProcessResidentMemory, {}, fields[field(24)] * page);
  if (const std::optional<double> boot = boot_time()) {
    samples.add(Metric::ProcessStart, {}, *boot + fields[field(22)] / ticks);
  }
}

}  // namespace

std::vector<prometheus::MetricFamily> ProcessCollector::Collect() const {
  Samples samples;
  add_stat(samples);
  std::error_code error;
  const fs::directory_iterator fds("/proc/self/fd", error);
  if (!error) {
    // One of them is that of the listing itself.
    samples.add(Metric::ProcessOpenFds, {},
                static_cast<double>(std::distance(begin(fds), end(fds)) - 1));
  }
  add_limit(samples, Metric::ProcessMaxFds, RLIMIT_NOFILE);
  add_limit(samples, Metric::ProcessVirtualMemoryMax, RLIMIT_AS);
  return samples.take();
}

}  // namespace poolwarden::metrics
