// The folders of `debug`: what is handed to a worker's user, and what becomes of the older ones.

#include "cli/debug_folder.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "cli/debug_loans.h"
#include "loop/unique_fd.h"

namespace poolwarden::cli {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr uid_t kNobody = 65534;

struct Folders : testing::Test {
  Folders() {
    fs::create_directories(base);
    ::chmod(base.c_str(), 0711);
    nobody.user = std::to_string(kNobody);
    parent.reset(::open(base.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  }
  ~Folders() override {
    fs::remove_all(base);
    fs::remove_all(place());
  }

  std::string place() const { return "/var/tmp/" + instance + "-debug"; }

  std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(place()))
      found.push_back(entry.path().filename());
    std::sort(found.begin(), found.end());
    return found;
  }

  static uid_t owner_of(const std::string& path) {
    struct stat status {};
    EXPECT_EQ(::lstat(path.c_str(), &status), 0) << path;
    return status.st_uid;
  }

  const std::string instance = "poolwarden-folder-test-" + std::to_string(::getpid());
  const std::string base = fs::canonical(testing::TempDir()).string() + "/" + instance;
  const process::Credentials writer{kNobody, kNobody, {}};
  worker::Identity nobody;
  loop::UniqueFd parent;
};

struct RootsFolders : Folders {
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root has something to hand over";
  }
};

TEST_F(RootsFolders, OneThatIsAskedForIsMadeForItsWriter) {
  const std::string path = base + "/traces";
  ASSERT_TRUE(take_debug_folder(path + "/", nobody));
  EXPECT_EQ(owner_of(path), kNobody);
  ASSERT_TRUE(take_debug_folder(path, nobody)) << "it is there";
}

TEST_F(RootsFolders, AnUnknownUserHasNothingMade) {
  worker::Identity unknown;
  unknown.user = "no-such-user";
  EXPECT_FALSE(take_debug_folder(base + "/traces", unknown));
  EXPECT_FALSE(fs::exists(base + "/traces"));
}

// As if its parent's owner had swapped it after it was made.
TEST_F(RootsFolders, WhatWasPutInItsPlaceIsNotHandedOver) {
  fs::create_directory(base + "/secret");
  std::ofstream(base + "/secret/key") << "x";
  fs::create_symlink(base + "/secret", base + "/link");
  std::ofstream(base + "/file") << "x";
  fs::create_directory(base + "/theirs");
  ASSERT_EQ(::chown((base + "/theirs").c_str(), 1, 1), 0);
  for (const char* name : {"link", "secret", "file", "theirs"})
    EXPECT_FALSE(hand_over_folder(parent.get(), name, writer)) << name;
  EXPECT_EQ(owner_of(base + "/secret"), 0u);
  EXPECT_EQ(owner_of(base + "/file"), 0u);
  EXPECT_EQ(owner_of(base + "/theirs"), 1u);
}

TEST_F(RootsFolders, NoLinkIsFollowedOnTheWayToANewOne) {
  fs::create_directory(base + "/elsewhere");
  fs::create_symlink(base + "/elsewhere", base + "/link");
  const auto taken = take_debug_folder(base + "/link/traces", nobody);
  ASSERT_FALSE(taken);
  EXPECT_THAT(taken.error().message, HasSubstr(base + "/link"));
  EXPECT_THAT(taken.error().message, HasSubstr("without symbolic links"));
  EXPECT_TRUE(fs::is_empty(base + "/elsewhere"));
}

TEST_F(Folders, AScriptIsWrittenAnewWhateverLiesThere) {
  const std::string path = base + "/script";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  ASSERT_TRUE(write_debug_file(path, "continue\n"));
  EXPECT_TRUE(fs::is_regular_file(path));
  fs::create_symlink(base + "/target", base + "/link");
  ASSERT_TRUE(write_debug_file(base + "/link", "continue\n"));
  EXPECT_FALSE(fs::exists(base + "/target"));
}

