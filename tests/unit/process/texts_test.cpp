// The parts of process/ that are text in, values out.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "process/cpu_list.h"
#include "process/credentials.h"
#include "process/line_splitter.h"
#include "process/notification.h"
#include "process/preflight.h"
#include "process/worker_environment.h"

namespace poolwarden::process {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> split(const std::vector<std::string>& chunks) {
  std::vector<std::string> lines;
  LineSplitter splitter;
  const auto emit = [&](std::string line) { lines.push_back(std::move(line)); };
  for (const std::string& chunk : chunks) splitter.feed(chunk, emit);
  splitter.finish(emit);
  return lines;
}

TEST(LineSplitter, PutsLinesTogetherFromChunks) {
  EXPECT_THAT(split({"one\ntw", "o\n", "\nthree\r\nfo", "ur"}),
              ElementsAre("one", "two", "", "three", "four"));
}

const std::string kLongestLine(LineSplitter::kLongest, 'x');

TEST(LineSplitter, CutsALineThatIsTooLongAndSaysSo) {
  EXPECT_THAT(split({kLongestLine, "x", "more\nnext\n"}),
              ElementsAre(kLongestLine + " [cut: longer than 8192 bytes]", "next"));
}

TEST(LineSplitter, LeavesALineOfTheGreatestLengthWhole) {
  EXPECT_THAT(split({kLongestLine, "\n"}), ElementsAre(kLongestLine));
}

TEST(Notification, IsReadLineByLine) {
  const Notification found = parse_notification(
      "READY=1\nSTATUS=so far=so good\nERRNO=12\nX_POOLWARDEN_UNHEALTHY=tired\nOTHER=x\nnonsense");
  EXPECT_TRUE(found.ready);
  EXPECT_FALSE(found.stopping);
  EXPECT_EQ(found.status, "so far=so good");
  EXPECT_EQ(found.error_number, 12);
  EXPECT_EQ(found.unhealthy, "tired");
}

TEST(Notification, LeavesOutWhatItDoesNotUnderstand) {
  const Notification found = parse_notification("READY=yes\nERRNO=many\n\n=\n");
  EXPECT_FALSE(found.ready);
  EXPECT_FALSE(found.error_number);
}

TEST(Notification, AWatchdogThatIsTriggeredIsUnhealthy) {
  EXPECT_TRUE(parse_notification("WATCHDOG=1").watchdog);
  const Notification found = parse_notification("WATCHDOG=trigger");
  EXPECT_FALSE(found.watchdog);
  EXPECT_EQ(found.unhealthy, "WATCHDOG=trigger");
}

TEST(CpuList, IsReadAsCpusetWritesIt) {
  const auto set = parse_cpu_list("0-1,4");
  ASSERT_TRUE(set);
  EXPECT_EQ(CPU_COUNT(&*set), 3);
  EXPECT_TRUE(CPU_ISSET(4, &*set));
}

TEST(CpuList, OtherTextsAreErrors) {
  for (const char* text : {"", "x", "3-1", "0-", "-1", "0,,1", "99999", "0 1"})
    EXPECT_FALSE(parse_cpu_list(text)) << text;
}

std::string dealt(const std::string& all, std::uint32_t each, std::uint32_t slot) {
  const cpu_set_t chosen = cpus_of_slot(*parse_cpu_list(all), each, slot);
  std::string text;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &chosen)) text += (text.empty() ? "" : ",") + std::to_string(cpu);
  return text;
}

TEST(CpuList, IsDealtOutSlotBySlotAndRoundAgain) {
  EXPECT_EQ(dealt("0-3", 1, 0), "0");
  EXPECT_EQ(dealt("0-3", 1, 3), "3");
  EXPECT_EQ(dealt("0-3", 1, 4), "0");
  EXPECT_EQ(dealt("0-3", 2, 1), "2,3");
  EXPECT_EQ(dealt("2,5,7", 2, 1), "2,7");  // wraps round
  EXPECT_EQ(dealt("2,5,7", 2, 2), "5,7");
}

TEST(CpuList, IsDealtOutWholeWhenEachWantsMoreThanThereAre) {
  EXPECT_EQ(dealt("0-1", 2, 7), "0,1");
  EXPECT_EQ(dealt("0-1", 5, 7), "0,1");
  EXPECT_EQ(dealt("3", 4'000'000'000, 4'000'000'000), "3");
}

TEST(Capabilities, AreReadWithOrWithoutPrefix) {
  EXPECT_EQ(*capability_set({"CAP_NET_BIND_SERVICE", "chown"}), 0x401u);
  EXPECT_EQ(*capability_set({}), 0u);
}

TEST(Capabilities, AWrongNameIsToldWithTheNearest) {
  const auto set = capability_set({"cap_net_bind_servise"});
  ASSERT_FALSE(set);
  EXPECT_THAT(set.error().message, HasSubstr("did you mean net_bind_service?"));
}

TEST(WorkerEnvironment, ASettingMayReferToWhatIsInheritedAndToAnotherSetting) {
  worker::WorkerSettings settings;
  settings.environment = {{"PATH", "/opt/bin:${PATH}"}, {"HERE", "${ROOT}/x"}, {"ROOT", "/srv"}};
  worker::Assignment assignment;
  assignment.pool = "web";
  const auto environment =
      worker_environment({{"PATH", "/bin"}}, {}, assignment, settings, {"/n", "", 4711, false});
  EXPECT_EQ(environment.at("PATH"), "/opt/bin:/bin");
  EXPECT_EQ(environment.at("HERE"), "/srv/x");
  EXPECT_EQ(environment.at("PORT"), "4711");
  EXPECT_EQ(environment.at("HOST"), "127.0.0.1");
  EXPECT_FALSE(environment.contains("LISTEN_FDS"));
}

TEST(WorkerEnvironment, TellsAWatchedWorkerHowLongItMayBeSilent) {
  worker::Assignment assignment;
  assignment.watch.ping_timeout = std::chrono::milliseconds(1500);
  EXPECT_FALSE(worker_environment({}, {}, assignment, {}, {}).contains("WATCHDOG_USEC"));
  assignment.watch.watchdog = true;
  EXPECT_EQ(worker_environment({}, {}, assignment, {}, {}).at("WATCHDOG_USEC"), "1500000");
}

TEST(FindProgram, TakesAPathAsItIs) {
  EXPECT_EQ(*find_program("./run.sh", {{"PATH", "/bin"}}, "/srv"), "./run.sh");
}

TEST(FindProgram, SearchesThePathOfTheWorker) {
  EXPECT_EQ(*find_program("sh", {{"PATH", "/no/such:/bin"}}, ""), "/bin/sh");
}

}  // namespace
}  // namespace poolwarden::process
