// The lives of the workers of a slot, as the events tell them.

#include "journal/slot_history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/full_certificate.h"

namespace poolwarden::journal {
namespace {

using namespace std::chrono_literals;
using pool::EventKind;

const WallTime kBegin = WallTime(std::chrono::seconds(1795342272));

class SlotHistoryTest : public testing::Test {
 protected:
  void tell(EventKind kind, std::uint64_t generation, pool::Details details = std::monostate{},
            std::uint32_t slot = 0) {
    const pool::WorkerName worker{{}, slot, generation, 100 + static_cast<int>(generation)};
    history_.record({kind, "web", worker, "", std::move(details)}, now_);
    now_ += 1s;
  }
  void start(std::uint64_t generation, pool::StartReason why, std::uint32_t slot = 0) {
    tell(EventKind::WorkerStarting, generation, pool::StartingDetails{why}, slot);
  }
  void end(std::uint64_t generation, bool expected, std::uint64_t number, std::uint32_t slot = 0) {
    auto certificate = std::make_shared<diagnosis::Certificate>();
    certificate->number = number;
    certificate->intent = expected ? diagnosis::Intent::Recycle : diagnosis::Intent::None;
    certificate->diagnosis.cause = diagnosis::Cause::Segfault;
    certificate->diagnosis.expected = expected;
    tell(expected ? EventKind::WorkerStopped : EventKind::WorkerExited, generation,
         pool::ExitDetails{certificate, {}, !expected}, slot);
  }
  std::vector<Life> lives(std::optional<std::uint32_t> slot = {}) const {
    return history_.find("web", slot, 1000);
  }

  SlotHistory history_;
  WallTime now_ = kBegin;
};

TEST_F(SlotHistoryTest, TellsALifeFromBirthToReplacement) {
  start(1, pool::StartReason::Initial);
  tell(EventKind::WorkerReady, 1, pool::ReadyDetails{250ms});
  tell(EventKind::WorkerUnhealthy, 1, pool::AilmentDetails{pool::Ailment::Ping});
  tell(EventKind::WorkerRecycling, 1, pool::RecycleDetails{pool::RecycleReason::Unhealthy});
  start(2, pool::StartReason::Recycle);
  end(1, true, 7);
  const auto all = lives();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].generation, 2u);
  EXPECT_EQ(all[0].started_because, "recycle");
  EXPECT_FALSE(all[0].ended);
  EXPECT_FALSE(all[0].ready_after);
  const Life& life = all[1];
  EXPECT_EQ(life.pid, 101);
  EXPECT_EQ(life.born, kBegin);
  EXPECT_EQ(life.started_because, "initial");
  EXPECT_EQ(life.ready_after, 250ms);
  EXPECT_EQ(life.ailment, "ping");
  EXPECT_EQ(life.recycled_because, "unhealthy");
  EXPECT_EQ(life.ended, kBegin + 5s);
  EXPECT_EQ(life.ended_because, "recycle");
  EXPECT_EQ(life.certificate, 7u);
  EXPECT_EQ(life.replaced_by, 2u);
}

TEST_F(SlotHistoryTest, SaysWhatACrashWasAndWhoCameNext) {
  start(1, pool::StartReason::Initial);
  end(1, false, 3);
  start(2, pool::StartReason::Replace);
  EXPECT_EQ(lives().back().ended_because, "segfault");
  EXPECT_EQ(lives().back().replaced_by, 2u);
  EXPECT_EQ(history_.of_certificate(3)->generation, 1u);
  EXPECT_FALSE(history_.of_certificate(4));
}

TEST_F(SlotHistoryTest, TakesTheDiagnosisThatIsFoundLater) {
  start(1, pool::StartReason::Initial);
  end(1, false, 3);
  auto certificate = std::make_shared<diagnosis::Certificate>();
  certificate->number = 3;
  certificate->diagnosis.cause = diagnosis::Cause::StackOverflow;
  tell(EventKind::WorkerPostMortem, 1, pool::PostMortemDetails{certificate});
  EXPECT_EQ(lives().back().ended_because, "stack_overflow");
}

TEST_F(SlotHistoryTest, GivesTheOneThatStayedItsLaterReplacement) {
  start(1, pool::StartReason::Initial);
  start(2, pool::StartReason::Recycle);
  end(2, false, 1);  // the replacement did not come up; the old one stays
  start(3, pool::StartReason::Recycle);
  EXPECT_EQ(lives().back().replaced_by, 3u);
}

TEST_F(SlotHistoryTest, KeepsSlotsApart) {
  start(1, pool::StartReason::Initial, 0);
  start(1, pool::StartReason::Initial, 1);
  end(1, false, 1, 1);
  start(2, pool::StartReason::Replace, 1);
  EXPECT_EQ(lives(0).size(), 1u);
  EXPECT_EQ(lives(0)[0].replaced_by, 0u);
  EXPECT_EQ(lives(1).size(), 2u);
  EXPECT_TRUE(history_.find("api", {}, 10).empty());
}

TEST_F(SlotHistoryTest, ForgetsTheOldestThatHasEnded) {
  start(1, pool::StartReason::Initial, 9);  // lives
  for (std::uint64_t i = 1; i <= 500; ++i) {
    start(i, pool::StartReason::Replace);
    end(i, false, i);
  }
  EXPECT_EQ(lives(0).size(), 20u);
  EXPECT_EQ(lives(0).front().generation, 500u);
  EXPECT_EQ(lives(9).size(), 1u);
  for (std::uint32_t slot = 10; slot < 400; ++slot) {
    start(1, pool::StartReason::Initial, slot);
    end(1, false, 1000 + slot, slot);
  }
  EXPECT_EQ(lives().size(), 200u);
  EXPECT_EQ(lives(9).size(), 1u) << "it lives";
}

TEST_F(SlotHistoryTest, KnowsLivesOfAnEarlierSupervisor) {
  start(4, pool::StartReason::Initial, 3);
  diagnosis::Certificate certificate = fakes::full_certificate();
  const boost::json::object noted = {{"started_because", "replace"},
                                     {"ready_after_seconds", 0.5},
                                     {"ailment", "ping"},
                                     {"recycled_because", "memory"},
                                     {"replaced_by", 43}};
  history_.restore({life_from(certificate, noted)});
  const Life life = lives(3).back();
  EXPECT_EQ(life.born, certificate.ended - 90s - 1ms);
  EXPECT_EQ(life.ended, certificate.ended);
  EXPECT_EQ(life.generation, 42u);
  EXPECT_EQ(life.started_because, "replace");
  EXPECT_EQ(life.ready_after, 500ms);
  EXPECT_EQ(life.ailment, "ping");
  EXPECT_EQ(life.recycled_because, "memory");
  EXPECT_EQ(life.ended_because, "recycle");
  EXPECT_EQ(life.replaced_by, 43u);
  EXPECT_TRUE(life.is_earlier);
  const boost::json::object told = as_json(life);
  EXPECT_EQ(told.at("earlier_supervisor"), true);
  EXPECT_EQ(told.at("certificate"), 17);
}

}  // namespace
}  // namespace poolwarden::journal
