// One scoreboard, mapped twice: what the gateway counts, the supervisor sees.

#include "link/scoreboard.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <span>

#include "loop/unique_fd.h"

namespace poolwarden::link {
namespace {

using testing::HasSubstr;

TEST(Scoreboard, ShowsTheReaderWhatTheWriterCounts) {
  const ScoreboardMap reader = ScoreboardMap::create().value();
  const ScoreboardMap writer = ScoreboardMap::open_for_writing(reader.fd()).value();

  PoolRow& last = writer.writable().pools[kMaxPools - 1];
  last.count_response(204);
  last.count_response(999);
  last.request_seconds.observe(0.3, dispatch::kRequestBuckets);

  const PoolRow& seen = reader.board().pools[kMaxPools - 1];
  EXPECT_EQ(load(seen.responses[204 - kFirstStatus]), 1U);
  EXPECT_EQ(load(seen.responses_other), 1U);
  EXPECT_EQ(load(seen.request_seconds.buckets[6]), 1U);  // 0.25 < 0.3 <= 0.5
  EXPECT_EQ(load(seen.request_seconds.sum_nanoseconds), 300'000'000U);
}

TEST(Scoreboard, KeepsCountersAndDropsGaugesWhenAGatewayTakesOver) {
  const ScoreboardMap reader = ScoreboardMap::create().value();
  {
    const ScoreboardMap first = ScoreboardMap::open_for_writing(reader.fd()).value();
    first.writable().pools[3].queue_length = 5;
    first.writable().pools[3].queue_enqueued = 6;
    first.writable().workers[9].in_flight = 7;
    first.writable().workers[9].tunnels = 3;
    first.writable().workers[9].requests = 8;
    first.writable().listeners[0].open = 9;
    first.writable().unrouted.in_flight = 1;
  }
  const ScoreboardMap second = ScoreboardMap::open_for_writing(reader.fd()).value();
  second.writable().reset_gauges();

  EXPECT_EQ(load(reader.board().pools[3].queue_length), 0U);
  EXPECT_EQ(load(reader.board().pools[3].queue_enqueued), 6U);
  EXPECT_EQ(load(reader.board().workers[9].in_flight), 0U);
  EXPECT_EQ(load(reader.board().workers[9].tunnels), 0U);
  EXPECT_EQ(load(reader.board().workers[9].requests), 8U);
  EXPECT_EQ(load(reader.board().listeners[0].open), 0U);
  EXPECT_EQ(load(reader.board().unrouted.in_flight), 0U);
}

TEST(Scoreboard, ClearsTheCountersOfAPoolButNotWhatGoesOn) {
  const ScoreboardMap reader = ScoreboardMap::create().value();
  const ScoreboardMap writer = ScoreboardMap::open_for_writing(reader.fd()).value();
  PoolRow& row = writer.writable().pools[1];
  // All cells, whichever there are; a new counter that is forgotten shows below.
  const std::span<Cell> cells(reinterpret_cast<Cell*>(&row), sizeof row / sizeof(Cell));
  for (Cell& cell : cells) cell = 1;

  row.clear_counters();

  const auto left =
      std::count_if(cells.begin(), cells.end(), [](const Cell& cell) { return load(cell) != 0; });
  EXPECT_EQ(left, 4);
  for (const Cell* gauge :
       {&row.queue_length, &row.oldest_waiting_since, &row.in_flight, &row.tunnels}) {
    EXPECT_EQ(load(*gauge), 1U);
  }
}

TEST(Scoreboard, CanNeitherGrowNorShrink) {
  const ScoreboardMap reader = ScoreboardMap::create().value();
  EXPECT_NE(::ftruncate(reader.fd(), 0), 0);
  EXPECT_NE(::ftruncate(reader.fd(), sizeof(Scoreboard) * 2), 0);
  EXPECT_NE(::fcntl(reader.fd(), F_ADD_SEALS, F_SEAL_WRITE), 0);
  EXPECT_EQ(::fcntl(reader.fd(), F_GETFD), FD_CLOEXEC);
}

TEST(Scoreboard, IsNotOpenedWhenItIsAnotherFile) {
  const loop::UniqueFd small(::memfd_create("small", MFD_CLOEXEC));
  const loop::UniqueFd unsealed(::memfd_create("unsealed", MFD_CLOEXEC));
  ASSERT_EQ(::ftruncate(unsealed.get(), sizeof(Scoreboard)), 0);

  EXPECT_THAT(ScoreboardMap::open_for_writing(-1).error().message, HasSubstr("cannot open"));
  EXPECT_THAT(ScoreboardMap::open_for_writing(small.get()).error().message, HasSubstr("0 bytes"));
  EXPECT_THAT(ScoreboardMap::open_for_writing(unsealed.get()).error().message,
              HasSubstr("not sealed"));
}

TEST(Scoreboard, MovesItsMapping) {
  ScoreboardMap first = ScoreboardMap::create().value();
  const ScoreboardMap second = std::move(first);
  EXPECT_EQ(second.board().size, sizeof(Scoreboard));
}

}  // namespace
}  // namespace poolwarden::link
