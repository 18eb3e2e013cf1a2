#include "metrics/label_values.h"

#include "dispatch/words.h"
#include "metrics/event_metrics.h"
#include "metrics/order_metrics.h"
#include "pool/snapshot.h"

namespace poolwarden::metrics {
namespace {

using Values = std::vector<std::string>;

template <typename Enum, auto Count>
Values names() {
  Values values;
  for (std::size_t i = 0; i < static_cast<std::size_t>(Count); ++i)
    values.emplace_back(name(static_cast<Enum>(i)));
  return values;
}

template <const auto& Words>
Values words() {
  return {Words.begin(), Words.end()};
}

Values event_names() {
  Values values;
  for (int i = 0; i < pool::kEventKinds; ++i)
    values.emplace_back(pool::type_of(static_cast<pool::EventKind>(i)).name);
  return values;
}

Values booleans() { return {"true", "false"}; }

constexpr auto kLevels = static_cast<int>(pool::Level::Error) + 1;
constexpr auto kPoolStates = static_cast<int>(pool::PoolState::Stopping) + 1;

struct ClosedSet {
  Metric metric;
  std::string_view label;
  Values (*values)();
};

const ClosedSet kClosedSets[] = {
    {Metric::PoolInfo, "mode",
     [] {
       return Values{"always_running", "on_demand", "manual"};
     }},
    {Metric::PoolState, "state", names<pool::PoolState, kPoolStates>},
    {Metric::PoolDisabled, "reason", names<pool::DisabledReason, pool::kDisabledReasons>},
    {Metric::Pools, "state", words<kPoolTotals>},
    {Metric::Workers, "state", words<kActivityNames>},
    {Metric::WorkerStarts, "reason", names<pool::StartReason, pool::kStartReasons>},
    {Metric::WorkerStartFailures, "reason", names<pool::StartFailure, pool::kStartFailures>},
    {Metric::WorkerExits, "reason", names<ExitReason, kExitReasons>},
    {Metric::WorkerFailures, "diagnosis", names<diagnosis::Cause, diagnosis::kCauses>},
    {Metric::WorkerExitSignals, "core", booleans},
    {Metric::WorkerLastFailureInfo, "diagnosis", names<diagnosis::Cause, diagnosis::kCauses>},
    {Metric::WorkerStopsForced, "reason", names<ForcedStop, kForcedStops>},
    {Metric::WorkerRecycles, "reason", names<pool::RecycleReason, pool::kRecycleReasons>},
    {Metric::WorkerRecyclesDeferred, "reason", names<pool::Deferral, pool::kDeferrals>},
    {Metric::WorkerPingFailures, "reason", names<PingFailure, kPingFailures>},
    {Metric::HookRuns, "hook", words<kHooks>},
    {Metric::HookFailures, "hook", words<kHooks>},
    {Metric::QueueRejected, "reason", names<dispatch::Rejection, dispatch::kRejections>},
    {Metric::HttpRequestFailures, "reason",
     names<dispatch::RequestFailure, dispatch::kRequestFailures>},
    {Metric::HttpRequestsLost, "cause", names<dispatch::LossCause, dispatch::kLossCauses>},
    {Metric::MemoryEvents, "event", words<kMemoryEvents>},
    {Metric::CpuSeconds, "mode",
     [] {
       return Values{"user", "system"};
     }},
    {Metric::PressureWaiting, "resource",
     [] {
       return Values{"cpu", "memory", "io"};
     }},
    {Metric::PressureStalled, "resource",
     [] {
       return Values{"cpu", "memory", "io"};
     }},
    {Metric::ContainmentInfo, "cgroup",
     [] {
       return Values{"v2_delegated", "v2_readonly", "v1", "hybrid", "none"};
     }},
    {Metric::ContainmentInfo, "subreaper", booleans},
    {Metric::ContainmentInfo, "pid1", booleans},
    {Metric::Events, "event", event_names},
    {Metric::Events, "level", names<pool::Level, kLevels>},
    {Metric::LogMessages, "level", names<pool::Level, kLevels>},
    {Metric::AdminRequests, "command", words<kOrders>},
    {Metric::AdminRequests, "code", names<OrderEnd, kOrderEnds>},
};

}  // namespace

Values label_values(Metric metric, std::string_view label) {
  for (const ClosedSet& set : kClosedSets) {
    if (set.metric == metric && set.label == label) return set.values();
  }
  return {};
}

}  // namespace poolwarden::metrics
