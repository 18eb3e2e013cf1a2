// Settings that will hurt, and texts about cgroups.

#include "doctor/setting_checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace poolwarden::doctor {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

worker::WorkerSettings running(const std::string& argument) {
  worker::WorkerSettings settings;
  settings.command = {"serve", argument};
  return settings;
}

TEST(Names, WithAValueAreWell) {
  EXPECT_THAT(check_names(running("--home ${HOME} $${HOST}"), {{"HOME", "/"}}), IsEmpty());
}

TEST(Names, WithoutAValueAreWorthANote) {
  const Checks checks = check_names(running("${MODE} ${MODE}"), {});
  ASSERT_THAT(checks, SizeIs(1));
  EXPECT_EQ(checks[0].outcome, Outcome::Note);
  EXPECT_THAT(checks[0].found, HasSubstr("${MODE}"));
}

TEST(Names, OfTheOtherWayToConnectAreAProblem) {
  const Checks tcp = check_names(running("${PORT}"), {{"POOLWARDEN_SOCKET", "/s"}});
  ASSERT_THAT(tcp, SizeIs(1));
  EXPECT_EQ(tcp[0].outcome, Outcome::Problem);
  EXPECT_THAT(tcp[0].cure, HasSubstr("connect: tcp"));
  const Checks unix_socket = check_names(running("${POOLWARDEN_SOCKET}"), {{"PORT", "1"}});
  ASSERT_THAT(unix_socket, SizeIs(1));
  EXPECT_THAT(unix_socket[0].cure, HasSubstr("connect: unix"));
}

TEST(Names, AreLookedForInEveryText) {
  worker::WorkerSettings settings;
  settings.directory = "/srv/${A}";
  settings.environment = {{"X", "${B}"}};
  EXPECT_THAT(check_names(settings, {}), SizeIs(2));
}

TEST(Lint, OfOtherPoolsIsLeftOut) {
  const std::vector<config::Finding> lint = {
      {config::Finding::Kind::Warning, 0, 0, "pools.web.stop", "too long"},
      {config::Finding::Kind::Warning, 0, 0, "pools.website.stop", "too long"}};
  const Checks checks = check_lint("web", lint);
  ASSERT_THAT(checks, SizeIs(1));
  EXPECT_EQ(checks[0].found, "stop: too long");
}

}  // namespace
}  // namespace poolwarden::doctor
