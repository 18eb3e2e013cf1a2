// The dependency rule, as a test: which folder of src may include which, and what deciding code
// must never touch.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>

namespace {

namespace fs = std::filesystem;

const std::map<std::string, std::set<std::string>> kMayInclude = {
    {"base", {}},
    {"diagnosis", {"base"}},
    {"worker", {"base", "diagnosis"}},
    {"pool", {"base", "diagnosis", "worker"}},
    {"dispatch", {"base", "worker"}},
    {"config", {"base", "worker", "pool", "dispatch"}},
    {"loop", {"base"}},
    {"cgroup", {"base", "worker", "loop"}},
    {"process", {"base", "diagnosis", "worker", "loop", "cgroup"}},
    {"link", {"base", "worker", "pool", "dispatch", "loop"}},
    {"gateway", {"base", "worker", "dispatch", "loop", "link", "pool"}},
    {"journal", {"base", "diagnosis", "worker", "pool", "loop"}},
    {"metrics",
     {"base", "diagnosis", "worker", "pool", "dispatch", "loop", "link", "cgroup", "journal"}},
    {"supervisor", {"base", "diagnosis", "worker", "pool", "dispatch", "config", "loop", "link"}},
    {"control", {"base", "pool", "worker", "loop"}},
    {"admin", {"base", "pool", "loop", "journal", "metrics"}},
    {"sample", {"base", "loop"}},
    {"doctor",
     {"base", "diagnosis", "worker", "pool", "config", "loop", "cgroup", "process", "supervisor"}},
    {"cli",
     {"base", "diagnosis", "worker", "pool", "dispatch", "config", "loop", "cgroup", "process",
      "link", "gateway", "journal", "metrics", "supervisor", "control", "admin", "sample",
      "doctor"}},
    {"main.cpp", {"cli"}},
};
// Folders that decide: they neither reach the outside world nor ask what time it is.
const std::set<std::string> kPure = {"base", "diagnosis", "worker", "pool", "dispatch", "config"};
const std::regex kImpure(
    R"(<(boost/asio|boost/beast|boost/process|spdlog/|sys/|unistd\.h|fcntl\.h|fstream)|Clock::now)");
const std::set<std::string> kExempt = {"diagnosis/exit_status.cpp"};  // the W… macros
const std::regex kInclude(R"(^#include "([a-z_]+)/)");

template <typename Visit>
void for_each_source(Visit visit) {
  const fs::path root = fs::path(SOURCE_DIR) / "src";
  for (const auto& file : fs::recursive_directory_iterator(root)) {
    if (file.path().extension() != ".h" && file.path().extension() != ".cpp") continue;
    const std::string name = fs::relative(file.path(), root).string();
    visit(name, name.substr(0, name.find('/')), file.path());
  }
}

TEST(Layers, EachFolderReachesOnlyWhatItMay) {
  for_each_source([](const std::string& name, const std::string& folder, const fs::path& path) {
    ASSERT_TRUE(kMayInclude.contains(folder)) << folder << " is not in the table of this test";
    std::ifstream source(path);
    std::smatch match;
    for (std::string line; std::getline(source, line);) {
      if (std::regex_search(line, match, kInclude) && kMayInclude.contains(match[1]) &&
          match[1] != folder) {
        EXPECT_TRUE(kMayInclude.at(folder).contains(match[1])) << name << ": " << line;
      }
      if (kPure.contains(folder) && !kExempt.contains(name) && !line.starts_with("//")) {
        EXPECT_FALSE(std::regex_search(line, kImpure)) << name << ": " << line;
      }
    }
  });
}

TEST(Layers, EachFileOpensWithWhatItIsFor) {
  for_each_source([](const std::string& name, const std::string&, const fs::path& path) {
    std::ifstream source(path);
    std::string line;
    std::getline(source, line);
    const bool its_header_tells =
        path.extension() == ".cpp" && fs::exists(fs::path(path).replace_extension(".h"));
    EXPECT_TRUE(line.starts_with("//") || its_header_tells) << name << " opens with: " << line;
  });
}

TEST(Layers, ArchitecturePageNamesEachFile) {
  std::ifstream page(fs::path(SOURCE_DIR) / "docs" / "ARCHITECTURE.md");
  ASSERT_TRUE(page.is_open());
  std::stringstream text;
  text << page.rdbuf();
  const std::string words = text.str();
  for_each_source([&](const std::string& name, const std::string&, const fs::path&) {
    const std::string stem = name.substr(0, name.rfind('.'));
    EXPECT_NE(words.find(stem), std::string::npos) << "docs/ARCHITECTURE.md does not name " << stem;
  });
}

}  // namespace
