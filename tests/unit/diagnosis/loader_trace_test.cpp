// The loader's own trace, as glibc 2.36 wrote it of programs that lack a library, have a wrong one,
// or lack a symbol.

#include "diagnosis/loader_trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace poolwarden::diagnosis {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const char* const kMissing = R"(     18726:	
     18726:	file=libzork.so.1 [0];  needed by ./app [0]
     18726:	find library=libzork.so.1 [0]; searching
     18726:	 search path=/opt/zork/lib/tls:/opt/zork/lib		(RUNPATH from file ./app)
     18726:	  trying file=/opt/zork/lib/tls/libzork.so.1
     18726:	  trying file=/opt/zork/lib/tls/libzork.so.1
     18726:	  trying file=/opt/zork/lib/libzork.so.1
     18726:	 search cache=/etc/ld.so.cache
     18726:	  trying file=/usr/lib/libzork.so.1
     18726:	
)";

const char* const kLoaded = R"(     42:	file=libm.so.6 [0];  needed by ./app [0]
     42:	find library=libm.so.6 [0]; searching
     42:	 search cache=/etc/ld.so.cache
     42:	  trying file=/lib/x86_64-linux-gnu/libm.so.6
     42:	
     42:	file=libm.so.6 [0];  generating link map
     42:	  dynamic: 0x00007fad2f9adb60  base: 0x00007fad2f7db000   size: 0x00000000001e1f50
     42:	
     42:	calling init: /lib/x86_64-linux-gnu/libm.so.6
     42:	
     42:	transferring control: ./app
     42:	
)";

TEST(LoaderTrace, NamesALibraryThatIsMissingAtTheStart) {
  const auto failure = failure_of(read_loader_trace(kMissing));
  ASSERT_TRUE(failure);
  EXPECT_TRUE(failure->at_start);
  EXPECT_EQ(failure->library, "libzork.so.1");
  EXPECT_EQ(failure->object, "./app");
  EXPECT_THAT(failure->tried, ElementsAre("/opt/zork/lib/tls/libzork.so.1",
                                          "/opt/zork/lib/libzork.so.1", "/usr/lib/libzork.so.1"));
  EXPECT_EQ(describe(*failure),
            "libzork.so.1, which ./app needs, was not loaded from any of 3 places");
}

TEST(LoaderTrace, FindsNothingWrongWithWhatWasLoaded) {
  const LoaderTrace trace = read_loader_trace(kLoaded);
  EXPECT_TRUE(trace.program_began);
  ASSERT_EQ(trace.searches.size(), 1u);
  EXPECT_TRUE(trace.searches[0].is_loaded);
  EXPECT_FALSE(failure_of(trace));
}

TEST(LoaderTrace, NamesWhatAProgramAskedForWhileItRan) {
  const auto failure = failure_of(read_loader_trace(
      std::string(kLoaded) +
      "     42:\tfile=libnix.so.9 [0];  dynamically loaded by /opt/plugin.so [0]\n"
      "     42:\tfind library=libnix.so.9 [0]; searching\n"
      "     42:\t  trying file=/lib/libnix.so.9\n"));
  ASSERT_TRUE(failure);
  EXPECT_FALSE(failure->at_start);
  EXPECT_EQ(describe(*failure),
            "libnix.so.9, which /opt/plugin.so asked for at run time, was not loaded from "
            "/lib/libnix.so.9");
}

TEST(LoaderTrace, TakesAPathThatIsNotSearchedFor) {
  const auto failure = failure_of(read_loader_trace(
      std::string(kLoaded) +
      "     42:\tfile=/opt/mod.so [0];  dynamically loaded by ./app [0]\n     42:\t\n"));
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->library, "/opt/mod.so");
  EXPECT_EQ(describe(*failure), "/opt/mod.so, which ./app asked for at run time, was not loaded");
}

// A shell that executes another program: the same process, the same file.
TEST(LoaderTrace, IsOfTheLastProgramThatAProcessBecame) {
  const std::string shell =
      "     7:\tfile=libc.so.6 [0];  needed by /bin/sh [0]\n"
      "     7:\tfind library=libc.so.6 [0]; searching\n"
      "     7:\t  trying file=/lib/libc.so.6\n"
      "     7:\tfile=libc.so.6 [0];  generating link map\n"
      "     7:\ttransferring control: /bin/sh\n";
  const auto failure = failure_of(read_loader_trace(shell + kMissing));
  ASSERT_TRUE(failure);
  EXPECT_TRUE(failure->at_start);
  EXPECT_EQ(failure->object, "./app");
  EXPECT_FALSE(failure_of(read_loader_trace(shell + shell)));
}

TEST(LoaderTrace, NamesASymbolThatIsMissing) {
  const auto failure = failure_of(
      read_loader_trace(std::string(kLoaded) +
                        "     42:\t./app: error: symbol lookup error: undefined symbol: foo "
                        "(fatal)\n"));
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->library, "");
  EXPECT_EQ(describe(*failure), "./app: symbol lookup error: undefined symbol: foo");
}

TEST(LoaderTrace, PutsAnErrorThatEndedTheProgramBeforeOneThatItWasTold) {
  const std::string told =
      "     42:\t./a.so: error: symbol lookup error: undefined symbol: bar (continued)\n";
  EXPECT_EQ(failure_of(read_loader_trace(kLoaded + told))->error,
            "symbol lookup error: undefined symbol: bar");
  const std::string fatal = "     42:\t./app: error: version lookup error: no V_2 (fatal)\n";
  EXPECT_EQ(failure_of(read_loader_trace(kLoaded + fatal + told))->error,
            "version lookup error: no V_2");
}

TEST(LoaderTrace, MakesNothingOfOtherText) {
  for (const char* text : {"", "\n\n", "hello", "  7:", "file=", "trying file=/x\nfind library="}) {
    const LoaderTrace trace = read_loader_trace(text);
    EXPECT_FALSE(trace.program_began) << text;
    EXPECT_THAT(trace.errors, IsEmpty()) << text;
  }
}

}  // namespace
}  // namespace poolwarden::diagnosis
