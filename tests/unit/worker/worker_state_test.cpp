// The life of a worker: every pair of states against a table written from the comment in
// worker_state.h, and the words.

#include "worker/worker_state.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <vector>

namespace poolwarden::worker {
namespace {

using enum WorkerState;

constexpr WorkerState kStates[] = {Starting, Serving, Suspending, Suspended, Draining,
                                   Stopping, Killing, Orphaned,   Exited};

// From each: to what.
const std::map<WorkerState, std::set<WorkerState>> kAllowed = {
    {Starting, {Serving, Stopping, Killing, Exited}},
    {Serving, {Suspending, Draining, Stopping, Killing, Orphaned, Exited}},
    {Suspending, {Suspended, Serving, Draining, Stopping, Killing, Exited}},
    {Suspended, {Serving, Stopping, Killing, Exited}},
    {Draining, {Stopping, Killing, Orphaned, Exited}},
    {Stopping, {Killing, Exited}},
    {Killing, {Exited}},
    {Orphaned, {Killing, Exited}},
    {Exited, {}},
};

TEST(WorkerState, BecomesExactlyWhatItsPictureSays) {
  for (const WorkerState from : kStates) {
    for (const WorkerState to : kStates) {
      EXPECT_EQ(can_become(from, to), kAllowed.at(from).contains(to))
          << name(from) << " -> " << name(to);
    }
  }
}

TEST(WorkerState, OnlySuspensionGoesBack) {
  for (const WorkerState from : kStates) {
    for (const WorkerState to : kStates) {
      const bool is_woken = to == Serving && (from == Suspending || from == Suspended);
      const bool is_ended = from == Orphaned && to == Killing;
      EXPECT_FALSE(can_become(from, to) && to <= from && !is_woken && !is_ended)
          << name(from) << " -> " << name(to);
    }
  }
}

TEST(WorkerState, EachHasAWordOfItsOwn) {
  std::set<std::string_view> words;
  for (const WorkerState state : kStates) words.insert(name(state));
  EXPECT_EQ(words,
            (std::set<std::string_view>{"starting", "serving", "suspending", "suspended",
                                        "draining", "stopping", "killing", "orphaned", "exited"}));
}

TEST(Endpoint, IsDescribedAsItIsWrittenInConfigurations) {
  EXPECT_EQ(describe(UnixEndpoint{"/run/poolwarden/web/0"}), "unix:/run/poolwarden/web/0");
  EXPECT_EQ(describe(TcpEndpoint{"127.0.0.1", 4711}), "127.0.0.1:4711");
}

}  // namespace
}  // namespace poolwarden::worker
