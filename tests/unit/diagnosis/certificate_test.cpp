// The lines of a certificate: what is known is there, what is not is left out.

#include "diagnosis/certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

namespace poolwarden::diagnosis {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

Certificate crash() {
  Certificate certificate;
  certificate.pool = "web";
  certificate.slot = 1;
  certificate.generation = 7;
  certificate.pid = 4711;
  certificate.uptime = 90s;
  certificate.was_ready = true;
  certificate.evidence.status = Signaled{SIGSEGV, true};
  certificate.evidence.last_output = "about to crash";
  certificate.evidence.memory_peak = 512ull << 20;
  certificate.diagnosis = diagnose(certificate.evidence, {Intent::None, true, false});
  return certificate;
}

TEST(Certificate, SaysWhoItWasHowItEndedAndWhatIsLeft) {
  EXPECT_THAT(describe(crash()),
              AllOf(HasSubstr("pool web, worker 1, generation 7, pid 4711: was killed by SIGSEGV"),
                    HasSubstr("diagnosis: segfault\n"),
                    HasSubstr("status: was killed by SIGSEGV (core dumped)\n"),
                    HasSubstr("uptime: 1m 30s\n"), HasSubstr("memory peak: 512MiB\n"),
                    HasSubstr("next step: "), HasSubstr("last output:\nabout to crash\n")));
}

// What reads it may keep the beginning alone.
TEST(Certificate, SaysWhatToDoBeforeAnythingElse) {
  const std::string text = describe(crash());
  EXPECT_EQ(text.find("next step: "), text.find('\n') + 1) << text;
}

TEST(Certificate, LeavesOutWhatThereIsNot) {
  Certificate certificate = crash();
  certificate.pid = 0;
  certificate.was_ready = false;
  certificate.evidence.last_output.clear();
  certificate.evidence.memory_peak = 0;
  certificate.diagnosis.next_step.clear();
  EXPECT_THAT(describe(certificate),
              AllOf(HasSubstr("was never ready"), Not(HasSubstr("pid")), Not(HasSubstr("memory")),
                    Not(HasSubstr("next step")), Not(HasSubstr("last output"))));
}

Certificate whole() {
  Certificate certificate = crash();
  certificate.number = 12;
  certificate.ended = WallTime(std::chrono::seconds(1795342272));
  certificate.intent = Intent::Recycle;
  certificate.recycle_reason = "memory";
  certificate.debug_tool = "gdb";
  certificate.diagnosis.detail = Detail::DamagedHeap;
  certificate.diagnosis.sender = Sender::KernelFault;
  Evidence& evidence = certificate.evidence;
  evidence.requests_served = 42;
  evidence.memory = {2, 3, 1, OomScope::OwnLimit, 1};
  evidence.pids_limit_hits = 4;
  evidence.cpu_user = 1500ms;
  evidence.cpu_system = 20ms;
  evidence.threads = {{7, 'D', "main", "nfs_wait", {"nfs_wait+0x1", "vfs_read+0x2"}}};
  evidence.left_behind = {"99 gunicorn"};
  evidence.port_holder = PortHolder{8080, 123, "nginx"};
  evidence.loader = {{"app", "libx.so", "/l/libx.so", "aarch64"}, {"app", "liby.so", "", ""}};
  evidence.protocol_breach = "SSH-2.0";
  evidence.probe = ProbeAnswer{"/readyz", 503, "Connection refused", true};
  evidence.fault = FaultSite{.si_code = 1, .address = 16, .stack_pointer = 32};
  evidence.fault->syscall_number = 101;
  evidence.fault->syscall_name = "ptrace";
  evidence.core = CoreFile{"/cores/core.4711", 1 << 20, ""};
  evidence.backtrace = {"#0 f () at a.c:1", "#1 main () at a.c:2"};
  evidence.why_no_backtrace = "gdb shows no frames";
  evidence.cut_requests = {{"GET", "/slow", 3s}};
  return certificate;
}

TEST(Certificate, ShowsAllPartsOfTheEvidence) {
  const std::string text = describe(whole());
  for (const char* part :
       {"\ncertificate: 12\n",
        "\ndetail: damaged_heap\n",
        "\nsent by: kernel_fault\n",
        "\nintent: recycle (memory)\n",
        "\nran under: gdb\n",
        "\nended: 2026-11-22 10:11:12 UTC\n",
        "\nOOM kills: 2, at its own limit, of its whole cgroup\n",
        "\ntimes at its memory limit: 3\n",
        "\nrefused by limits.pids: 4\n",
        "\nCPU time: 1.5s user, 20ms system\n",
        "\nrequests served: 42\n",
        "\nrequests cut short:\n  GET /slow, for 3s\n",
        "\nlived on in its tree:\n  99 gunicorn\n",
        "\nport 8080: process 123 (nginx)\n",
        "\nloader:\n  app needs libx.so: /l/libx.so is for aarch64\n  app needs liby.so: there is "
        "none\n",
        "\nanswered with: SSH-2.0\n",
        "\nasked for: /readyz, answered with 503, at last without an answer: Connection refused\n",
        "\nfault: si_code 1, address 0x10, stack pointer 0x20, system call 101 (ptrace)\n",
        "\ncore file: /cores/core.4711, 1MiB\n",
        "\nbacktrace:\n  #0 f () at a.c:1\n  #1 main () at a.c:2\n",
        "\nno backtrace: gdb shows no frames\n",
        "\nthreads:\n  7 D main in nfs_wait\n    nfs_wait+0x1\n    vfs_read+0x2\n"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

TEST(Certificate, SaysThatTheOomKillerStruckLongBefore) {
  Certificate certificate = crash();
  certificate.evidence.memory = {2, 3, 0, OomScope::OwnLimit, 0};
  EXPECT_THAT(describe(certificate),
              HasSubstr("\nOOM kills: 2, at its own limit, none of them shortly before its end\n"));
}

TEST(Certificate, HasNoAddressWhereNoneIsKnown) {
  Certificate certificate = crash();
  certificate.evidence.fault = FaultSite{.si_code = 128, .stack_pointer = 32};
  EXPECT_THAT(describe(certificate), HasSubstr("\nfault: si_code 128, stack pointer 0x20\n"));
}

TEST(Certificate, HasNoCodeWhereNoneIsKnown) {
  Certificate certificate = crash();
  certificate.evidence.fault = FaultSite{.address = 16, .stack_pointer = 32};
  EXPECT_THAT(describe(certificate), HasSubstr("\nfault: address 0x10, stack pointer 0x20\n"));
}

TEST(Certificate, SaysWhyThereIsNoCoreFile) {
  Certificate certificate = crash();
  certificate.evidence.core = CoreFile{"", 0, "limits.core is 0"};
  EXPECT_THAT(describe(certificate), HasSubstr("\ncore file: none: limits.core is 0\n"));
}

TEST(Certificate, IsBounded) {
  Certificate certificate = crash();
  for (int i = 0; i < 1000; ++i) {
    certificate.evidence.threads.push_back(
        {i, 'S', "t", "futex", std::vector<std::string>(100, "frame")});
    certificate.evidence.backtrace.push_back("frame");
    certificate.evidence.left_behind.push_back("1 sh");
  }
  certificate.evidence.last_output = std::string(40000, 'x') + "\nthe end";
  const std::string text = describe(certificate);
  EXPECT_LT(text.size(), 40000u);
  EXPECT_THAT(text, AllOf(HasSubstr("  and 968 more\n"), HasSubstr("last output:\nthe end\n")));
}

TEST(Certificate, MovesNoCursor) {
  Certificate certificate = whole();
  certificate.evidence.last_output = "red \x1b[31m\nline\r";
  certificate.evidence.backtrace = {"\x1b[2J"};
  certificate.evidence.left_behind = {"1 \x07"};
  certificate.diagnosis.sentence = "\x1b[0m";
  const std::string text = describe(certificate);
  EXPECT_EQ(text.find_first_of("\x1b\x07\r"), std::string::npos) << text;
  EXPECT_THAT(text, HasSubstr("last output:\nred \\x1b[31m\nline\\r\n"));
}

}  // namespace
}  // namespace poolwarden::diagnosis
