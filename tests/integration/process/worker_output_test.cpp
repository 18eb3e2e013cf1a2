// What a worker writes is read whatever it does, told by line, and its end kept.

#include "integration/process/host_fixture.h"

namespace poolwarden::process {
namespace {

using testing::Contains;
using testing::EndsWith;
using testing::HasSubstr;

struct WorkerOutput : HostFixture {};

TEST_F(WorkerOutput, BothStreamsAreKeptAsTheyCame) {
  const Told& told =
      run(command({"/bin/sh", "-c", "echo one; sleep 0.1; echo two >&2; printf three"}));
  EXPECT_EQ(told.evidence.last_output, "one\ntwo\nthree\n");
}

TEST_F(WorkerOutput, OnlyTheEndIsKept) {
  const Told& told = run(command({"/bin/sh", "-c", "seq 1 1000"}));
  EXPECT_THAT(told.evidence.last_output, EndsWith("999\n1000\n"));
  EXPECT_LT(told.evidence.last_output.size(), 400u);
}

TEST_F(WorkerOutput, AFloodIsCutDownAndCountedAndDoesNotStopTheLoop) {
  spawn(command({program("flood"), "0"}));
  const Told& other = run(command({program("exit_with"), "0"}));
  EXPECT_EQ(other.exited, 1);
  run_until([&] {
    return std::any_of(lines.begin(), lines.end(), [](const std::string& line) {
      return line.find("lines dropped") != std::string::npos;
    });
  });
}

TEST_F(WorkerOutput, AFloodIsReadToItsEnd) {
  const Told& told = spawn(command({program("flood"), "200000"}));
  run_until([&] { return lines.size() > 2000; });
  run_until([&] { return lines.back().find("lines dropped") != std::string::npos; });
  host.kill(last_id());
  run_until([&] { return told.exited == 1; });
  EXPECT_THAT(told.evidence.last_output, EndsWith("\ndone\n"));
}

TEST_F(WorkerOutput, APipeHeldOpenByNobodysChildIsNotWaitedFor) {
  const Told& told = run(command({"/bin/sh", "-c", "setsid sleep 1000 & echo started"}));
  EXPECT_EQ(told.evidence.last_output, "started\n");
}

}  // namespace
}  // namespace poolwarden::process
