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

}  // namespace
}  // namespace poolwarden::diagnosis
