// What a line of the log looks like, also when the text in it is hostile.

#include "journal/log_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace poolwarden::journal {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

const WallTime kWhen = WallTime(std::chrono::seconds(1795342272)) + 7ms;

Entry exited() {
  auto certificate = std::make_shared<diagnosis::Certificate>();
  certificate->uptime = 1500ms;
  certificate->evidence.status = diagnosis::Signaled{.signal = 11, .dumped_core = true};
  certificate->diagnosis.cause = diagnosis::Cause::Segfault;
  certificate->diagnosis.sentence = "touched memory that is not its own";
  pool::ExitDetails details{
      .certificate = certificate, .start_failure = {}, .counts_as_failure = true};
  return {.sequence = 42,
          .at = kWhen,
          .event = {.kind = pool::EventKind::WorkerExited,
                    .pool = "web",
                    .worker = pool::WorkerName{.id = {}, .slot = 0, .generation = 3, .pid = 123},
                    .sentence = "was killed by SIGSEGV\nbadly",
                    .details = details}};
}

TEST(LogLine, IsOneLineOfText) {
  EXPECT_EQ(log_line(Format::Text, exited()),
            "2026-11-22T10:11:12.007Z warning worker.exited pool=web worker=0 gen=3 pid=123: "
            "was killed by SIGSEGV\\nbadly");
}

TEST(LogLine, IsOneObjectOfJson) {
  const std::string line = log_line(Format::Json, exited());
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const boost::json::object object = boost::json::parse(line).as_object();
  EXPECT_EQ(object.at("time"), "2026-11-22T10:11:12.007Z");
  EXPECT_EQ(object.at("level"), "warning");
  EXPECT_EQ(object.at("event"), "worker.exited");
  EXPECT_EQ(object.at("was"), 5009);
  EXPECT_EQ(object.at("pool"), "web");
  EXPECT_EQ(object.at("generation"), 3);
  EXPECT_EQ(object.at("diagnosis"), "segfault");
  EXPECT_EQ(object.at("signal"), "SIGSEGV");
  EXPECT_EQ(object.at("uptime_seconds"), 1.5);
  EXPECT_EQ(object.at("message"), "was killed by SIGSEGV\nbadly");
}

TEST(LogLine, LeavesOutWhatAnEventDoesNotHave) {
  const Entry entry{.sequence = 1,
                    .at = kWhen,
                    .event = {.kind = pool::EventKind::SupervisorStarted,
                              .pool = "",
                              .worker = std::nullopt,
                              .sentence = "is here"}};
  EXPECT_EQ(log_line(Format::Text, entry),
            "2026-11-22T10:11:12.007Z info supervisor.started: is here");
  EXPECT_FALSE(as_json(entry).contains("pool"));
  EXPECT_FALSE(as_json(entry).contains("worker"));
}

TEST(LogLine, MakesWorkerOutputHarmless) {
  OutputLine output;
  output.at = kWhen;
  output.pool = "web";
  output.pid = 7;
  output.stream = Stream::Err;
  output.line = "\x1b[2Jred \xff\xc2\x9b gr\xc3\xbcn";
  EXPECT_EQ(log_line(Format::Text, output),
            "2026-11-22T10:11:12.007Z info worker.output pool=web worker=0 gen=0 pid=7 stderr: "
            "\\x1b[2Jred \\xff\\xc2\\x9b gr\xc3\xbcn");
  const std::string line = log_line(Format::Json, output);
  EXPECT_THAT(line, HasSubstr(R"(\u001b[2Jred)"));
  EXPECT_THAT(line, HasSubstr(R"(\u009b gr)"));
  EXPECT_EQ(line.find('\xc2'), std::string::npos);
  const auto object = boost::json::parse(line).as_object();
  EXPECT_EQ(object.at("message"), "\x1b[2Jred \xef\xbf\xbd\xc2\x9b gr\xc3\xbcn");
}

}  // namespace
}  // namespace poolwarden::journal
