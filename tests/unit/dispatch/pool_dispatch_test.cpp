// Who gets a worker, who waits, who is refused; and that a drain mark holds.

#include "dispatch/pool_dispatch.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace poolwarden::dispatch {
namespace {

using namespace std::chrono_literals;

const TimePoint kStart = TimePoint() + 1h;
constexpr WorkerId kFirst{1};
constexpr WorkerId kSecond{2};

TicketId ticket(std::uint64_t number) { return TicketId{number}; }

Lease lease_of(Admission admission) {
  EXPECT_TRUE(std::holds_alternative<Lease>(admission));
  return std::get<Lease>(std::move(admission));
}

bool waits(const Admission& admission) { return std::holds_alternative<Waits>(admission); }

std::optional<Reason> refused(const Admission& admission) {
  const auto* refusal = std::get_if<Refused>(&admission);
  return refusal ? std::optional(refusal->reason) : std::nullopt;
}

// Ends what a test leaves open.
void end(PoolDispatch& dispatch, Lease lease) {
  for (Handover& next : dispatch.release(std::move(lease), kStart)) {
    end(dispatch, std::move(next.lease));
  }
}

TEST(PoolDispatch, LendsTheWorkerWithTheFewestRequests) {
  PoolDispatch dispatch({});
  dispatch.add_worker(kFirst, 10, kStart);
  dispatch.add_worker(kSecond, 10, kStart);
  Lease a = lease_of(dispatch.admit(ticket(1), kStart));
  Lease b = lease_of(dispatch.admit(ticket(2), kStart));
  EXPECT_NE(a.worker(), b.worker());
  Lease c = lease_of(dispatch.admit(ticket(3), kStart));
  const WorkerId busy = c.worker();
  Lease d = lease_of(dispatch.admit(ticket(4), kStart));
  EXPECT_NE(d.worker(), busy);
  for (Lease* lease : {&a, &b, &c, &d}) end(dispatch, std::move(*lease));
}

TEST(PoolDispatch, TakesTurnsAmongEquals) {
  PoolDispatch dispatch({});
  dispatch.add_worker(kFirst, 10, kStart);
  dispatch.add_worker(kSecond, 10, kStart);
  std::map<WorkerId, int> picks;
  for (std::uint64_t i = 0; i < 10; ++i) {
    Lease lease = lease_of(dispatch.admit(ticket(i), kStart));
    ++picks[lease.worker()];
    end(dispatch, std::move(lease));
  }
  EXPECT_EQ(picks[kFirst], 5);
  EXPECT_EQ(picks[kSecond], 5);
}

TEST(PoolDispatch, HandsAFreedPlaceToWhoWaitedLongest) {
  PoolDispatch dispatch({});
  dispatch.add_worker(kFirst, 1, kStart);
  Lease lease = lease_of(dispatch.admit(ticket(1), kStart));
  EXPECT_TRUE(waits(dispatch.admit(ticket(2), kStart + 1s)));
  EXPECT_TRUE(waits(dispatch.admit(ticket(3), kStart + 2s)));
  Handovers handovers = dispatch.release(std::move(lease), kStart + 5s);
  ASSERT_EQ(handovers.size(), 1u);
  EXPECT_EQ(handovers[0].ticket, ticket(2));
  EXPECT_EQ(handovers[0].waited, 4s);
  EXPECT_EQ(dispatch.queue().size(), 1u);
  end(dispatch, std::move(handovers[0].lease));
}

TEST(PoolDispatch, FillsANewWorkerUpToItsLimit) {
  PoolDispatch dispatch({});
  for (std::uint64_t i = 1; i <= 5; ++i) EXPECT_TRUE(waits(dispatch.admit(ticket(i), kStart)));
  EXPECT_TRUE(dispatch.needs_worker());
  Handovers handovers = dispatch.add_worker(kFirst, 3, kStart);
  EXPECT_EQ(handovers.size(), 3u);
  EXPECT_EQ(dispatch.queue().size(), 2u);
  EXPECT_FALSE(dispatch.needs_worker());
  for (Handover& handover : handovers) end(dispatch, std::move(handover.lease));
}

TEST(PoolDispatch, RefusesWhatTheQueueHasNoRoomFor) {
  PoolDispatch dispatch({.limit = 2, .timeout = {}, .restart_limit = {}});
  EXPECT_TRUE(waits(dispatch.admit(ticket(1), kStart)));
  EXPECT_TRUE(waits(dispatch.admit(ticket(2), kStart)));
  EXPECT_EQ(refused(dispatch.admit(ticket(3), kStart)), Reason::QueueFull);
  dispatch.abandon(ticket(1));
  EXPECT_TRUE(waits(dispatch.admit(ticket(4), kStart)));
}

TEST(PoolDispatch, LimitsTheQueueMoreWhileRestarting) {
  PoolDispatch dispatch({.limit = 100, .timeout = {}, .restart_limit = 2});
  for (std::uint64_t i = 0; i < 5; ++i) EXPECT_TRUE(waits(dispatch.admit(ticket(i), kStart)));
  EXPECT_TRUE(dispatch.set_mode(Mode::Restarting).empty());  // those who wait stay
  EXPECT_EQ(refused(dispatch.admit(ticket(9), kStart)), Reason::Restarting);
  EXPECT_EQ(dispatch.queue().size(), 5u);
  dispatch.set_mode(Mode::Open);
  EXPECT_TRUE(waits(dispatch.admit(ticket(10), kStart)));
}

TEST(PoolDispatch, LetsAsManyWaitWhileRestartingAsTheLimitSays) {
  PoolDispatch dispatch({.limit = 100, .timeout = {}, .restart_limit = 2});
  dispatch.set_mode(Mode::Restarting);
  EXPECT_TRUE(waits(dispatch.admit(ticket(1), kStart)));
  EXPECT_TRUE(waits(dispatch.admit(ticket(2), kStart)));
  EXPECT_EQ(refused(dispatch.admit(ticket(3), kStart)), Reason::Restarting);
}

TEST(PoolDispatch, RefusesAllWhileThePoolIsClosedAlsoThoseWhoWait) {
  const std::pair<Mode, Refused> cases[] = {
      {Mode::Stopped, {Reason::Stopped, Rejection::PoolStopped}},
      {Mode::RapidFail, {Reason::RapidFail, Rejection::PoolDisabled}},
      {Mode::StartFailure, {Reason::StartFailure, Rejection::PoolDisabled}},
      {Mode::ShuttingDown, {Reason::ShuttingDown, Rejection::Shutdown}},
  };
  for (const auto& [mode, refusal] : cases) {
    PoolDispatch dispatch({});
    EXPECT_TRUE(waits(dispatch.admit(ticket(1), kStart)));
    EXPECT_EQ(dispatch.set_mode(mode), std::vector{ticket(1)});
    EXPECT_EQ(dispatch.refusal(), refusal);
    EXPECT_EQ(refused(dispatch.admit(ticket(2), kStart)), refusal.reason);
    EXPECT_FALSE(dispatch.needs_worker());
  }
}

TEST(PoolDispatch, HandsNothingToAWorkerThatIsMarked) {
  PoolDispatch dispatch({});
  dispatch.add_worker(kFirst, 2, kStart);
  Lease a = lease_of(dispatch.admit(ticket(1), kStart));
  Lease b = lease_of(dispatch.admit(ticket(2), kStart));
  EXPECT_TRUE(waits(dispatch.admit(ticket(3), kStart)));
  dispatch.drain_worker(kFirst);
  EXPECT_FALSE(dispatch.is_drained(kFirst));
  EXPECT_TRUE(dispatch.release(std::move(a), kStart).empty());
  EXPECT_FALSE(dispatch.is_drained(kFirst));
  EXPECT_TRUE(dispatch.release(std::move(b), kStart).empty());
  EXPECT_TRUE(dispatch.is_drained(kFirst));
  EXPECT_TRUE(dispatch.needs_worker());
  EXPECT_TRUE(waits(dispatch.admit(ticket(4), kStart)));
}

TEST(PoolDispatch, KeepsAGoneWorkerUntilItsLastLeaseEnds) {
  PoolDispatch dispatch({});
  dispatch.add_worker(kFirst, 2, kStart);
  Lease lease = lease_of(dispatch.admit(ticket(1), kStart));
  dispatch.remove_worker(kFirst);
  EXPECT_FALSE(dispatch.is_drained(kFirst));
  EXPECT_TRUE(waits(dispatch.admit(ticket(2), kStart)));
  EXPECT_TRUE(dispatch.release(std::move(lease), kStart).empty());
  EXPECT_TRUE(dispatch.is_drained(kFirst));
  dispatch.remove_worker(kFirst);  // once more does no harm
  dispatch.drain_worker(kSecond);  // nor a stranger
}

TEST(PoolDispatch, ServesAgainWithAWorkerThatComesBack) {
  PoolDispatch dispatch({});
  dispatch.add_worker(kFirst, 2, kStart);
  dispatch.drain_worker(kFirst);
  dispatch.remove_worker(kFirst);
  EXPECT_TRUE(waits(dispatch.admit(ticket(1), kStart)));
  Handovers handovers = dispatch.add_worker(kFirst, 2, kStart);
  ASSERT_EQ(handovers.size(), 1u);
  dispatch.drain_worker(kFirst);
  EXPECT_TRUE(waits(dispatch.admit(ticket(2), kStart)));
  EXPECT_FALSE(dispatch.is_drained(kFirst));
  end(dispatch, std::move(handovers[0].lease));
  EXPECT_TRUE(dispatch.is_drained(kFirst));
}

TEST(PoolDispatch, CountsWhatAWorkerThatComesBackStillHas) {
  for (const bool gone : {false, true}) {
    PoolDispatch dispatch({});
    dispatch.add_worker(kFirst, 2, kStart);
    Lease early = lease_of(dispatch.admit(ticket(1), kStart));
    dispatch.worker_unreachable(kFirst, kStart);  // in its earlier life
    dispatch.drain_worker(kFirst);
    if (gone) dispatch.remove_worker(kFirst);
    dispatch.add_worker(kFirst, 2, kStart);
    Lease late = lease_of(dispatch.admit(ticket(2), kStart));
    EXPECT_TRUE(waits(dispatch.admit(ticket(3), kStart)));  // two are all that it may have
    Handovers handovers = dispatch.release(std::move(early), kStart);
    ASSERT_EQ(handovers.size(), 1u);
    end(dispatch, std::move(handovers[0].lease));
    end(dispatch, std::move(late));
  }
}

TEST(PoolDispatch, ChangesTheLimitOfWorkersThatAreHere) {
  PoolDispatch dispatch({});
  dispatch.add_worker(kFirst, 1, kStart);
  std::vector<Lease> leases;
  leases.push_back(lease_of(dispatch.admit(ticket(1), kStart)));
  for (std::uint64_t i = 2; i <= 5; ++i) EXPECT_TRUE(waits(dispatch.admit(ticket(i), kStart)));
  Handovers handovers = dispatch.set_limit(3, kStart);
  ASSERT_EQ(handovers.size(), 2u);
  for (Handover& handover : handovers) leases.push_back(std::move(handover.lease));

  EXPECT_TRUE(dispatch.set_limit(2, kStart).empty());
  EXPECT_TRUE(dispatch.release(std::move(leases[0]), kStart).empty());  // two are left
  Handovers next = dispatch.release(std::move(leases[1]), kStart);
  ASSERT_EQ(next.size(), 1u);
  EXPECT_EQ(next[0].ticket, ticket(4));
  EXPECT_TRUE(dispatch.set_limit(0, kStart).empty());  // counts as 1
  end(dispatch, std::move(leases[2]));
  end(dispatch, std::move(next[0].lease));
}

// What a hung worker had goes to its replacement, whatever the queue says to those who come now.
TEST(PoolDispatch, HasRoomForAllThatAWorkerLeavesBehind) {
  constexpr std::uint64_t kAll = 100;
  constexpr std::uint32_t kAtOnce = 32;
  PoolDispatch dispatch({.limit = kAll - kAtOnce, .timeout = 2min, .restart_limit = 10});
  dispatch.add_worker(kFirst, kAtOnce, kStart);
  std::vector<std::pair<std::uint64_t, Lease>> leases;
  for (std::uint64_t i = 0; i < kAll; ++i) {
    Admission admission = dispatch.admit(ticket(i), kStart + i * 1ms);
    if (std::holds_alternative<Lease>(admission)) {
      leases.emplace_back(i, std::get<Lease>(std::move(admission)));
    }
  }
  EXPECT_EQ(leases.size(), kAtOnce);
  const TimePoint found = kStart + 1min;
  dispatch.drain_worker(kFirst);
  dispatch.set_mode(Mode::Restarting);
  for (auto& [number, lease] : leases) {
    const Ticket again{ticket(number), kStart + number * 1ms};
    EXPECT_TRUE(waits(dispatch.put_back(again, std::move(lease), found)));
  }
  dispatch.remove_worker(kFirst);
  EXPECT_EQ(dispatch.queue().size(), kAll);
  EXPECT_EQ(refused(dispatch.admit(ticket(kAll), found)), Reason::Restarting);

  Handovers handovers = dispatch.add_worker(kSecond, kAll, found);
  ASSERT_EQ(handovers.size(), kAll);
  for (std::uint64_t i = 0; i < kAll; ++i) {
    EXPECT_EQ(handovers[i].ticket, ticket(i));  // who came first is first again
    end(dispatch, std::move(handovers[i].lease));
  }
}

TEST(PoolDispatch, TimesOutWhoWaitedTooLongAtTheDeadlineAndNotBefore) {
  PoolDispatch dispatch({.limit = 10, .timeout = 10s, .restart_limit = {}});
  EXPECT_EQ(dispatch.next_deadline(), std::nullopt);
  dispatch.admit(ticket(1), kStart);
  dispatch.admit(ticket(2), kStart + 1s);
  EXPECT_EQ(dispatch.next_deadline(), kStart + 10s);
  EXPECT_TRUE(dispatch.expire(kStart + 10s - 1ns).empty());
  EXPECT_EQ(dispatch.expire(kStart + 10s), std::vector{ticket(1)});
  EXPECT_EQ(dispatch.next_deadline(), kStart + 11s);
}

TEST(PoolDispatch, PutsARequestBackAheadOfThoseThatCameLater) {
  PoolDispatch dispatch({});
  dispatch.add_worker(kFirst, 1, kStart);
  Lease lease = lease_of(dispatch.admit(ticket(1), kStart));
  dispatch.admit(ticket(2), kStart + 1s);
  dispatch.worker_unreachable(kFirst, kStart + 2s);
  EXPECT_TRUE(waits(dispatch.put_back({ticket(1), kStart}, std::move(lease), kStart + 2s)));
  EXPECT_EQ(dispatch.queue().front().id, ticket(1));
  EXPECT_EQ(dispatch.queue().size(), 2u);
}

TEST(PoolDispatch, GivesAPutBackRequestAnotherWorkerAtOnce) {
  PoolDispatch dispatch({});
  dispatch.add_worker(kFirst, 1, kStart);
  Lease lease = lease_of(dispatch.admit(ticket(1), kStart));
  dispatch.add_worker(kSecond, 1, kStart);
  dispatch.worker_unreachable(kFirst, kStart);
  Lease other = lease_of(dispatch.put_back({ticket(1), kStart}, std::move(lease), kStart));
  EXPECT_EQ(other.worker(), kSecond);
  end(dispatch, std::move(other));
}

TEST(PoolDispatch, TriesAnUnreachableWorkerWithOneRequestAfterAGrowingWhile) {
  PoolDispatch dispatch({.limit = 10, .timeout = {}, .restart_limit = {}});
  dispatch.add_worker(kFirst, 5, kStart);
  dispatch.worker_unreachable(kFirst, kStart);
  dispatch.worker_unreachable(kFirst, kStart);  // of the same moment: one miss
  EXPECT_TRUE(waits(dispatch.admit(ticket(1), kStart)));
  EXPECT_TRUE(waits(dispatch.admit(ticket(2), kStart)));
  EXPECT_EQ(dispatch.next_deadline(), kStart + 10ms);
  EXPECT_FALSE(dispatch.needs_worker());

  Handovers trial = dispatch.retry_unreachable(kStart + 10ms);
  ASSERT_EQ(trial.size(), 1u);
  dispatch.worker_unreachable(kFirst, kStart + 10ms);
  EXPECT_TRUE(
      waits(dispatch.put_back({ticket(1), kStart}, std::move(trial[0].lease), kStart + 10ms)));
  EXPECT_EQ(dispatch.next_deadline(), kStart + 30ms);

  trial = dispatch.retry_unreachable(kStart + 30ms);
  ASSERT_EQ(trial.size(), 1u);
  Handovers rest = dispatch.worker_reached(kFirst, kStart + 31ms);
  ASSERT_EQ(rest.size(), 1u);
  EXPECT_EQ(rest[0].ticket, ticket(2));
  end(dispatch, std::move(trial[0].lease));
  end(dispatch, std::move(rest[0].lease));
}

TEST(PoolDispatch, NeverWaitsLongerThanASecondForAnUnreachableWorker) {
  PoolDispatch dispatch({});
  dispatch.add_worker(kFirst, 1, kStart);
  TimePoint now = kStart;
  dispatch.worker_unreachable(kFirst, now);
  EXPECT_TRUE(waits(dispatch.admit(ticket(1), now)));
  for (int i = 0; i < 40; ++i) {
    const TimePoint next = *dispatch.next_deadline();
    EXPECT_LE(next - now, 1s);
    now = next;
    Handovers trial = dispatch.retry_unreachable(now);
    ASSERT_EQ(trial.size(), 1u);
    dispatch.worker_unreachable(kFirst, now);
    EXPECT_TRUE(waits(dispatch.put_back({ticket(1), kStart}, std::move(trial[0].lease), now)));
  }
}

TEST(PoolDispatch, RefusesAPutBackRequestOfAPoolThatHasClosed) {
  PoolDispatch dispatch({});
  dispatch.add_worker(kFirst, 1, kStart);
  Lease lease = lease_of(dispatch.admit(ticket(1), kStart));
  dispatch.set_mode(Mode::RapidFail);
  EXPECT_EQ(refused(dispatch.put_back({ticket(1), kStart}, std::move(lease), kStart)),
            Reason::RapidFail);
}

// Whatever happens in whatever order: no worker above its limit, nothing after the mark, no request
// waits while a worker could take it, and all leases end.
TEST(PoolDispatch, HoldsItsRulesInAnyOrderOfEvents) {
  std::mt19937 random(7);
  PoolDispatch dispatch({.limit = 20, .timeout = 50ms, .restart_limit = 5});
  std::vector<Lease> leases;
  std::map<WorkerId, bool> marked;
  TimePoint now = kStart;
  std::uint64_t tickets = 0, workers = 0;
  const auto keep = [&](Lease lease) {
    EXPECT_FALSE(marked[lease.worker()]);
    leases.push_back(std::move(lease));
  };
  const auto keep_all = [&](Handovers handovers) {
    for (Handover& handover : handovers) keep(std::move(handover.lease));
  };
  const auto take_any = [&] {
    const std::size_t at = random() % leases.size();
    std::swap(leases[at], leases.back());
    Lease lease = std::move(leases.back());
    leases.pop_back();
    return lease;
  };
  for (int step = 0; step < 20000; ++step) {
    now += std::chrono::microseconds(random() % 2000);
    const auto any_worker = WorkerId{workers == 0 ? 0 : random() % workers + 1};
    switch (random() % 9) {
      case 0:
      case 1:
      case 2: {
        Admission admission = dispatch.admit(ticket(++tickets), now);
        if (std::holds_alternative<Lease>(admission)) keep(std::get<Lease>(std::move(admission)));
        break;
      }
      case 3:
      case 4:
        if (!leases.empty()) keep_all(dispatch.release(take_any(), now));
        break;
      case 5:
        if (workers < 1000 && random() % 10 == 0) {
          keep_all(dispatch.add_worker(WorkerId{++workers}, 3, now));
        } else if (random() % 10 == 0 && workers != 0) {
          marked[any_worker] = false;  // it comes back
          keep_all(dispatch.add_worker(any_worker, 3, now));
        }
        break;
      case 6:
        if (random() % 10 == 0) {
          dispatch.drain_worker(any_worker);
          marked[any_worker] = true;
        }
        break;
      case 7:
        if (random() % 20 == 0) {
          dispatch.remove_worker(any_worker);
          marked[any_worker] = true;
        }
        dispatch.expire(now);
        break;
      case 8:
        if (!leases.empty()) {
          Lease lease = take_any();
          dispatch.worker_unreachable(lease.worker(), now);
          Admission again = dispatch.put_back({ticket(++tickets), now}, std::move(lease), now);
          if (std::holds_alternative<Lease>(again)) keep(std::get<Lease>(std::move(again)));
        }
        keep_all(dispatch.retry_unreachable(now));
        break;
    }
    std::map<WorkerId, unsigned> out;
    for (const Lease& lease : leases) ++out[lease.worker()];
    for (const auto& [id, count] : out) EXPECT_LE(count, 3u);
  }
  while (!leases.empty()) keep_all(dispatch.release(take_any(), now));
}

}  // namespace
}  // namespace poolwarden::dispatch
