// The file of certificates on a real file system: what comes back, what a damaged file costs, and
// that nobody waits for a disk.

#include "journal/certificate_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>

#include "fakes/hanging_mount.h"
#include "loop/unique_fd.h"

namespace poolwarden::journal {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

namespace fs = std::filesystem;

// What the file tells, and waiting for it.
class Told {
 public:
  CertificateFile::OnTrouble listener() {
    return [this](const std::string& why) {
      std::lock_guard lock(mutex_);
      all_.push_back(why);
      changed_.notify_all();
    };
  }
  std::vector<std::string> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, 20s, [&] { return all_.size() >= count; });
    return all_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> all_;
};

class CertificateFileTest : public testing::Test {
 protected:
  CertificateFileTest() {
    std::string name = testing::TempDir() + "poolwarden-state-XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~CertificateFileTest() override { fs::remove_all(folder_); }

  std::string newer() const { return folder_ + "/certificates.jsonl"; }
  std::string older() const { return folder_ + "/certificates.1.jsonl"; }
  void put(const std::string& path, const std::string& text) const {
    std::ofstream(path, std::ios::binary) << text;
  }
  // Until all is on the disk: the end of the file waits for that.
  void append(const std::vector<std::string>& lines, const CertificateFileBounds& bounds = {}) {
    CertificateFile file(folder_, {}, told_.listener(), bounds);
    for (const std::string& line : lines) file.append(line);
  }
  std::vector<std::string> lines(const CertificateFileBounds& bounds = {}) const {
    return CertificateFile::read(folder_, bounds).lines;
  }

  std::string folder_;
  Told told_;
};

TEST_F(CertificateFileTest, GivesBackWhatWasWritten) {
  append({"one", "two"});
  append({"three"});
  EXPECT_THAT(lines(), ElementsAre("one", "two", "three"));
  struct stat about = {};
  ASSERT_EQ(::stat(newer().c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600u);
  EXPECT_THAT(told_.wait_for(0), IsEmpty());
}

TEST_F(CertificateFileTest, MakesItsDirectory) {
  const std::string below = folder_ + "/state";
  { CertificateFile(below, {}, told_.listener()).append("one"); }
  EXPECT_THAT(CertificateFile::read(below).lines, ElementsAre("one"));
}

TEST_F(CertificateFileTest, HasNoLinesBeforeTheFirst) {
  const auto earlier = CertificateFile::read(folder_ + "/nowhere");
  EXPECT_THAT(earlier.lines, IsEmpty());
  EXPECT_EQ(earlier.trouble, "");
}

TEST_F(CertificateFileTest, BeginsANewFileWhenOneIsFull) {
  const CertificateFileBounds small{.file_bytes = 100};
  std::vector<std::string> many;
  for (int i = 0; i < 40; ++i) many.push_back("line " + std::to_string(100 + i));
  append(many, small);
  EXPECT_LE(fs::file_size(newer()), 100u);
  EXPECT_LE(fs::file_size(older()), 100u);
  const auto kept = lines(small);
  EXPECT_EQ(kept.back(), "line 139");
  EXPECT_GE(kept.size(), 11u);  // what one file holds
  EXPECT_EQ(kept,
            std::vector<std::string>(many.end() - static_cast<long>(kept.size()), many.end()));
}

TEST_F(CertificateFileTest, DoesNotGlueALineToOneThatWasCut) {
  put(newer(), "one\n{\"cut");
  append({"two"});
  EXPECT_THAT(lines(), ElementsAre("one", "{\"cut", "two"));
}

TEST_F(CertificateFileTest, ReadsTheEndOfAFileThatIsTooLong) {
  std::string text(10'000, 'x');
  text.append("\nlast\n");
  put(newer(), text);
  const auto kept = lines({.file_bytes = 100});
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_LE(kept[0].size(), 200u);
  EXPECT_EQ(kept[1], "last");
}

TEST_F(CertificateFileTest, FollowsNoLinkAndReadsNoPipe) {
  const std::string victim = folder_ + "/victim";
  put(victim, "precious\n");
  ASSERT_EQ(::symlink(victim.c_str(), newer().c_str()), 0);
  ASSERT_EQ(::mkfifo(older().c_str(), 0600), 0);
  EXPECT_THAT(CertificateFile::read(folder_).trouble, HasSubstr("cannot read"));
  append({"one"});
  EXPECT_THAT(told_.wait_for(1), ElementsAre(HasSubstr("cannot open")));
  std::ifstream file(victim);
  std::string text;
  std::getline(file, text);
  EXPECT_EQ(text, "precious");
}

TEST_F(CertificateFileTest, WritesLaterWhatTheDiskDidNotTake) {
  const std::string missing = folder_ + "/not/yet";
  CertificateFile file(missing, {}, told_.listener());
  file.append("one");
  EXPECT_THAT(told_.wait_for(1), ElementsAre(HasSubstr("No such file or directory")));
  file.append("two");
  fs::create_directory(folder_ + "/not");
  EXPECT_THAT(told_.wait_for(2), ElementsAre(HasSubstr("cannot make"), ""));
  file.append("three");
  while (CertificateFile::read(missing).lines.size() < 3) std::this_thread::yield();
  EXPECT_THAT(CertificateFile::read(missing).lines, ElementsAre("one", "two", "three"));
  EXPECT_EQ(file.lost(), 0u);
}

TEST_F(CertificateFileTest, LosesTheOldestOfTooManyThatWait) {
  CertificateFile file(folder_ + "/not/there", {}, told_.listener(), {.waiting_lines = 10});
  file.append("0");
  told_.wait_for(1);
  for (int i = 1; i < 30; ++i) file.append(std::to_string(i));
  EXPECT_GE(file.lost(), 19u);
  EXPECT_LE(file.lost(), 20u);
}

TEST_F(CertificateFileTest, IsOneSupervisorsOnly) {
  auto first = CertificateFile::claim(folder_);
  ASSERT_TRUE(first);
  const auto second = CertificateFile::claim(folder_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, std::errc::operation_would_block);
  append({"one"});  // tries once more to have it
  EXPECT_THAT(told_.wait_for(1), ElementsAre(HasSubstr("cannot have " + folder_)));
  EXPECT_THAT(lines(), IsEmpty());
  { CertificateFile(folder_, {std::move(*first), 0, ""}, told_.listener()).append("two"); }
  EXPECT_THAT(lines(), ElementsAre("two"));
  EXPECT_TRUE(CertificateFile::claim(folder_)) << "the file gives it back when it ends";
}

std::string numbered(std::uint64_t number) {
  return "{\"number\":" + std::to_string(number) + ",\"pool\":\"web\"}";
}

TEST_F(CertificateFileTest, MakesItsDirectoryAgainWhenItWasRemoved) {
  const std::string state = folder_ + "/state";
  auto opened = CertificateFile::open(state, 20s);
  ASSERT_TRUE(opened);
  CertificateFile file(state, std::move(opened->claim), told_.listener());
  file.append(numbered(1));
  while (CertificateFile::read(state).lines.empty()) std::this_thread::yield();
  fs::remove_all(state);
  file.append(numbered(2));
  while (CertificateFile::read(state).lines.empty()) std::this_thread::yield();
  EXPECT_THAT(CertificateFile::read(state).lines, ElementsAre(numbered(2)));
  EXPECT_FALSE(CertificateFile::claim(state)) << "the new one is held, too";
}

TEST_F(CertificateFileTest, TellsOfADirectoryThatCannotBeMadeAgain) {
  const std::string state = folder_ + "/in/state";
  fs::create_directory(folder_ + "/in");
  CertificateFile file(state, {}, told_.listener());
  file.append("one");
  while (CertificateFile::read(state).lines.empty()) std::this_thread::yield();
  fs::remove_all(folder_ + "/in");
  file.append("two");
  EXPECT_THAT(told_.wait_for(1), ElementsAre(HasSubstr("cannot make " + state)));
}

// It is put back: what it has is this file's own, and nothing is counted on from there.
TEST_F(CertificateFileTest, KnowsItsOwnNumbersAgain) {
  const std::string state = folder_ + "/state";
  const std::string aside = folder_ + "/aside";
  { CertificateFile(state, {}, told_.listener()).append(numbered(7)); }
  auto opened = CertificateFile::open(state, 20s);
  ASSERT_TRUE(opened);
  CertificateFile file(state, std::move(opened->claim), told_.listener());
  fs::rename(state, aside);
  file.append(numbered(8));
  while (CertificateFile::read(state).lines.empty()) std::this_thread::yield();
  fs::remove_all(state);
  fs::rename(aside, state);
  file.append(numbered(9));
  while (CertificateFile::read(state).lines.size() < 2) std::this_thread::yield();
  EXPECT_THAT(CertificateFile::read(state).lines, ElementsAre(numbered(7), numbered(9)));
}

TEST_F(CertificateFileTest, GoesOnAfterTheNumbersThatItFindsLater) {
  put(newer(), numbered(1) + "\n" + numbered(40) + "\n{\"number\":18446744073709551615}\n");
  append({numbered(1), numbered(2), "no number", numbered(1)});
  auto kept = lines();
  kept.erase(kept.begin(), kept.begin() + 3);
  EXPECT_THAT(kept, ElementsAre(numbered(41), numbered(42), "no number", numbered(41)))
      << "what is told once more of one has its number again";
}

TEST_F(CertificateFileTest, DoesNotWaitForADiskThatHangs) {
  const std::string place = folder_ + "/hangs";
  fs::create_directory(place);
  fakes::HangingMount mount(place);
  if (!mount) GTEST_SKIP() << "may not mount a file system here";
  const auto opened = CertificateFile::open(place, 100ms);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, std::errc::timed_out);
  EXPECT_THAT(opened.error().message, HasSubstr("no answer from " + place + " for 100ms"));
}

TEST_F(CertificateFileTest, SaysBeforehandThatItCannotBeWrittenTo) {
  fs::create_directory(newer());
  const auto opened = CertificateFile::open(folder_, 20s);
  ASSERT_TRUE(opened);
  EXPECT_THAT(opened->claim.trouble, HasSubstr("cannot open " + newer()));
  const auto nowhere = CertificateFile::open(folder_ + "/not/there", 20s);
  ASSERT_FALSE(nowhere);
  EXPECT_THAT(nowhere.error().message, HasSubstr("cannot make"));
}

TEST_F(CertificateFileTest, FindsOutThatItsFileWasRemoved) {
  CertificateFile file(folder_, {}, told_.listener());
  file.append("one");
  while (lines().empty()) std::this_thread::yield();
  fs::remove(newer());
  file.append("two");
  while (lines().empty()) std::this_thread::yield();
  EXPECT_THAT(lines(), ElementsAre("two"));
}

}  // namespace
}  // namespace poolwarden::journal
