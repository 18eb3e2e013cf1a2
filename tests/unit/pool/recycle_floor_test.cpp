// How a recycle that is due may begin: every combination of what is configured, memory and floor.

#include "pool/recycle_floor.h"

#include <gtest/gtest.h>

namespace poolwarden::pool {
namespace {

using Way = std::variant<RecycleWay, Deferral>;

constexpr Way kOverlapped = RecycleWay::Overlapped;
constexpr Way kInPlace = RecycleWay::InPlace;
constexpr Way kNoHeadroom = Deferral::NoHeadroom;
constexpr Way kFloor = Deferral::Floor;

RecycleQuestion overlapped(std::uint64_t free, std::uint64_t needed) {
  RecycleQuestion question;
  question.memory_free = free;
  question.memory_needed = needed;
  return question;
}

RecycleQuestion in_place(std::uint32_t at_once, std::uint32_t desired, std::uint32_t serving) {
  RecycleQuestion question;
  question.overlapped = false;
  question.at_once = at_once;
  question.desired = desired;
  question.serving = serving;
  return question;
}

TEST(RecycleWay, OverlapsByDefault) { EXPECT_EQ(decide_recycle_way({}), kOverlapped); }

TEST(RecycleWay, OverlapsWhateverTheFloor) {
  for (std::uint32_t serving = 0; serving <= 4; ++serving) {
    RecycleQuestion question;
    question.desired = 4;
    question.serving = serving;
    EXPECT_EQ(decide_recycle_way(question), kOverlapped) << serving;
  }
}

TEST(RecycleWay, OverlapsWhereMemoryIsNotKnown) {
  RecycleQuestion question;
  question.memory_needed = 100;
  EXPECT_EQ(decide_recycle_way(question), kOverlapped);
  question.memory_needed.reset();
  question.memory_free = 0;
  EXPECT_EQ(decide_recycle_way(question), kOverlapped);
}

TEST(RecycleWay, OverlapsWhereOneMoreWorkerJustFits) {
  EXPECT_EQ(decide_recycle_way(overlapped(100, 100)), kOverlapped);
  EXPECT_EQ(decide_recycle_way(overlapped(99, 100)), kInPlace);
}

TEST(RecycleWay, WaitsForHeadroomWhereTooFewServeToGoInPlace) {
  RecycleQuestion question = overlapped(99, 100);
  question.desired = 2;
  question.serving = 2;
  EXPECT_EQ(decide_recycle_way(question), kInPlace);
  question.serving = 1;
  EXPECT_EQ(decide_recycle_way(question), kNoHeadroom);
}

TEST(RecycleWay, DoesNotAskForMemoryInPlace) {
  RecycleQuestion question = in_place(1, 4, 4);
  question.memory_free = 0;
  question.memory_needed = 100;
  EXPECT_EQ(decide_recycle_way(question), kInPlace);
}

TEST(RecycleWay, LetsThePoolsOnlyWorkerGoInPlace) {
  EXPECT_EQ(decide_recycle_way(in_place(1, 1, 1)), kInPlace);
  EXPECT_EQ(decide_recycle_way(in_place(1, 1, 0)), kInPlace);
  EXPECT_EQ(decide_recycle_way(in_place(5, 1, 1)), kInPlace);
  EXPECT_EQ(decide_recycle_way(in_place(1, 0, 0)), kInPlace);
}

TEST(RecycleWay, KeepsTheFloorInPlace) {
  struct Row {
    std::uint32_t at_once, desired, serving;
    Way expected;
  };
  const Row rows[] = {
      {1, 2, 2, kInPlace}, {1, 2, 1, kFloor},   {1, 2, 0, kFloor},  // floor 1
      {1, 4, 5, kInPlace}, {1, 4, 4, kInPlace}, {1, 4, 3, kFloor},  // floor 3
      {2, 4, 3, kInPlace}, {2, 4, 2, kFloor},                       // floor 2
      {3, 4, 2, kInPlace}, {3, 4, 1, kFloor},                       // floor 1
      {4, 4, 2, kInPlace}, {4, 4, 1, kFloor},                       // still 1
      {9, 4, 2, kInPlace}, {9, 4, 1, kFloor},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(decide_recycle_way(in_place(row.at_once, row.desired, row.serving)), row.expected)
        << row.at_once << " at once, " << row.serving << " of " << row.desired << " serve";
  }
}

// Whoever follows the answers never sees fewer serve than the floor.
TEST(RecycleWay, NeverTakesAPoolBelowItsFloor) {
  for (std::uint32_t desired = 2; desired <= 8; ++desired) {
    for (std::uint32_t at_once = 1; at_once <= 10; ++at_once) {
      std::uint32_t serving = desired;
      while (serving > 0 && decide_recycle_way(in_place(at_once, desired, serving)) == kInPlace)
        --serving;
      const std::uint32_t floor = at_once >= desired ? 1 : desired - at_once;
      EXPECT_EQ(serving, floor) << at_once << " of " << desired;
    }
  }
}

}  // namespace
}  // namespace poolwarden::pool
