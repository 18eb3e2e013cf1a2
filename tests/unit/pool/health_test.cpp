// When a worker is not well: pings, watchdog and deadlock, at the edges of their times.

#include "pool/health.h"

#include <gtest/gtest.h>

namespace poolwarden::pool {
namespace {

constexpr TimePoint kStart{1h};

bool is_silent(const DeadlockWatch& watch, Duration for_so_long, TimePoint now) {
  return watch.silent_since() && now - *watch.silent_since() >= for_so_long;
}

TEST(PingWatch, HasNoDeadlineBeforeTheFirstPing) {
  const PingWatch watch;
  EXPECT_FALSE(watch.deadline(90s));
}

TEST(PingWatch, CountsFromTheFirstPingThatWasNotAnswered) {
  PingWatch watch;
  watch.begun(kStart);
  watch.begun(kStart + 30s);
  watch.begun(kStart + 60s);
  EXPECT_EQ(watch.deadline(90s), kStart + 90s);
}

TEST(PingWatch, StartsAfreshAfterAnAnswer) {
  PingWatch watch;
  watch.begun(kStart);
  watch.ended({});
  EXPECT_FALSE(watch.deadline(90s));
  watch.begun(kStart + 30s);
  EXPECT_EQ(watch.deadline(90s), kStart + 120s);
}

TEST(PingWatch, TakesAnAnswerThatNobodyAskedFor) {
  PingWatch watch;
  watch.ended({});
  EXPECT_FALSE(watch.deadline(90s));
}

TEST(Watchdog, HasNoDeadlineBeforeTheWorkerIsReady) {
  const Watchdog watchdog;
  EXPECT_FALSE(watchdog.deadline(90s));
}

TEST(Watchdog, CountsFromTheLastMessage) {
  Watchdog watchdog;
  watchdog.heard(kStart);
  EXPECT_EQ(watchdog.deadline(90s), kStart + 90s);
  watchdog.heard(kStart + 30s);
  EXPECT_EQ(watchdog.deadline(90s), kStart + 120s);
}

WorkerObservation busy(std::optional<TimePoint> last_response = {}) {
  WorkerObservation seen;
  seen.in_flight = 1;
  seen.last_response = last_response;
  return seen;
}

WorkerObservation with_tunnels(std::uint32_t in_flight, std::uint32_t tunnels) {
  WorkerObservation seen;
  seen.in_flight = in_flight;
  seen.tunnels = tunnels;
  return seen;
}

TEST(DeadlockWatch, SuspectsNobodyBeforeItLooked) {
  const DeadlockWatch watch;
  EXPECT_FALSE(watch.silent_since());
  EXPECT_FALSE(is_silent(watch, 0s, kStart));
}

TEST(DeadlockWatch, IsDeadlockAfterTheWholeTimeNotBefore) {
  DeadlockWatch watch;
  watch.observe(busy(), true, kStart);
  watch.observe(busy(), true, kStart + 3min);
  EXPECT_EQ(watch.silent_since(), kStart);
  EXPECT_FALSE(is_silent(watch, 3min, kStart + 3min - 1ns));
  EXPECT_TRUE(is_silent(watch, 3min, kStart + 3min));
}

TEST(DeadlockWatch, NeedsRequestsThatWait) {
  DeadlockWatch watch;
  watch.observe(busy(), false, kStart);
  EXPECT_FALSE(watch.silent_since());
}

TEST(DeadlockWatch, NeedsARequestInTheWorker) {
  DeadlockWatch watch;
  watch.observe(with_tunnels(0, 0), true, kStart);
  EXPECT_FALSE(watch.silent_since());
}

TEST(DeadlockWatch, DoesNotExpectAnswersInTunnels) {
  DeadlockWatch watch;
  watch.observe(with_tunnels(3, 3), true, kStart);
  EXPECT_FALSE(watch.silent_since());
  watch.observe(with_tunnels(4, 3), true, kStart + 1s);
  EXPECT_EQ(watch.silent_since(), kStart + 1s);
}

TEST(DeadlockWatch, WithstandsMoreTunnelsThanRequests) {
  DeadlockWatch watch;
  watch.observe(with_tunnels(1, 2), true, kStart);
  EXPECT_FALSE(watch.silent_since());
}

TEST(DeadlockWatch, CountsFromTheLastByteThatItSent) {
  DeadlockWatch watch;
  watch.observe(busy(), true, kStart);
  watch.observe(busy(kStart + 2min), true, kStart + 150s);
  EXPECT_EQ(watch.silent_since(), kStart + 2min);
  watch.observe(busy(kStart + 2min), true, kStart + 5min);
  EXPECT_FALSE(is_silent(watch, 3min, kStart + 5min - 1ns));
  EXPECT_TRUE(is_silent(watch, 3min, kStart + 5min));
}

TEST(DeadlockWatch, DoesNotHoldAnOldResponseAgainstIt) {
  DeadlockWatch watch;
  watch.observe(busy(kStart - 30min), true, kStart);
  EXPECT_EQ(watch.silent_since(), kStart);
}

TEST(DeadlockWatch, ForgetsWhenTheQueueIsEmptyForAMoment) {
  DeadlockWatch watch;
  watch.observe(busy(), true, kStart);
  watch.observe(busy(), false, kStart + 1min);
  EXPECT_FALSE(watch.silent_since());
  watch.observe(busy(), true, kStart + 2min);
  EXPECT_EQ(watch.silent_since(), kStart + 2min);
}

TEST(DeadlockWatch, ForgetsWhenTheWorkerHasNothingForAMoment) {
  DeadlockWatch watch;
  watch.observe(busy(), true, kStart);
  watch.observe(with_tunnels(0, 0), true, kStart + 1min);
  EXPECT_FALSE(watch.silent_since());
  watch.observe(busy(), true, kStart + 2min);
  EXPECT_EQ(watch.silent_since(), kStart + 2min);
}

TEST(DeadlockWatch, TakesAResponseLaterThanNowAsOneOfNow) {
  DeadlockWatch watch;
  watch.observe(busy(kStart + 1h), true, kStart);
  EXPECT_EQ(watch.silent_since(), kStart);
  watch.observe(busy(), true, kStart + 3min);
  EXPECT_TRUE(is_silent(watch, 3min, kStart + 3min));
}

TEST(DeadlockWatch, IsNotDeceivedByAQueueThatIsEmptyForAMoment) {
  DeadlockWatch watch;
  WorkerObservation stuck;
  stuck.in_flight = 1;
  watch.observe(stuck, true, kStart);
  watch.observe(stuck, false, kStart + kLull);
  EXPECT_EQ(watch.silent_since(), kStart);
  watch.observe(stuck, false, kStart + kLull + 1ns);
  EXPECT_EQ(watch.silent_since(), std::nullopt);
}

}  // namespace
}  // namespace poolwarden::pool
