#include "cgroup/read_usage.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <sstream>

#include "cgroup/kernel_files.h"
#include "cgroup/limit_hits.h"
#include "cgroup/limits.h"

namespace poolwarden::cgroup {
namespace {

using Keyed = std::map<std::string, std::uint64_t>;

Count find(const Keyed& values, const std::string& key) {
  const auto found = values.find(key);
  return found == values.end() ? Count{} : Count{found->second};
}

// v1 says "no limit" with the largest page-aligned number there is.
Count below_infinity(Count value) {
  constexpr std::uint64_t kInfinite = 1ULL << 62;
  return value && *value < kInfinite ? value : Count{};
}

// "some avg10=0.00 avg60=0.00 avg300=0.00 total=1234"
Pressure read_pressure(const std::string& path) {
  Pressure pressure;
  std::istringstream lines(read_text(path).value_or(""));
  for (std::string line; std::getline(lines, line);) {
    const auto at = line.find("total=");
    if (at == std::string::npos) continue;
    std::uint64_t total = 0;
    std::from_chars(line.data() + at + 6, line.data() + line.size(), total);
    (line.starts_with("some") ? pressure.waiting : pressure.stalled) = total;
  }
  return pressure;
}

// "8:0 rbytes=1 wbytes=2 rios=…" for each device.
void read_io(const std::string& path, Usage& usage) {
  const auto text = read_text(path);
  if (!text) return;
  std::uint64_t read = 0, written = 0;
  for (const std::string& word : split_words(*text)) {
    std::uint64_t value = 0;
    const auto parse = [&] { std::from_chars(&word[7], word.data() + word.size(), value); };
    if (word.starts_with("rbytes=")) parse(), read += value;
    if (word.starts_with("wbytes=")) parse(), written += value;
  }
  usage.io_read_bytes = read;
  usage.io_written_bytes = written;
}

void read_memory(const Group& group, Usage& usage) {
  const std::string prefix = group.path + "/memory.";
  const Keyed stat = read_keyed(prefix + "stat");
  if (group.unified) {
    usage.memory_current = read_count(prefix + "current");
    usage.memory_inactive_file = find(stat, "inactive_file");
    usage.memory_anon = find(stat, "anon");
    usage.memory_swap = read_count(prefix + "swap.current");
    usage.memory_peak = read_count(prefix + "peak");
    usage.memory_limit = read_count(prefix + "max");
    usage.memory_high = read_count(prefix + "high");
    usage.memory_events = read_keyed(prefix + "events");
    return;
  }
  usage.memory_current = read_count(prefix + "usage_in_bytes");
  usage.memory_inactive_file = find(stat, "total_inactive_file");
  usage.memory_anon = find(stat, "total_rss");
  usage.memory_swap = find(stat, "total_swap");
  usage.memory_peak = read_count(prefix + "max_usage_in_bytes");
  usage.memory_limit = below_infinity(read_count(prefix + "limit_in_bytes"));
  if (const Count hits = read_count(prefix + "failcnt")) usage.memory_events["max"] = *hits;
  if (const Count kills = find(read_keyed(prefix + "oom_control"), "oom_kill"))
    usage.memory_events["oom_kill"] = *kills;
}

void read_quota(const Group& group, Usage& usage) {
  Count quota, period;
  if (group.unified) {
    const auto words = split_words(read_text(group.path + "/cpu.max").value_or(""));
    if (words.size() != 2 || words[0] == "max") return;
    quota = std::stoull(words[0]);
    period = std::stoull(words[1]);
  } else {
    quota = read_count(group.path + "/cpu.cfs_quota_us");  // -1, no count, when there is none
    period = read_count(group.path + "/cpu.cfs_period_us");
  }
  if (quota && period && *period > 0)
    usage.cpu_limit_cores = static_cast<double>(*quota) / static_cast<double>(*period);
}

// v2 counts CPU time whether or not the cpu controller is there, which serves hybrid machines.
void read_cpu_times(const std::vector<Group>& groups, Usage& usage) {
  if (const Group* unified = unified_of(groups)) {
    const Keyed stat = read_keyed(unified->path + "/cpu.stat");
    usage.cpu_user_usec = find(stat, "user_usec");
    usage.cpu_system_usec = find(stat, "system_usec");
    if (usage.cpu_user_usec) return;
  }
  const Group* group = having(groups, "cpuacct");
  if (!group) return;
  if (const Count value = read_count(group->path + "/cpuacct.usage_user"))
    usage.cpu_user_usec = *value / 1000;
  if (const Count value = read_count(group->path + "/cpuacct.usage_sys"))
    usage.cpu_system_usec = *value / 1000;
}

void read_pids(const Group& group, Usage& usage) {
  usage.pids_current = read_count(group.path + "/pids.current");
  usage.pids_limit = read_count(group.path + "/pids.max");
}

}  // namespace

Usage read_usage(const std::vector<Group>& groups) {
  Usage usage;
  if (const Group* memory = having(groups, "memory")) read_memory(*memory, usage);
  if (const Group* cpu = having(groups, "cpu")) read_quota(*cpu, usage);
  if (const Group* pids = having(groups, "pids")) read_pids(*pids, usage);
  read_cpu_times(groups, usage);
  usage.limit_hits = read_limit_hits(groups);
  if (const Group* unified = unified_of(groups)) {
    usage.pressure_cpu = read_pressure(unified->path + "/cpu.pressure");
    usage.pressure_memory = read_pressure(unified->path + "/memory.pressure");
    usage.pressure_io = read_pressure(unified->path + "/io.pressure");
    read_io(unified->path + "/io.stat", usage);
  }
  return usage;
}

Count read_working_set(const std::vector<Group>& groups) {
  const Group* memory = having(groups, "memory");
  if (!memory) return std::nullopt;
  const std::string prefix = memory->path + "/memory.";
  const Count held = read_count(prefix + (memory->unified ? "current" : "usage_in_bytes"));
  const Count cache =
      read_key(prefix + "stat", memory->unified ? "inactive_file" : "total_inactive_file");
  if (!held) return std::nullopt;
  // The two are read one after the other: more may have become inactive meanwhile.
  return *held - std::min(*held, cache.value_or(0));
}

Count read_cpu_time(const std::vector<Group>& groups) {
  Usage usage;
  read_cpu_times(groups, usage);
  if (!usage.cpu_user_usec) return std::nullopt;
  return *usage.cpu_user_usec + usage.cpu_system_usec.value_or(0);
}

Count read_throttled(const std::vector<Group>& groups) {
  const Group* cpu = having(groups, "cpu");
  if (!cpu) return std::nullopt;
  const Count periods = read_key(cpu->path + "/cpu.stat", "nr_throttled");
  if (!periods) return std::nullopt;
  return *periods * kCpuPeriod;
}

Count read_memory_limit(const std::vector<Group>& groups) {
  const Group* memory = having(groups, "memory");
  if (!memory) return std::nullopt;
  const std::string prefix = memory->path + "/memory.";
  return below_infinity(read_count(prefix + (memory->unified ? "max" : "limit_in_bytes")));
}

Count read_oom_kills(const std::vector<Group>& groups) {
  const Group* memory = having(groups, "memory");
  Count kills = read_own_oom_kills(groups);
  if (!kills || memory->unified) return kills;
  for (const std::string& below : subdirectories(memory->path))
    *kills += read_oom_kills({{below, false, memory->controllers}}).value_or(0);
  return kills;
}

Count read_own_oom_kills(const std::vector<Group>& groups) {
  const Group* memory = having(groups, "memory");
  if (!memory) return std::nullopt;
  return read_key(memory->path + (memory->unified ? "/memory.events" : "/memory.oom_control"),
                  "oom_kill");
}

}  // namespace poolwarden::cgroup
