// A worker's process that no longer shows whose it is ends with its worker all the same: with the
// cgroups of this machine, with those of v1 alone, and without any.

#include <csignal>

#include "cgroup/kernel_files.h"
#include "integration/process/each_cgroups.h"

namespace poolwarden::process {
namespace {

struct EachHiding : EachCgroups {
  // Starts a worker with one that hides so, and returns that one's pid.
  int start(const char* way) {
    told = &spawn(command({program("hide"), way}));
    run_until([this] { return !descendants().empty(); });
    return descendants().empty() ? 0 : descendants().front();
  }
  void end() {
    host.kill(last_id());
    run_until([this] { return told->exited == 1; });
  }

  static bool has_live_thread(int pid) {
    const auto threads = cgroup::subdirectories("/proc/" + std::to_string(pid) + "/task");
    return std::any_of(threads.begin(), threads.end(), [](const std::string& thread) {
      return is_alive(std::stoi(thread.substr(thread.rfind('/') + 1)));
    });
  }

  Told* told = nullptr;
};

INSTANTIATE_TEST_SUITE_P(, EachHiding, kEachCgroups, name_of);

TEST_P(EachHiding, OneThatWroteOverItsEnvironmentIsKnownFromBefore) {
  const int pid = start("environment");
  ASSERT_GT(pid, 0);
  ASSERT_TRUE(host.suspend(last_id()));  // looks at them all
  host.resume(last_id());
  ASSERT_EQ(::kill(pid, SIGUSR1), 0);
  ASSERT_TRUE(run_until([this] { return wrote("hidden"); }));
  end();
  EXPECT_FALSE(has_live_thread(pid));
}

TEST_P(EachHiding, OneWhoseFirstThreadHasEndedLivesInItsOthers) {
  const int pid = start("first_thread");
  ASSERT_GT(pid, 0);
  ASSERT_EQ(::kill(pid, SIGUSR1), 0);
  ASSERT_TRUE(run_until([&] { return state_of(pid) == 'Z'; }));
  ASSERT_TRUE(has_live_thread(pid));
  end();
  EXPECT_FALSE(has_live_thread(pid));
}

}  // namespace
}  // namespace poolwarden::process
