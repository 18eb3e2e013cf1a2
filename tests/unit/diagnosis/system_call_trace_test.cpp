// What strace 6.1 writes with -f -tt, read for its failures and its end.

#include "diagnosis/system_call_trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace poolwarden::diagnosis {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const char* const kCrash =
    R"(18536 02:05:43.894806 execve("./app", ["./app"], 0x7ffd /* 12 vars */) = 0
18536 02:05:43.894906 access("/etc/ld.so.preload", R_OK) = -1 ENOENT (No such file or directory)
18536 02:05:43.895006 ioctl(0, TCGETS, 0x7ffd) = -1 ENOTTY (Inappropriate ioctl for device)
18536 02:05:43.895806 bind(3, {sa_family=AF_INET, sin_port=htons(80)}, 16) = -1 EADDRINUSE (Address already in use)
18540 02:05:43.905806 <... read resumed>"", 4096) = -1 EAGAIN (Resource temporarily unavailable)
18540 02:05:43.905816 <... connect resumed>) = -1 ECONNREFUSED (Connection refused)
18536 02:05:43.905849 write(1, "x = -1 EIO\n", 11) = 11
18536 02:05:43.905904 --- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=0x10} ---
18540 02:05:43.906000 +++ killed by SIGSEGV +++
18536 02:05:43.906035 +++ killed by SIGSEGV +++
)";

TEST(SystemCallTrace, KeepsWhatFailedAndHowItEnded) {
  const SystemCallTrace trace = read_system_call_trace(kCrash, 10);
  ASSERT_EQ(trace.failed.size(), 3u);
  EXPECT_EQ(trace.failed[0].call, "access(\"/etc/ld.so.preload\", R_OK)");
  EXPECT_EQ(trace.failed[0].error, "ENOENT (No such file or directory)");
  EXPECT_EQ(trace.failed[1].pid, 18536);
  EXPECT_EQ(trace.failed[1].time, "02:05:43.895806");
  EXPECT_EQ(trace.failed[1].call, "bind(3, {sa_family=AF_INET, sin_port=htons(80)}, 16)");
  EXPECT_EQ(trace.failed[2].pid, 18540);
  EXPECT_EQ(trace.failed[2].call, "<... connect resumed>)");
  EXPECT_THAT(trace.signals,
              ElementsAre("18536 --- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, "
                          "si_addr=0x10} ---"));
  EXPECT_THAT(trace.ends,
              ElementsAre("18540 +++ killed by SIGSEGV +++", "18536 +++ killed by SIGSEGV +++"));
}

TEST(SystemCallTrace, KeepsTheLastCallsWhateverTheirOutcome) {
  EXPECT_THAT(read_system_call_trace(kCrash, 2).calls,
              ElementsAre("18540 <... connect resumed>) = -1 ECONNREFUSED (Connection refused)",
                          R"(18536 write(1, "x = -1 EIO\n", 11) = 11)"));
}

TEST(SystemCallTrace, KeepsTheLastOfThem) {
  const SystemCallTrace trace = read_system_call_trace(kCrash, 1);
  ASSERT_EQ(trace.failed.size(), 1u);
  EXPECT_EQ(trace.failed[0].error, "ECONNREFUSED (Connection refused)");
  EXPECT_THAT(trace.ends, ElementsAre("18536 +++ killed by SIGSEGV +++"));
}

TEST(SystemCallTrace, StandsLinesThatAreCutOff) {
  const std::string whole = kCrash;
  for (std::size_t at = 0; at < whole.size(); at += 7) {
    EXPECT_LE(read_system_call_trace(whole.substr(at), 10).failed.size(), 3u);
    EXPECT_LE(read_system_call_trace(whole.substr(0, at), 10).failed.size(), 3u);
  }
  EXPECT_THAT(read_system_call_trace("nonsense\n\n12\n12 x\n", 10).failed, IsEmpty());
}

}  // namespace
}  // namespace poolwarden::diagnosis
