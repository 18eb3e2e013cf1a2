// The catalogue of events: names as promised, and a documentation page that says the same.

#include "pool/event.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

namespace poolwarden::pool {
namespace {

using testing::HasSubstr;

TEST(EventCatalogue, HasTheNamesAndNumbersThatDashboardsRelyOn) {
  const EventType& exited = type_of(EventKind::WorkerExited);
  EXPECT_EQ(exited.name, "worker.exited");
  EXPECT_EQ(exited.level, Level::Warning);
  EXPECT_EQ(exited.was_number, 5009);
  EXPECT_EQ(type_of(EventKind::PoolRapidFail).name, "pool.rapid_fail");
  EXPECT_EQ(type_of(EventKind::PoolRapidFail).was_number, 5002);
  EXPECT_EQ(type_of(EventKind::PoolRapidFail).level, Level::Error);
  EXPECT_EQ(type_of(EventKind::HookFailed).name, "hook.failed");
  EXPECT_EQ(type_of(EventKind::HookFailed).was_number, 5054);
}

TEST(EventCatalogue, NamesEachEventDifferently) {
  std::set<std::string_view> names;
  for (int i = 0; i < kEventKinds; ++i) names.insert(type_of(static_cast<EventKind>(i)).name);
  EXPECT_EQ(names.size(), static_cast<std::size_t>(kEventKinds));
}

TEST(EventCatalogue, GivesEachReasonOfARecycleItsOwnNumber) {
  Event event{.kind = EventKind::WorkerRecycling, .pool = "web", .worker = {}, .sentence = ""};
  event.details = RecycleDetails{RecycleReason::Manual};
  EXPECT_EQ(was_number(event), 5079);
  event.details = RecycleDetails{RecycleReason::Schedule};
  EXPECT_EQ(was_number(event), 5076);
  event.details = RecycleDetails{RecycleReason::PrivateMemory};
  EXPECT_EQ(was_number(event), 5117);
}

int number_of(EventKind kind, Details details) {
  return was_number(
      {.kind = kind, .pool = "web", .worker = {}, .sentence = "", .details = std::move(details)});
}

TEST(EventCatalogue, HasTheNumbersOfWasForWhatTheDetailsSay) {
  EXPECT_EQ(number_of(EventKind::WorkerIdle, IdleDetails{.shortened = false}), 5186);
  EXPECT_EQ(number_of(EventKind::WorkerIdle, IdleDetails{.shortened = true}), 5195);
  EXPECT_EQ(number_of(EventKind::IdleShortened, ShorteningDetails{.aggressive = false}), 5192);
  EXPECT_EQ(number_of(EventKind::IdleShortened, ShorteningDetails{.aggressive = true}), 5193);
  EXPECT_EQ(number_of(EventKind::WorkerUnhealthy, AilmentDetails{Ailment::Ping}), 5010);
  EXPECT_EQ(number_of(EventKind::WorkerUnhealthy, AilmentDetails{Ailment::Deadlock}), 0);
  EXPECT_EQ(number_of(EventKind::WorkerUnhealthyIgnored, AilmentDetails{Ailment::Ping}), 5082);
  EXPECT_EQ(number_of(EventKind::HookFailed, HookDetails{"orphan.action"}), 5015);
  EXPECT_EQ(number_of(EventKind::HookFailed, HookDetails{"rapid_fail.action"}), 5054);
}

// The table of docs/events.md, as the catalogue has it.
std::string table() {
  std::string lines = "| event | level | WAS | meaning |\n|---|---|---|---|\n";
  for (int i = 0; i < kEventKinds; ++i) {
    const EventType& type = type_of(static_cast<EventKind>(i));
    const std::string number = type.was_number == 0 ? "" : std::to_string(type.was_number);
    lines += "| `" + std::string(type.name) + "` | " + std::string(name(type.level)) + " | " +
             number + " | " + std::string(type.meaning) + " |\n";
  }
  return lines;
}

TEST(EventCatalogue, IsWhatTheDocumentationShows) {
  const std::filesystem::path root = SOURCE_DIR;
  std::ifstream page(root / "docs" / "events.md");
  ASSERT_TRUE(page.is_open());
  const std::string text((std::istreambuf_iterator<char>(page)), std::istreambuf_iterator<char>());
  EXPECT_THAT(text, HasSubstr(table())) << "docs/events.md needs this table";
}

}  // namespace
}  // namespace poolwarden::pool
