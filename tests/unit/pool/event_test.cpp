// The catalogue of events: names as promised, and a documentation page that says the same.

#include "pool/event.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "pool/event_catalogue.h"

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

TEST(EventCatalogue, IsWhatTheDocumentationShows) {
  const std::filesystem::path root = SOURCE_DIR;
  std::ifstream page(root / "docs" / "events.md");
  ASSERT_TRUE(page.is_open());
  const std::string text((std::istreambuf_iterator<char>(page)), std::istreambuf_iterator<char>());
  EXPECT_THAT(text, testing::EndsWith(event_catalogue_markdown()))
      << "docs/events.md is to end with what `poolwarden events --describe --markdown` prints";
}

TEST(EventCatalogue, HasARowForEachEventAndForEachNumberOfWas) {
  const std::string rows = event_catalogue_markdown();
  EXPECT_THAT(rows, HasSubstr("\n| `worker.exited` | warning | 5009 | A worker ended without"));
  EXPECT_THAT(rows, HasSubstr("\n| `worker.start_failed` | warning | 2280 | … its loader could"));
  EXPECT_THAT(rows, HasSubstr("\n| `worker.unhealthy` | warning |  | … for its requests"));
}

TEST(EventCatalogue, IsAFewLinesAnEventForPeople) {
  const std::string text = event_catalogue_text();
  EXPECT_THAT(text, HasSubstr("\nworker.exited: warning (WAS 5009)\n  A worker ended without"));
  EXPECT_THAT(text, HasSubstr("\n  it could not enter its cgroup: warning (WAS 5028)\n"));
  EXPECT_THAT(text, HasSubstr("\nworker.ready: info\n"));
  EXPECT_THAT(text, HasSubstr("not its pings: warning (no number of WAS)\n"));
}

}  // namespace
}  // namespace poolwarden::pool
