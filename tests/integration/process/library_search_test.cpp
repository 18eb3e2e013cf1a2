// Libraries of a real program, searched where its loader would.

#include "process/library_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace poolwarden::process {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

// needs_library needs libanswer.so, which is in workers/answer.
struct RelativeSearch : testing::Test {
  const std::string workers =
      std::filesystem::read_symlink("/proc/self/exe").parent_path() / "workers";
  std::vector<diagnosis::LoaderFinding> search(const std::string& library_path,
                                               const std::string& directory) const {
    return search_libraries({workers + "/needs_library", library_path, directory});
  }
};

TEST_F(RelativeSearch, BeginsInTheDirectoryOfTheProgram) {
  EXPECT_THAT(search("answer", workers), IsEmpty());
  EXPECT_THAT(search("./answer", workers), IsEmpty());
  EXPECT_THAT(search("answer", "/"), SizeIs(1));
}

TEST_F(RelativeSearch, TakesAnEmptyEntryForThatDirectory) {
  for (const char* path : {":", "/nowhere:", ":/nowhere", "/nowhere::/elsewhere", "/nowhere;"})
    EXPECT_THAT(search(path, workers + "/answer"), IsEmpty()) << path;
  EXPECT_THAT(search("", workers + "/answer"), SizeIs(1)) << "an empty path has no entry";
  EXPECT_THAT(search(":", workers), SizeIs(1));
}

}  // namespace
}  // namespace poolwarden::process