TEST_F(Folders, TheLastEightStayAndThoseInUse) {
  std::vector<std::string> made;
  for (int i = 0; i < 11; ++i) {
    const auto folder = make_debug_folder(instance, base, "web", {});
    ASSERT_TRUE(folder) << folder.error().message;
    made.push_back(*folder);
    std::ofstream(*folder + "/trace") << i;
  }
  if (!made[0].starts_with(place())) GTEST_SKIP() << "/var/tmp is no disk here";
  clear_debug_folders(place(), {made[1]});
  EXPECT_THAT(names(), ElementsAre("web-10", "web-11", "web-2", "web-4", "web-5", "web-6", "web-7",
                                   "web-8", "web-9"));
  discard_debug_folder(made[10]);
  EXPECT_THAT(*make_debug_folder(instance, base, "job", {}), HasSubstr("/job-12"))
      << "no number is given twice";
  clear_debug_folders(place(), {});
  EXPECT_THAT(names(), ElementsAre("job-12", "web-10", "web-4", "web-5", "web-6", "web-7", "web-8",
                                   "web-9"));
}

// The process that removes them is taken for its work here.
struct Loans : Folders {
  Loans()
      : loans(base, [this](const DebugLoans::Room& room) {
          in_use = room.in_use;
          if (!room.discarded.empty()) discard_debug_folder(room.discarded);
          clear_debug_folders(room.place, room.in_use);
        }) {}

  DebugLoan lend() { return loans.lend(*make_debug_folder(instance, base, "web", {}), true); }

  DebugLoans loans;
  std::vector<std::string> in_use;
};

TEST_F(Loans, RefusedOrdersCostNobodyHisTrace) {
  const DebugLoan kept = lend();
  loans.begin(kept.number, [] { return true; });
  for (int i = 0; i < 20; ++i) {
    const DebugLoan refused = lend();
    std::ofstream(refused.script) << "x";
    loans.take_back(refused.number);
    EXPECT_FALSE(fs::exists(refused.folder));
    EXPECT_FALSE(fs::exists(refused.script));
  }
  EXPECT_TRUE(fs::exists(kept.folder));
}

TEST_F(Loans, StayWhileSomebodyWritesThere) {
  bool is_over = false;
  const DebugLoan longest = lend();
  loans.begin(longest.number, [&] { return is_over; });
  const auto one_more = [&] {
    const DebugLoan next = lend();
    loans.begin(next.number, [] { return true; });
  };
  for (int i = 0; i < 10; ++i) one_more();
  EXPECT_TRUE(fs::exists(longest.folder));
  EXPECT_THAT(in_use, testing::Contains(longest.folder));
  is_over = true;
  one_more();
  EXPECT_FALSE(fs::exists(longest.folder));
}

TEST_F(Loans, ThatAreOverLeaveNoScriptBehindWhereverTheFolderIs) {
  const std::string wanted = base + "/mine";
  std::vector<std::string> scripts;
  for (int i = 0; i < 3; ++i) {
    const DebugLoan loan = loans.lend(wanted, false);
    scripts.push_back(loan.script);
    std::ofstream(loan.script) << "x";
    loans.begin(loan.number, [] { return true; });
  }
  EXPECT_FALSE(fs::exists(scripts[0]));
  EXPECT_FALSE(fs::exists(scripts[1]));
  EXPECT_TRUE(fs::exists(scripts[2])) << "until the next one looks";
}

TEST_F(Loans, OfAFolderThatWasAskedForNothingIsRemoved) {
  const std::string wanted = base + "/mine";
  fs::create_directory(wanted);
  std::ofstream(wanted + "/trace") << "x";
  loans.take_back(loans.lend(wanted, false).number);
  EXPECT_TRUE(fs::exists(wanted + "/trace"));
}

}  // namespace
}  // namespace poolwarden::cli
