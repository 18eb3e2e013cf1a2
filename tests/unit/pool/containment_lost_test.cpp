// A worker that runs, but not in its cgroup any more: told once each time that it is seen so.

#include "unit/pool/pool_watching.h"

namespace poolwarden::pool {
namespace {

using testing::ElementsAre;

WorkerObservation held(std::optional<bool> by_its_cgroup) {
  WorkerObservation seen;
  seen.usage.is_contained = by_its_cgroup;
  return seen;
}

TEST(ContainmentLost, IsToldOnceWhenItIsSeenTwice) {
  Bench bench(web(1));
  bench.serve(1, 1);
  EXPECT_TRUE(is_empty(look(bench, 0, {{1, held(true)}})));
  EXPECT_TRUE(is_empty(look(bench, 0, {{1, held(false)}}))) << "it may just be ending";
  const Decision decision = look(bench, 0, {{1, held(false)}});
  EXPECT_THAT(kinds(decision), ElementsAre(EventKind::WorkerUntracked));
  EXPECT_EQ(was_number(decision.events.front()), 5167);
  EXPECT_TRUE(is_empty(look(bench, 0, {{1, held(false)}})));
  EXPECT_TRUE(is_empty(look(bench, 0, {{1, held(true)}}))) << "put back";
  EXPECT_TRUE(is_empty(look(bench, 0, {{1, held(false)}})));
  EXPECT_TRUE(tells(look(bench, 0, {{1, held(false)}}), EventKind::WorkerUntracked));
}

TEST(ContainmentLost, IsNotKnownBetweenTwoLooksAndWithoutCgroups) {
  Bench bench(web(1));
  bench.serve(1, 1);
  EXPECT_TRUE(is_empty(look(bench, 0, {{1, held(false)}})));
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(is_empty(look(bench, 0, {{1, held({})}})));
  EXPECT_TRUE(tells(look(bench, 0, {{1, held(false)}}), EventKind::WorkerUntracked));
}

}  // namespace
}  // namespace poolwarden::pool
