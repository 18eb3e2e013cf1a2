// How a process ended, from the raw status of waitpid(2) to words.

#include "diagnosis/exit_status.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>
#include <set>

namespace poolwarden::diagnosis {
namespace {

// The layout of wait(2) on Linux: code << 8, or the signal with 0x80 for a core.
constexpr int raw_exit(int code) { return code << 8; }
constexpr int raw_signal(int signal, bool core) { return signal | (core ? 0x80 : 0); }

TEST(ExitStatus, TellsExitNineFromKillNine) {
  EXPECT_EQ(from_wait_status(raw_exit(9)), ExitStatus(Exited{9}));
  EXPECT_EQ(from_wait_status(raw_signal(SIGKILL, false)), ExitStatus(Signaled{SIGKILL, false}));
}

TEST(ExitStatus, KeepsEveryExitCode) {
  for (int code = 0; code <= 255; ++code)
    EXPECT_EQ(from_wait_status(raw_exit(code)), ExitStatus(Exited{code})) << code;
}

TEST(ExitStatus, KnowsWhetherACoreWasDumped) {
  EXPECT_EQ(from_wait_status(raw_signal(SIGSEGV, true)), ExitStatus(Signaled{SIGSEGV, true}));
}

TEST(ExitStatus, IsDescribedInWords) {
  EXPECT_EQ(describe(Exited{3}), "exited with code 3");
  EXPECT_EQ(describe(Signaled{SIGTERM, false}), "was killed by SIGTERM");
  EXPECT_EQ(describe(Signaled{SIGSEGV, true}), "was killed by SIGSEGV (core dumped)");
  EXPECT_EQ(describe(NotStarted{SpawnStage::Exec, ENOENT, "/usr/bin/gone"}),
            "could not be started (exec): /usr/bin/gone: No such file or directory");
}

TEST(ExitStatus, IsDescribedWithoutAnErrnoOrASubject) {
  EXPECT_EQ(describe(NotStarted{SpawnStage::Identity, 0, "there is no user \"www\""}),
            "could not be started (identity): there is no user \"www\"");
  EXPECT_EQ(describe(NotStarted{SpawnStage::Clone, EAGAIN, ""}),
            "could not be started (clone): Resource temporarily unavailable");
}

TEST(ExitStatus, IsDescribedWithAnErrnoThatHasNoName) {
  EXPECT_EQ(describe(NotStarted{SpawnStage::Exec, 5000, "app"}),
            "could not be started (exec): app: error 5000");
}

TEST(SignalName, IsANumberWhereThereIsNoName) {
  EXPECT_EQ(signal_name(SIGSEGV), "SIGSEGV");
  EXPECT_EQ(signal_name(70), "signal 70");
  EXPECT_EQ(signal_name(SIGRTMIN + 1), "signal " + std::to_string(SIGRTMIN + 1));
}

TEST(SpawnStage, EachHasAWordOfItsOwn) {
  std::set<std::string_view> words;
  for (int stage = 0; stage <= static_cast<int>(SpawnStage::Exec); ++stage)
    words.insert(name(static_cast<SpawnStage>(stage)));
  EXPECT_EQ(words.size(), 8u);
  EXPECT_FALSE(words.contains("unknown"));
}

}  // namespace
}  // namespace poolwarden::diagnosis
