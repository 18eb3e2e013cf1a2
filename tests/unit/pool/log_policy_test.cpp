// Which events log_level keeps out of the log: every kind, and every reason, at every level.

#include "pool/log_policy.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace poolwarden::pool {
namespace {

struct Logged {
  bool all, errors, none;
};
constexpr Logged kPlanned = {true, false, false};
constexpr Logged kUnplanned = {true, true, false};
constexpr Logged kAlways = {true, true, true};

void expect(const Event& event, const Logged& expected) {
  EXPECT_EQ(is_logged(event, LogLevel::All), expected.all);
  EXPECT_EQ(is_logged(event, LogLevel::Errors), expected.errors);
  EXPECT_EQ(is_logged(event, LogLevel::None), expected.none);
}

Event event_of(EventKind kind) {
  Event event{};
  event.kind = kind;
  return event;
}

TEST(LogPolicy, FollowsTheTableOfReasons) {
  const std::map<RecycleReason, Logged> table = {
      {RecycleReason::Time, kPlanned},
      {RecycleReason::Requests, kPlanned},
      {RecycleReason::Schedule, kPlanned},
      {RecycleReason::Memory, kUnplanned},
      {RecycleReason::PrivateMemory, kUnplanned},
      {RecycleReason::Cpu, kUnplanned},
      {RecycleReason::Unhealthy, kUnplanned},
      {RecycleReason::WorkerRequest, kUnplanned},
      {RecycleReason::ConfigChange, kPlanned},
      {RecycleReason::FileChange, kPlanned},
      {RecycleReason::Manual, kPlanned},
      {RecycleReason::QueueLimit, kUnplanned},
  };
  ASSERT_EQ(table.size(), static_cast<std::size_t>(kRecycleReasons));
  for (const auto& [reason, expected] : table) {
    SCOPED_TRACE(name(reason));
    Event event = event_of(EventKind::WorkerRecycling);
    event.details = RecycleDetails{reason};
    expect(event, expected);
  }
}

TEST(LogPolicy, KnowsEveryKindOfEvent) {
  const std::set<EventKind> unplanned = {EventKind::WorkerUnhealthy, EventKind::WorkerExited,
                                         EventKind::WorkerOrphaned};
  const std::set<EventKind> planned = {EventKind::WorkerRecycled,  EventKind::RecycleDeferred,
                                       EventKind::WorkerDraining,  EventKind::WorkerIdle,
                                       EventKind::WorkerSuspended, EventKind::WorkerResumed};
  for (int i = 0; i < kEventKinds; ++i) {
    const auto kind = static_cast<EventKind>(i);
    if (kind == EventKind::WorkerRecycling) continue;
    SCOPED_TRACE(type_of(kind).name);
    expect(event_of(kind), unplanned.contains(kind) ? kUnplanned
                           : planned.contains(kind) ? kPlanned
                                                    : kAlways);
  }
}

TEST(LogPolicy, LogsUnhealthyWorkersWhateverTheyFailedAt) {
  for (const Ailment ailment : {Ailment::Ping, Ailment::Deadlock, Ailment::RequestTimeout}) {
    SCOPED_TRACE(name(ailment));
    Event event = event_of(EventKind::WorkerUnhealthy);
    event.details = AilmentDetails{ailment};
    expect(event, kUnplanned);
  }
}

TEST(LogPolicy, DoesNotHideARecycleWithoutAReason) {
  expect(event_of(EventKind::WorkerRecycling), kUnplanned);
}

TEST(LogPolicy, LooksAtTheReasonOfRecyclesOnly) {
  Event event = event_of(EventKind::RecycleFailed);
  event.details = RecycleDetails{RecycleReason::Time};
  expect(event, kAlways);
}

}  // namespace
}  // namespace poolwarden::pool
