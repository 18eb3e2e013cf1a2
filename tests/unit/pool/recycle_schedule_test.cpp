// Times of day through clock changes, daylight saving and jumps, told by a clock of the test's own.

#include "pool/recycle_schedule.h"

#include <gtest/gtest.h>

namespace poolwarden::pool {
namespace {

using std::chrono::days;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_days;
using namespace std::chrono_literals;

constexpr WallTime utc(std::chrono::year_month_day date, Duration since_midnight = 0s) {
  return sys_days(date) + std::chrono::duration_cast<WallTime::duration>(since_midnight);
}

UtcOffset always(seconds ahead) {
  return [ahead](WallTime) { return ahead; };
}

UtcOffset changing(seconds before, WallTime change, seconds after) {
  return [=](WallTime now) { return now < change ? before : after; };
}

constexpr auto kSpring = 2027y / 3 / 28;   // Europe/Berlin: 02:00 becomes 03:00
constexpr auto kAutumn = 2026y / 10 / 25;  // 03:00 becomes 02:00

seconds berlin(WallTime now) {
  const bool summer = (now >= utc(2026y / 3 / 29, 1h) && now < utc(kAutumn, 1h)) ||
                      (now >= utc(kSpring, 1h) && now < utc(2027y / 10 / 31, 1h));
  return summer ? 2h : 1h;
}

constexpr auto kDay = 2026y / 6 / 10;

// Looks at the clock every 20 seconds from `from` to `to` and tells when it fired.
std::vector<WallTime> run(RecycleSchedule& schedule, WallTime from, WallTime to) {
  std::vector<WallTime> fired;
  for (WallTime now = from; now <= to; now += 20s) {
    if (schedule.has_come(now)) fired.push_back(now);
  }
  return fired;
}

using Times = std::vector<WallTime>;

TEST(RecycleSchedule, NeverComesWithoutTimes) {
  RecycleSchedule schedule({}, always(0s));
  EXPECT_TRUE(run(schedule, utc(kDay), utc(kDay, 48h)).empty());
  EXPECT_FALSE(schedule.next(utc(kDay)));
}

TEST(RecycleSchedule, OnlyLooksAtTheClockTheFirstTime) {
  RecycleSchedule late({{3, 0}}, always(0s));
  EXPECT_FALSE(late.has_come(utc(kDay, 3h + 1s)));
  RecycleSchedule exact({{3, 0}}, always(0s));
  EXPECT_FALSE(exact.has_come(utc(kDay, 3h)));
  EXPECT_FALSE(exact.has_come(utc(kDay, 3h + 20s)));
}

TEST(RecycleSchedule, ComesExactlyAtTheMinute) {
  RecycleSchedule schedule({{3, 0}}, always(0s));
  EXPECT_FALSE(schedule.has_come(utc(kDay, 2h + 59min)));
  EXPECT_FALSE(schedule.has_come(utc(kDay, 3h - 1ns)));
  EXPECT_TRUE(schedule.has_come(utc(kDay, 3h)));
  EXPECT_FALSE(schedule.has_come(utc(kDay, 3h)));
  EXPECT_FALSE(schedule.has_come(utc(kDay, 3h + 1ns)));
}

TEST(RecycleSchedule, ComesWhenItIsAskedLate) {
  RecycleSchedule schedule({{3, 0}}, always(0s));
  schedule.has_come(utc(kDay, 2h + 59min + 50s));
  EXPECT_TRUE(schedule.has_come(utc(kDay, 3h + 40s)));
  EXPECT_FALSE(schedule.has_come(utc(kDay, 3h + 41s)));
}

TEST(RecycleSchedule, ComesEveryDay) {
  RecycleSchedule schedule({{3, 0}}, always(0s));
  EXPECT_EQ(run(schedule, utc(kDay), utc(kDay, 72h)),
            (Times{utc(kDay, 3h), utc(kDay, 27h), utc(kDay, 51h)}));
}

TEST(RecycleSchedule, IsInLocalTime) {
  RecycleSchedule east({{3, 0}}, always(14h));
  EXPECT_EQ(run(east, utc(kDay), utc(kDay, 24h)), Times{utc(kDay, 13h)});
  RecycleSchedule west({{3, 0}}, always(-12h));
  EXPECT_EQ(run(west, utc(kDay), utc(kDay, 24h)), Times{utc(kDay, 15h)});
  RecycleSchedule nepal({{3, 0}}, always(5h + 45min));
  EXPECT_EQ(run(nepal, utc(kDay), utc(kDay, 24h)), Times{utc(kDay, 21h + 15min)});
}

TEST(RecycleSchedule, KnowsTimesOnBothSidesOfMidnight) {
  RecycleSchedule schedule({{0, 0}, {0, 10}, {23, 50}}, always(0s));
  EXPECT_EQ(run(schedule, utc(kDay, 23h), utc(kDay, 25h)),
            (Times{utc(kDay, 23h + 50min), utc(kDay, 24h), utc(kDay, 24h + 10min)}));
}

TEST(RecycleSchedule, ComesOnceForTwoTimesInOneStep) {
  RecycleSchedule schedule({{3, 1}, {3, 0}, {3, 0}}, always(0s));
  schedule.has_come(utc(kDay, 2h + 59min));
  EXPECT_TRUE(schedule.has_come(utc(kDay, 3h + 2min)));
  EXPECT_FALSE(schedule.has_come(utc(kDay, 3h + 3min)));
}

TEST(RecycleSchedule, ComesOnceForTwoTimesAcrossMidnightInOneStep) {
  RecycleSchedule schedule({{23, 50}, {0, 10}}, always(0s));
  schedule.has_come(utc(kDay, 23h + 45min));
  EXPECT_TRUE(schedule.has_come(utc(kDay, 24h + 15min)));
  EXPECT_TRUE(run(schedule, utc(kDay, 24h + 15min), utc(kDay, 47h)).empty());
}

TEST(RecycleSchedule, ComesOnceAtOnceWhenTheClockIsSetForwardOverIt) {
  RecycleSchedule schedule({{3, 0}}, always(0s));
  schedule.has_come(utc(kDay, 2h + 30min));
  EXPECT_TRUE(schedule.has_come(utc(kDay, 3h + 30min)));
  EXPECT_EQ(run(schedule, utc(kDay, 3h + 30min), utc(kDay, 28h)), Times{utc(kDay, 27h)});
}

TEST(RecycleSchedule, MakesUpForThreeHoursNotForMore) {
  RecycleSchedule three({{3, 0}}, always(0s));
  three.has_come(utc(kDay, 1h));
  EXPECT_TRUE(three.has_come(utc(kDay, 4h)));
  RecycleSchedule more({{3, 0}}, always(0s));
  more.has_come(utc(kDay, 1h));
  EXPECT_FALSE(more.has_come(utc(kDay, 4h + 1ns)));
}

TEST(RecycleSchedule, MakesUpForNothingAfterALargeJumpForward) {
  RecycleSchedule schedule({{3, 0}}, always(0s));
  schedule.has_come(utc(kDay, 2h));
  EXPECT_FALSE(schedule.has_come(utc(kDay, 7h)));
  EXPECT_EQ(run(schedule, utc(kDay, 7h), utc(kDay, 28h)), Times{utc(kDay, 27h)});
}

TEST(RecycleSchedule, DoesNotComeAgainWhenTheClockIsSetBackOverIt) {
  RecycleSchedule schedule({{3, 0}}, always(0s));
  ASSERT_EQ(run(schedule, utc(kDay, 2h), utc(kDay, 3h + 30min)), Times{utc(kDay, 3h)});
  EXPECT_EQ(run(schedule, utc(kDay, 2h + 30min), utc(kDay, 28h)), Times{utc(kDay, 27h)});
}

TEST(RecycleSchedule, DoesNotComeAgainWhenTheClockIsSetBackTwice) {
  RecycleSchedule schedule({{3, 0}}, always(0s));
  ASSERT_EQ(run(schedule, utc(kDay, 2h), utc(kDay, 3h)), Times{utc(kDay, 3h)});
  EXPECT_TRUE(run(schedule, utc(kDay, 2h + 30min), utc(kDay, 3h + 10min)).empty());
  EXPECT_TRUE(run(schedule, utc(kDay, 2h + 59min), utc(kDay, 4h)).empty());
}

TEST(RecycleSchedule, DoesNotComeAgainWhenAJumpForwardIsTakenBack) {
  RecycleSchedule schedule({{3, 0}}, always(0s));
  schedule.has_come(utc(kDay, 2h + 30min));
  ASSERT_TRUE(schedule.has_come(utc(kDay, 3h + 30min)));
  EXPECT_TRUE(run(schedule, utc(kDay, 2h + 31min), utc(kDay, 4h)).empty());
}

TEST(RecycleSchedule, BringsNoneOfSeveralAgainThatItJumpedOver) {
  RecycleSchedule schedule({{3, 0}, {3, 20}}, always(0s));
  schedule.has_come(utc(kDay, 2h + 30min));
  ASSERT_TRUE(schedule.has_come(utc(kDay, 3h + 30min)));
  EXPECT_TRUE(run(schedule, utc(kDay, 2h + 31min), utc(kDay, 5h)).empty());
}

TEST(RecycleSchedule, DoesNotComeAgainWhenTheClockIsSetBackByThreeHours) {
  RecycleSchedule schedule({{3, 0}}, always(0s));
  ASSERT_EQ(run(schedule, utc(kDay, 2h), utc(kDay, 4h)).size(), 1u);
  EXPECT_TRUE(run(schedule, utc(kDay, 1h), utc(kDay, 5h)).empty());
}

TEST(RecycleSchedule, ComesAfterTheClockWasSetBackBeforeItCame) {
  RecycleSchedule schedule({{3, 0}}, always(0s));
  ASSERT_TRUE(run(schedule, utc(kDay, 2h), utc(kDay, 2h + 50min)).empty());
  EXPECT_EQ(run(schedule, utc(kDay, 1h + 50min), utc(kDay, 4h)), Times{utc(kDay, 3h)});
}

TEST(RecycleSchedule, BringsLaterTimesAfterTheClockWasSetBack) {
  RecycleSchedule schedule({{3, 0}, {3, 40}}, always(0s));
  ASSERT_EQ(run(schedule, utc(kDay, 2h), utc(kDay, 3h + 30min)).size(), 1u);
  EXPECT_EQ(run(schedule, utc(kDay, 2h + 30min), utc(kDay, 5h)), Times{utc(kDay, 3h + 40min)});
}

TEST(RecycleSchedule, ComesAgainWhenTheClockIsSetBackByDays) {
  RecycleSchedule schedule({{3, 0}}, always(0s));
  ASSERT_EQ(run(schedule, utc(kDay, 50h), utc(kDay, 52h)), Times{utc(kDay, 51h)});
  EXPECT_EQ(run(schedule, utc(kDay, 4h), utc(kDay, 52h)), (Times{utc(kDay, 27h), utc(kDay, 51h)}));
}

TEST(RecycleSchedule, ComesAgainWhenTheClockIsSetBackByMoreThanThreeHours) {
  RecycleSchedule schedule({{3, 0}}, always(0s));
  ASSERT_EQ(run(schedule, utc(kDay, 2h), utc(kDay, 5h + 30min)).size(), 1u);
  EXPECT_EQ(run(schedule, utc(kDay, 2h + 20min), utc(kDay, 4h)), Times{utc(kDay, 3h)});
}

TEST(RecycleSchedule, ComesLaterByTheJumpWhereSpringSkipsIt) {
  RecycleSchedule schedule({{2, 30}}, berlin);
  EXPECT_EQ(run(schedule, utc(kSpring), utc(kSpring, 24h)), Times{utc(kSpring, 1h + 30min)});
  EXPECT_EQ(berlin(utc(kSpring, 1h + 30min)), 2h) << "which the clock calls 03:30";
}

TEST(RecycleSchedule, KnowsBothEdgesOfTheGap) {
  RecycleSchedule first({{2, 0}}, berlin);
  EXPECT_EQ(run(first, utc(kSpring), utc(kSpring, 23h)), Times{utc(kSpring, 1h)});
  RecycleSchedule before({{1, 59}}, berlin);
  EXPECT_EQ(run(before, utc(kSpring), utc(kSpring, 23h)), Times{utc(kSpring, 59min)});
  RecycleSchedule after({{3, 0}}, berlin);
  EXPECT_EQ(run(after, utc(kSpring), utc(kSpring, 23h)), Times{utc(kSpring, 1h)});
}

TEST(RecycleSchedule, ComesOnceWhereTheGapBringsTwoTimesTogether) {
  RecycleSchedule schedule({{2, 30}, {3, 30}}, berlin);
  EXPECT_EQ(run(schedule, utc(kSpring), utc(kSpring, 12h)), Times{utc(kSpring, 1h + 30min)});
}

TEST(RecycleSchedule, ComesTheFirstTimeWhereAutumnRepeatsIt) {
  RecycleSchedule schedule({{2, 30}}, berlin);
  EXPECT_EQ(run(schedule, utc(kAutumn) - 2h, utc(kAutumn, 20h)), Times{utc(kAutumn, 30min)});
}

TEST(RecycleSchedule, KnowsBothEdgesOfTheRepeatedHour) {
  RecycleSchedule first({{2, 0}}, berlin);
  EXPECT_EQ(run(first, utc(kAutumn) - 1h, utc(kAutumn, 20h)), Times{utc(kAutumn)});
  RecycleSchedule last({{2, 59}}, berlin);
  EXPECT_EQ(run(last, utc(kAutumn) - 1h, utc(kAutumn, 20h)), Times{utc(kAutumn, 59min)});
  RecycleSchedule after({{3, 0}}, berlin);
  EXPECT_EQ(run(after, utc(kAutumn) - 1h, utc(kAutumn, 20h)), Times{utc(kAutumn, 2h)});
}

TEST(RecycleSchedule, DoesNotComeWhenItBeginsInTheSecondOfTheRepeatedHours) {
  RecycleSchedule schedule({{2, 30}}, berlin);
  EXPECT_TRUE(run(schedule, utc(kAutumn, 1h + 10min), utc(kAutumn, 20h)).empty());
}

TEST(RecycleSchedule, KnowsChangesOfHalfAnHour) {  // Lord Howe: 02:00 becomes 02:30, and back
  const WallTime spring = utc(2026y / 10 / 3, 15h + 30min);
  RecycleSchedule gap({{2, 15}}, changing(10h + 30min, spring, 11h));
  EXPECT_EQ(run(gap, spring - 3h, spring + 3h), Times{spring + 15min});
  const WallTime autumn = utc(2026y / 4 / 4, 15h);
  RecycleSchedule repeated({{1, 45}}, changing(11h, autumn, 10h + 30min));
  EXPECT_EQ(run(repeated, autumn - 3h, autumn + 3h), Times{autumn - 15min});
}

TEST(RecycleSchedule, KnowsAGapAtMidnight) {  // 00:00 becomes 01:00
  const WallTime change = utc(2026y / 9 / 6, 4h);
  RecycleSchedule schedule({{0, 0}, {0, 30}}, changing(-4h, change, -3h));
  EXPECT_EQ(run(schedule, change - 3h, change + 3h), (Times{change, change + 30min}));
}

TEST(RecycleSchedule, ComesOnTheNextDateWhereTheGapEndsThere) {  // 23:30 becomes 00:30
  const WallTime change = utc(2026y / 9 / 6, 23h + 30min);
  RecycleSchedule schedule({{23, 45}}, changing(0s, change, 1h));
  EXPECT_EQ(run(schedule, change - 3h, change + 3h), Times{change + 15min});
}

TEST(RecycleSchedule, DoesNotComeAgainWhereADateBeginsTwice) {  // 00:30 becomes 23:30
  const WallTime change = utc(2026y / 9 / 6, 30min);
  RecycleSchedule schedule({{0, 10}, {23, 40}}, changing(0s, change, -1h));
  EXPECT_EQ(run(schedule, change - 2h, change + 3h), (Times{change - 50min, change - 20min}));
  RecycleSchedule one_step({{0, 10}}, changing(0s, change, -1h));
  one_step.has_come(change - 40min);
  EXPECT_TRUE(one_step.has_come(change + 10min)) << "which the clock calls 23:40 of the day before";
}

TEST(RecycleSchedule, ComesOnceWhereAWholeDateIsSkipped) {  // Samoa in 2011
  const WallTime change = utc(2011y / 12 / 30, 10h);
  RecycleSchedule schedule({{3, 0}}, changing(-10h, change, 14h));
  EXPECT_EQ(run(schedule, change - 30h, change + 30h),
            (Times{change - 21h, change + 3h, change + 27h}));
}

TEST(RecycleSchedule, ComesOnceADayThroughYearsOfDaylightSaving) {
  for (const minutes time : {0min, 1min, 119min, 120min, 150min, 179min, 180min, 1439min}) {
    RecycleSchedule schedule(
        {{static_cast<std::uint8_t>(time / 1h), static_cast<std::uint8_t>(time % 1h / 1min)}},
        berlin);
    // From noon to noon, local winter time.
    const WallTime from = utc(2026y / 1 / 1, 11h);
    int fired = 0;
    for (WallTime now = from; now <= from + days(700); now += 1min) {
      if (schedule.has_come(now)) ++fired;
    }
    EXPECT_EQ(fired, 700) << time.count();
  }
}

TEST(NextRecycle, IsTheEarliestAfterNow) {
  const RecycleSchedule schedule({{15, 0}, {3, 0}}, always(0s));
  EXPECT_EQ(schedule.next(utc(kDay, 3h - 1ns)), utc(kDay, 3h));
  EXPECT_EQ(schedule.next(utc(kDay, 3h)), utc(kDay, 15h));
  EXPECT_EQ(schedule.next(utc(kDay, 15h)), utc(kDay, 27h));
}

TEST(NextRecycle, IsInLocalTimeOnBothSidesOfMidnight) {
  const RecycleSchedule schedule({{23, 50}, {0, 10}}, always(2h));
  EXPECT_EQ(schedule.next(utc(kDay, 21h + 49min)), utc(kDay, 21h + 50min));
  EXPECT_EQ(schedule.next(utc(kDay, 21h + 50min)), utc(kDay, 22h + 10min));
  EXPECT_EQ(schedule.next(utc(kDay, 22h + 10min)), utc(kDay, 45h + 50min));
}

TEST(NextRecycle, KnowsDaylightSaving) {
  const RecycleSchedule schedule({{2, 30}}, berlin);
  EXPECT_EQ(schedule.next(utc(kSpring)), utc(kSpring, 1h + 30min));
  EXPECT_EQ(schedule.next(utc(kSpring, 1h + 30min)), utc(kSpring, 24h + 30min));
  EXPECT_EQ(schedule.next(utc(kAutumn)), utc(kAutumn, 30min));
  EXPECT_EQ(schedule.next(utc(kAutumn, 30min)), utc(kAutumn, 25h + 30min));
}

TEST(NextRecycle, KnowsChangesOfHalfAnHourAndOfADay) {
  const WallTime spring = utc(2026y / 10 / 3, 15h + 30min);
  const RecycleSchedule half({{2, 15}}, changing(10h + 30min, spring, 11h));
  EXPECT_EQ(half.next(spring - 1h), spring + 15min);
  const WallTime skipped = utc(2011y / 12 / 30, 10h);
  const RecycleSchedule forward({{3, 0}}, changing(-10h, skipped, 14h));
  EXPECT_EQ(forward.next(skipped), skipped + 3h);
  const WallTime repeated = utc(2011y / 12 / 30, 10h);
  const RecycleSchedule backward({{3, 0}}, changing(14h, repeated, -10h));
  EXPECT_EQ(backward.next(repeated - 21h), repeated + 27h);
}

TEST(NextRecycle, IsNotOneThatCameBeforeTheClockWasSetBack) {
  RecycleSchedule schedule({{3, 0}}, always(0s));
  run(schedule, utc(kDay, 2h), utc(kDay, 3h + 30min));
  EXPECT_EQ(schedule.next(utc(kDay, 2h + 30min)), utc(kDay, 27h));
  schedule.has_come(utc(kDay, 2h + 30min));
  EXPECT_EQ(schedule.next(utc(kDay, 2h + 30min)), utc(kDay, 27h));
}

TEST(NextRecycle, IsOneThatCameBeforeTheClockWasSetRight) {
  RecycleSchedule schedule({{3, 0}}, always(0s));
  run(schedule, utc(kDay, 50h), utc(kDay, 52h));
  EXPECT_EQ(schedule.next(utc(kDay, 4h)), utc(kDay, 27h));
  schedule.has_come(utc(kDay, 4h));
  EXPECT_EQ(schedule.next(utc(kDay, 4h)), utc(kDay, 27h));
}

TEST(NextRecycle, IsTheTimeAtWhichItThenComes) {
  RecycleSchedule schedule({{2, 30}, {3, 0}, {23, 59}}, berlin);
  for (const auto change : {kAutumn, kSpring}) {
    WallTime now = utc(change) - 30h;
    schedule.has_come(now);
    std::optional<WallTime> expected = schedule.next(now);
    while (now < utc(change, 60h)) {
      now += 1min;
      const bool due = now == *expected;
      ASSERT_EQ(schedule.has_come(now), due) << (now - utc(change)) / 1min;
      if (due) expected = schedule.next(now);
    }
  }
}

}  // namespace
}  // namespace poolwarden::pool
