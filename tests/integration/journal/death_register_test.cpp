// Deaths as they are entered, kept on a real disk, and found again by the next supervisor.

#include "journal/death_register.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include "base/clean_text.h"
#include "fakes/full_certificate.h"
#include "fakes/hanging_mount.h"
#include "journal/certificate_bounds.h"

namespace poolwarden::journal {
namespace {

using namespace std::chrono_literals;
using pool::EventKind;
using testing::HasSubstr;

namespace fs = std::filesystem;

class DeathRegisterTest : public testing::Test {
 protected:
  DeathRegisterTest() {
    std::string name = testing::TempDir() + "poolwarden-deaths-XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~DeathRegisterTest() override { fs::remove_all(folder_); }

  std::string file() const { return folder_ + "/certificates.jsonl"; }
  std::string open(DeathRegister& deaths) const {
    return deaths.keep_in(folder_, [](const std::string& why) { FAIL() << why; });
  }
  static pool::Event live_and_die(DeathRegister& deaths, std::uint64_t generation) {
    const pool::WorkerName worker{{}, 3, generation, 4711};
    deaths.enter({EventKind::WorkerStarting, "web", worker, "",
                  pool::StartingDetails{pool::StartReason::Demand}},
                 WallClock::now());
    deaths.enter({EventKind::WorkerReady, "web", worker, "", pool::ReadyDetails{250ms}},
                 WallClock::now());
    auto certificate = std::make_shared<diagnosis::Certificate>(fakes::full_certificate());
    certificate->generation = generation;
    certificate->number = 0;
    return deaths.enter(
        {EventKind::WorkerExited, "web", worker, "", pool::ExitDetails{certificate, {}, true}},
        WallClock::now());
  }
  static std::uint64_t number_in(const pool::Event& event) {
    return std::get<pool::ExitDetails>(event.details).certificate->number;
  }

  std::string folder_;
};

const CertificateQuery kAll{"web", {}, 100, false};

TEST_F(DeathRegisterTest, GivesTheEventTheNumberOfTheCertificate) {
  DeathRegister deaths;
  EXPECT_EQ(number_in(live_and_die(deaths, 1)), 1u);
  EXPECT_EQ(number_in(live_and_die(deaths, 2)), 2u);
  EXPECT_EQ(shown(deaths.certificates().find(kAll)).certificates.at(0).at("number"), 2);
  const boost::json::array history = deaths.history(kAll);
  EXPECT_EQ(history.at(1).at("replaced_by"), 2);
  EXPECT_EQ(history.at(1).at("certificate"), 1);
}

TEST_F(DeathRegisterTest, FindsThemAgainAfterARestart) {
  {
    DeathRegister deaths;
    EXPECT_EQ(open(deaths), "");
    live_and_die(deaths, 1);
    live_and_die(deaths, 2);
  }
  DeathRegister next;
  EXPECT_EQ(open(next), "");
  const auto kept = next.certificates().find(kAll);
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_EQ(kept[0]->generation, 2u);
  EXPECT_THAT(kept[0]->evidence.backtrace,
              testing::ElementsAre(HasSubstr("crash ()"), HasSubstr("main ()")));
  const auto lives = next.lives().find("web", 3, 10);
  ASSERT_EQ(lives.size(), 2u);
  EXPECT_EQ(lives[0].started_because, "demand");
  EXPECT_EQ(lives[0].ready_after, 250ms);
  EXPECT_EQ(lives[0].replaced_by, 0u);
  EXPECT_EQ(lives[1].replaced_by, 2u);
  EXPECT_TRUE(lives[0].is_earlier);
  EXPECT_EQ(number_in(live_and_die(next, 1)), 3u) << "numbers go on";
}

TEST_F(DeathRegisterTest, KeepsWhatIsFoundLaterInItsPlace) {
  {
    DeathRegister deaths;
    open(deaths);
    const pool::Event death = live_and_die(deaths, 1);
    auto later = std::make_shared<diagnosis::Certificate>(fakes::full_certificate());
    later->generation = 1;
    later->number = 0;  // who tells does not know it
    later->evidence.backtrace = {"found ()"};
    const pool::Event told = deaths.enter(
        {EventKind::WorkerPostMortem, "web", death.worker, "", pool::PostMortemDetails{later}},
        WallClock::now());
    EXPECT_EQ(std::get<pool::PostMortemDetails>(told.details).certificate->number, 1u);
    EXPECT_EQ(deaths.certificates().find(kAll)[0]->evidence.backtrace.front(), "found ()");
  }
  DeathRegister next;
  EXPECT_EQ(open(next), "");
  ASSERT_EQ(next.certificates().find(kAll).size(), 1u);
  EXPECT_EQ(next.certificates().find(kAll)[0]->evidence.backtrace.front(), "found ()");
}

TEST_F(DeathRegisterTest, SkipsAndCountsWhatItCannotRead) {
  {
    DeathRegister deaths;
    open(deaths);
    live_and_die(deaths, 1);
  }
  std::string line;
  std::getline(std::ifstream(file()), line);
  std::ofstream(file(), std::ios::app) << "rubbish\n{\"number\":1}\n"
                                       << std::string(5000, '[') << "\n"
                                       << line.substr(0, line.size() / 2);
  DeathRegister next;
  EXPECT_EQ(open(next),
            "4 lines of the certificates in " + folder_ + " could not be read and were skipped");
  EXPECT_EQ(next.certificates().find(kAll).size(), 1u);
}

TEST_F(DeathRegisterTest, LeavesTheDirectoryOfAnotherSupervisorAlone) {
  DeathRegister first;
  DeathRegister second;
  EXPECT_EQ(open(first), "");
  live_and_die(first, 1);
  EXPECT_THAT(open(second), testing::AllOf(HasSubstr("another supervisor has " + folder_),
                                           HasSubstr("in memory only")));
  EXPECT_TRUE(second.certificates().find(kAll).empty()) << "they are the other's";
  EXPECT_EQ(number_in(live_and_die(second, 1)), 1u);
}

TEST_F(DeathRegisterTest, TellsOfAFileThatItMayNotRead) {
  fs::create_directory(file());
  DeathRegister deaths;
  EXPECT_THAT(deaths.keep_in(folder_, nullptr),
              testing::AllOf(HasSubstr("in memory only"), HasSubstr("Is a directory")));
  EXPECT_EQ(number_in(live_and_die(deaths, 1)), 1u) << "kept in memory";
}

TEST_F(DeathRegisterTest, TellsAtOnceOfADirectoryThatItCannotHave) {
  const std::string state = folder_ + "/not/yet";
  {
    DeathRegister before;
    fs::create_directory(folder_ + "/not");
    EXPECT_EQ(before.keep_in(state, nullptr), "");
    for (int i = 1; i <= 3; ++i) live_and_die(before, static_cast<std::uint64_t>(i));
  }
  fs::rename(folder_ + "/not", folder_ + "/away");
  std::mutex mutex;
  std::vector<std::string> told;
  {
    DeathRegister deaths;
    const std::string trouble = deaths.keep_in(state, [&](const std::string& why) {
      std::lock_guard lock(mutex);
      told.push_back(why);
    });
    EXPECT_THAT(trouble, testing::AllOf(HasSubstr("keeps death certificates in memory only"),
                                        HasSubstr("cannot make " + state)));
    EXPECT_EQ(number_in(live_and_die(deaths, 7)), 1u);
    fs::rename(folder_ + "/away", folder_ + "/not");
    const auto is_told = [&] {
      std::lock_guard lock(mutex);
      return !told.empty();
    };
    while (!is_told()) std::this_thread::yield();
    EXPECT_EQ(number_in(live_and_die(deaths, 8)), 2u);
  }
  EXPECT_THAT(told, testing::ElementsAre("")) << "it works again, and that it did not was told";
  DeathRegister next;
  EXPECT_EQ(next.keep_in(state, nullptr), "");
  const auto kept = next.certificates().find(kAll);
  ASSERT_EQ(kept.size(), 5u) << "none took the place of another";
  EXPECT_EQ(kept[0]->number, 5u);
  EXPECT_EQ(kept[0]->generation, 8u);
}

TEST_F(DeathRegisterTest, BeginsWithoutADiskThatHangs) {
  const std::string state = folder_ + "/hangs";
  fs::create_directory(state);
  DeathRegister deaths;
  {
    fakes::HangingMount mount(state);
    if (!mount) GTEST_SKIP() << "may not mount a file system here";
    EXPECT_THAT(deaths.keep_in(state, nullptr, 100ms), HasSubstr("no answer from"));
    EXPECT_EQ(number_in(live_and_die(deaths, 1)), 1u);
  }
  while (CertificateFile::read(state).lines.empty()) std::this_thread::yield();
}

TEST_F(DeathRegisterTest, IsNotLedAstrayByOneBadLine) {
  {
    DeathRegister deaths;
    open(deaths);
    live_and_die(deaths, 1);
  }
  for (const char* bad :
       {R"({"number":18446744073709551615,"pool":"web","exit_code":1})",
        R"({"number":9,"pool":"web","exit_code":1,"ended":-8e9,"uptime_seconds":8e9})"})
    std::ofstream(file(), std::ios::app) << bad << "\n";
  DeathRegister next;
  EXPECT_EQ(open(next),
            "2 lines of the certificates in " + folder_ + " could not be read and were skipped");
  EXPECT_EQ(number_in(live_and_die(next, 1)), 2u);
}

TEST_F(DeathRegisterTest, WritesNothingThatATerminalWouldObey) {
  {
    DeathRegister deaths;
    open(deaths);
    auto certificate = std::make_shared<diagnosis::Certificate>(fakes::full_certificate());
    certificate->evidence.output = {{true,
                                     "\x1b[2J \xc2\x9b"
                                     "31m \x7f"}};
    deaths.enter({EventKind::WorkerExited, "web", pool::WorkerName{}, "",
                  pool::ExitDetails{certificate, {}, true}},
                 WallClock::now());
  }
  std::string line;
  std::getline(std::ifstream(file()), line);
  EXPECT_EQ(escaped(line), line);
  DeathRegister next;
  open(next);
  EXPECT_EQ(next.certificates().find(kAll)[0]->evidence.output[0].text,
            "\x1b[2J \xc2\x9b"
            "31m \x7f");
}

TEST_F(DeathRegisterTest, BoundsWhatBecomesKnownOfAForgottenEnd) {
  DeathRegister deaths;
  auto later = std::make_shared<diagnosis::Certificate>(fakes::full_certificate());
  later->number = 99;
  later->evidence.backtrace.assign(1000, "main ()");
  const pool::Event told = deaths.enter(
      {EventKind::WorkerPostMortem, "web", pool::WorkerName{}, "", pool::PostMortemDetails{later}},
      WallClock::now());
  EXPECT_EQ(std::get<pool::PostMortemDetails>(told.details).certificate->evidence.backtrace.size(),
            kMostFrames);
}

TEST_F(DeathRegisterTest, ShowsNoMoreThanFits) {
  DeathRegister deaths;
  for (std::uint64_t i = 1; i <= 10; ++i) live_and_die(deaths, i);
  const auto all = deaths.certificates().find(kAll);
  const std::size_t each = weight(*all[0]);
  const Shown some = shown(all, 3 * each);
  EXPECT_EQ(some.certificates.size(), 3u);
  EXPECT_EQ(some.left_out, 7u);
  EXPECT_EQ(some.certificates.at(0).at("number"), 10);
  EXPECT_EQ(shown(all, 1).certificates.size(), 1u) << "one is always shown";
  EXPECT_EQ(shown(all).left_out, 0u);
}

TEST_F(DeathRegisterTest, KeepsOfAFullFileWhatItWouldHaveKeptOfTheDeaths) {
  std::ofstream out(file());
  for (int i = 1; i <= 6'000; ++i)
    out << R"({"number":)" << i << R"(,"pool":"p)" << i % 12 << R"(","worker":)" << i % 97
        << R"(,"generation":)" << i << R"(,"exit_code":1,"ended":1795342272})"
        << "\n";
  out.close();
  DeathRegister deaths;
  EXPECT_EQ(open(deaths), "");
  EXPECT_EQ(deaths.certificates().find({"", {}, 10'000, false}).size(), 2000u);
  for (int i = 0; i < 12; ++i) {
    const CertificateQuery query{"p" + std::to_string(i), {}, 10'000, false};
    EXPECT_LE(deaths.certificates().find(query).size(), 200u);
    EXPECT_EQ(deaths.history(query).size(), deaths.certificates().find(query).size());
  }
  const auto newest = deaths.certificates().find({"p0", {}, 1, false});
  ASSERT_EQ(newest.size(), 1u);
  EXPECT_EQ(newest[0]->number, 6000u);
  EXPECT_EQ(deaths.lives().of_certificate(6000)->generation, 6000u);
}

}  // namespace
}  // namespace poolwarden::journal
