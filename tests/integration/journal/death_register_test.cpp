// Deaths as they are entered, kept on a real disk, and found again by the next supervisor.

#include "journal/death_register.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "fakes/full_certificate.h"

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
  EXPECT_EQ(as_json(deaths.certificates().find(kAll)).at(0).at("number"), 2);
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
  EXPECT_THAT(deaths.keep_in(folder_, nullptr), HasSubstr("is not a file"));
  EXPECT_EQ(number_in(live_and_die(deaths, 1)), 1u) << "kept in memory";
}

}  // namespace
}  // namespace poolwarden::journal
