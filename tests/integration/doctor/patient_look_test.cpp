// Looks of real children: those that answer, those that hang, and those that end early.

#include "doctor/patient_look.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <stdexcept>

#include "base/clock.h"
#include "doctor/as_worker.h"

namespace poolwarden::doctor {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

constexpr auto kPatient = 60s;
constexpr auto kImpatient = 200ms;

// A zombie has ended: whoever has become its parent may take its time.
bool has_ended(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string number, name, state;
  return !(file >> number >> name >> state) || state == "Z" || state == "X";
}

// What was found until it was given up, once all of it was heard: a busy machine takes its time.
Checks found_before_it_hangs(std::size_t count, const Look& look) {
  for (milliseconds patience = kImpatient;; patience *= 2) {
    Checks checks = look_patiently(patience, look);
    if (checks.size() >= count || patience > kPatient) return checks;
  }
}

bool ends(pid_t pid) {
  const TimePoint limit = Clock::now() + kPatient;
  while (!has_ended(pid) && Clock::now() < limit) ::usleep(10'000);
  return has_ended(pid);
}

[[noreturn]] void hang() {
  for (;;) ::pause();
}

TEST(PatientLook, TellsAllThatWasFound) {
  const Checks checks = look_patiently(kPatient, [](const Teller& teller) {
    for (int i = 0; i < 1000; ++i) teller.tell(ok("program", std::to_string(i)));
  });
  ASSERT_THAT(checks, SizeIs(1000));
  EXPECT_EQ(checks[999].found, "999");
}

TEST(PatientLook, IsGivenUpWhenItHangsAndKeepsWhatWasFoundBefore) {
  const Checks checks = found_before_it_hangs(2, [](const Teller& teller) {
    teller.tell(ok("identity", std::to_string(::getpid())));
    teller.looking_at("program", "/srv/run", "/srv/run");
    hang();
  });
  ASSERT_THAT(checks, SizeIs(2));
  const pid_t looks = std::stoi(checks[0].found);
  EXPECT_EQ(checks[1].outcome, Outcome::Problem);
  EXPECT_EQ(checks[1].subject, "program");
  EXPECT_THAT(checks[1].found, StartsWith("/srv/run does not answer: given up after "));
  EXPECT_THAT(checks[1].cause, HasSubstr("a file system on the way hangs"));
  EXPECT_TRUE(ends(looks));
}

TEST(PatientLook, ThatHangsOverNoFileNamesNone) {
  const Checks checks = look_patiently(kImpatient, [](const Teller& teller) {
    teller.looking_at("identity", "the database of users");
    hang();
  });
  ASSERT_THAT(checks, SizeIs(1));
  EXPECT_THAT(checks[0].cause, Not(HasSubstr("file system")));
  EXPECT_THAT(checks[0].cure, HasSubstr("--timeout"));
}

TEST(PatientLook, IsAsPatientAgainAfterEachWord) {
  const Checks checks = look_patiently(3s, [](const Teller& teller) {
    for (int i = 0; i < 7; ++i) {
      ::usleep(500'000);
      teller.looking_at("program", std::to_string(i));
    }
  });
  EXPECT_THAT(checks, SizeIs(0));
}

TEST(PatientLook, ThatEndsEarlyIsAProblem) {
  const Look looks[] = {[](const Teller& teller) {
                          teller.looking_at("program", "/srv/run");
                          ::raise(SIGKILL);
                        },
                        [](const Teller& teller) {
                          teller.looking_at("program", "/srv/run");
                          throw std::runtime_error("a defect");
                        }};
  const char* const ends[] = {"SIGKILL", "exit code 1"};
  for (int i = 0; i < 2; ++i) {
    const Checks checks = look_patiently(kPatient, looks[i]);
    ASSERT_THAT(checks, SizeIs(1));
    EXPECT_EQ(checks[0].outcome, Outcome::Problem);
    EXPECT_EQ(checks[0].found, "the look at /srv/run ended early");
    EXPECT_EQ(checks[0].cause, ends[i]);
  }
}

TEST(AsWorker, LooksWithTheIdentityAndLimitsOfThePlan) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  process::LaunchPlan plan;
  plan.identity = process::Credentials{12345, 23456, {}};
  plan.open_files = 77;
  const Checks checks = look_patiently(kPatient, [&](const Teller& teller) {
    const auto looked = as_worker(plan, teller, [](const Teller& as_it) {
      rlimit limit{};
      ::getrlimit(RLIMIT_NOFILE, &limit);
      as_it.tell(ok("who", std::to_string(::getuid()) + ":" + std::to_string(::getgid()) + " " +
                               std::to_string(limit.rlim_cur)));
    });
    teller.tell(ok("after", looked ? "well" : looked.error().message));
  });
  ASSERT_THAT(checks, SizeIs(2));
  EXPECT_EQ(checks[0].found, "12345:23456 77");
  EXPECT_EQ(checks[1].found, "well");
}

TEST(AsWorker, TellsTheStepThatFails) {
  process::LaunchPlan plan;
  CPU_ZERO(&plan.affinity.emplace());  // none at all
  const Checks checks = look_patiently(kPatient, [&](const Teller& teller) {
    const auto looked = as_worker(plan, teller, [](const Teller&) {});
    teller.tell(ok("after", looked ? "well" : looked.error().message));
  });
  ASSERT_THAT(checks, SizeIs(1));
  EXPECT_THAT(checks[0].found, HasSubstr("Invalid argument"));
}

TEST(AsWorker, IsGivenUpWithWhoWaitsForIt) {
  const Checks checks = found_before_it_hangs(2, [](const Teller& teller) {
    (void)as_worker({}, teller, [](const Teller& as_it) {
      as_it.tell(ok("who", std::to_string(::getpid())));
      as_it.looking_at("directory", "/srv", "/srv");
      hang();
    });
  });
  ASSERT_THAT(checks, SizeIs(2));
  EXPECT_EQ(checks[1].subject, "directory");
  const pid_t worker = std::stoi(checks[0].found);
  EXPECT_TRUE(ends(worker)) << "with its parent";
}

TEST(AsWorker, ThatEndsEarlyIsAnError) {
  const Checks checks = look_patiently(kPatient, [](const Teller& teller) {
    const auto looked = as_worker({}, teller, [](const Teller&) { ::raise(SIGKILL); });
    teller.tell(ok("after", looked ? "well" : looked.error().message));
  });
  ASSERT_THAT(checks, SizeIs(1));
  EXPECT_EQ(checks[0].found, "cannot look as the worker: the child ended with SIGKILL");
}

}  // namespace
}  // namespace poolwarden::doctor
