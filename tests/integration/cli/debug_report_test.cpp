// What `debug --wait` shows of files that a worker's user has written, on the operator's terminal.

#include "cli/debug_report.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "loop/unique_fd.h"

namespace poolwarden::cli {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

const std::string kEscape = "\x1b]0;owned\x07";
const std::string kEscaped = "\\x1b]0;owned\\x07";

struct Reports : testing::Test {
  Reports() { fs::create_directories(folder); }
  ~Reports() override { fs::remove_all(folder); }

  std::string report(const std::string& tool, const std::string& program = "/bin/true") const {
    return debug_report({{"tool", tool}, {"folder", folder}, {"program", program}}, true);
  }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder + "/" + name) << text;
  }
  // A trace of a loader that looked there, and found nothing it could take.
  static std::string trace_of(const std::string& place) {
    return "     7:\tfile=libx.so [0];  needed by /bin/app [0]\n"
           "     7:\tfind library=libx.so [0]; searching\n"
           "     7:\t  trying file=" +
           place + "\n     7:\t\n";
  }

  std::string folder = testing::TempDir() + "/report-" + std::to_string(::getpid());
};

TEST_F(Reports, EscapeTheNameOfAFile) {
  write("loader.7" + kEscape, trace_of("/no/libx.so"));
  const std::string text = report("loader");
  EXPECT_THAT(text, HasSubstr("in " + folder + "/loader.7" + kEscaped));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

TEST_F(Reports, EscapeWhatAProgramNamesAsItsInterpreter) {
  write("script", "#!" + folder + "/" + kEscape + "\n");
  EXPECT_THAT(report("loader", folder + "/script"), HasSubstr(kEscaped));
  EXPECT_THAT(report("loader", folder + "/script"), Not(HasSubstr("\x1b")));
}

TEST_F(Reports, EscapeTheFolderAlsoWhereItCannotBeRead) {
  fs::remove_all(folder);
  folder += kEscape;
  for (const char* tool : {"gdb", "strace", "loader"}) {
    EXPECT_THAT(report(tool), HasSubstr(kEscaped)) << tool;
    EXPECT_THAT(report(tool), Not(HasSubstr("\x1b"))) << tool;
  }
}

// The trace is the worker's to write, and the operator is root.
TEST_F(Reports, OpenNoDeviceThatATraceNames) {
  const std::string device = folder + "/device";
  ASSERT_EQ(::mkfifo(device.c_str(), 0644), 0);
  const loop::UniqueFd opens(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  ASSERT_GE(::inotify_add_watch(opens.get(), device.c_str(), IN_OPEN), 0);
  write("loader.7", trace_of(device));
  EXPECT_THAT(report("loader"), HasSubstr("cannot read " + device + ": it is no regular file"));
  inotify_event event{};
  EXPECT_LT(::read(opens.get(), &event, sizeof event), 0) << "somebody has opened it";
}

TEST_F(Reports, DoNotWaitForAFifoInPlaceOfATrace) {
  for (const char* name : {"gdb.txt", "strace.txt", "loader.7"})
    ASSERT_EQ(::mkfifo((folder + "/" + name).c_str(), 0644), 0);
  EXPECT_THAT(report("gdb"), HasSubstr("gdb.txt: it is no regular file"));
  EXPECT_THAT(report("strace"), HasSubstr("strace.txt: it is no regular file"));
  EXPECT_THAT(report("loader"), HasSubstr("the whole trace"));
}

}  // namespace
}  // namespace poolwarden::cli
