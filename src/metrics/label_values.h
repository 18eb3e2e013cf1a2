// The closed sets of label values, for those who write queries: what a label may say, whether or
// not it has been seen.

#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/catalogue.h"

namespace poolwarden::metrics {

// All values of the label; empty when they are an open set, as pools and exit codes are.
std::vector<std::string> label_values(Metric metric, std::string_view label);

// Words that are no enumeration elsewhere.
inline constexpr std::string_view kOomKill = "oom_kill";
inline constexpr std::array<std::string_view, 6> kMemoryEvents = {
    "low", "high", "max", "oom", kOomKill, "oom_group_kill"};
inline constexpr std::array<std::string_view, 5> kPoolTotals = {"starting", "running", "stopping",
                                                                "stopped", "disabled"};

// Label of poolwarden_workers.
enum class Activity {
  Starting,
  Idle,
  Busy,
  Suspended,
  Draining,
  Stopping,
  Unresponsive,
  Orphaned,
};
inline constexpr std::size_t kActivities = static_cast<std::size_t>(Activity::Orphaned) + 1;
inline constexpr std::array<std::string_view, kActivities> kActivityNames = {
    "starting", "idle", "busy", "suspended", "draining", "stopping", "unresponsive", "orphaned"};

}  // namespace poolwarden::metrics
