// How a script's first line is read: as the kernel does it.

#include "process/program_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace poolwarden::process {
namespace {

using testing::ElementsAre;

TEST(ScriptLine, IsInterpreterAndOneArgument) {
  const auto line = script_line("#! \t/usr/bin/env  python3 -u \nprint(1)\n");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->interpreter, "/usr/bin/env");
  EXPECT_EQ(line->argument, "python3 -u");
  EXPECT_FALSE(line->has_windows_line_end);
}

TEST(ScriptLine, EndsWithTheFile) {
  const auto line = script_line("#!/bin/sh");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->interpreter, "/bin/sh");
  EXPECT_EQ(line->argument, "");
}

TEST(ScriptLine, TellsOfAWindowsLineEnd) {
  const auto line = script_line("#!/bin/sh\r\necho\r\n");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->interpreter, "/bin/sh");
  EXPECT_TRUE(line->has_windows_line_end);
}

TEST(ScriptLine, MayNameNothing) { EXPECT_EQ(script_line("#!  \n")->interpreter, ""); }

TEST(ScriptLine, IsNotInOtherFiles) {
  EXPECT_FALSE(
      script_line("\x7f"
                  "ELF"));
  EXPECT_FALSE(script_line(""));
  EXPECT_FALSE(script_line(" #!/bin/sh\n"));
}

TEST(DirectoriesAbove, BeginAtTheTop) {
  EXPECT_THAT(directories_above("/srv/app/run"), ElementsAre("/", "/srv", "/srv/app"));
}

TEST(AbsolutePath, LeavesAbsoluteOnesAlone) {
  EXPECT_EQ(absolute_path("/bin/sh", "/srv"), "/bin/sh");
  EXPECT_EQ(absolute_path("run", "/srv"), "/srv/run");
  EXPECT_EQ(absolute_path("run", ""), "run");
}

}  // namespace
}  // namespace poolwarden::process
