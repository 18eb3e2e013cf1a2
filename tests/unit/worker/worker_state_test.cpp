// The life of a worker: every pair of states against a table written from the comment in
// worker_state.h, and the words.

#include "worker/worker_state.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace poolwarden::worker {
namespace {

using enum WorkerState;

constexpr WorkerState kStates[] = {Starting, Serving, Draining, Stopping, Killing, Exited};

// Rows: from. Columns: to, in the same order.
constexpr bool kAllowed[6][6] = {
    // Starting Serving Draining Stopping Killing Exited
    {false, true, false, true, true, true},     // Starting: ready, or skips ahead
    {false, false, true, true, true, true},     // Serving
    {false, false, false, true, true, true},    // Draining
    {false, false, false, false, true, true},   // Stopping
    {false, false, false, false, false, true},  // Killing
    {false, false, false, false, false, false}  // Exited: nothing goes back
};

TEST(WorkerState, BecomesExactlyWhatItsPictureSays) {
  for (std::size_t from = 0; from < 6; ++from) {
    for (std::size_t to = 0; to < 6; ++to) {
      EXPECT_EQ(can_become(kStates[from], kStates[to]), kAllowed[from][to])
          << name(kStates[from]) << " -> " << name(kStates[to]);
    }
  }
}

TEST(WorkerState, NeverGoesBack) {
  for (const WorkerState from : kStates) {
    for (const WorkerState to : kStates) {
      EXPECT_FALSE(can_become(from, to) && to <= from) << name(from) << " -> " << name(to);
    }
  }
}

TEST(WorkerState, EachHasAWordOfItsOwn) {
  std::set<std::string_view> words;
  for (const WorkerState state : kStates) words.insert(name(state));
  EXPECT_EQ(words, (std::set<std::string_view>{"starting", "serving", "draining", "stopping",
                                               "killing", "exited"}));
}

TEST(Endpoint, IsDescribedAsItIsWrittenInConfigurations) {
  EXPECT_EQ(describe(UnixEndpoint{"/run/poolwarden/web/0"}), "unix:/run/poolwarden/web/0");
  EXPECT_EQ(describe(TcpEndpoint{"127.0.0.1", 4711}), "127.0.0.1:4711");
}

}  // namespace
}  // namespace poolwarden::worker
