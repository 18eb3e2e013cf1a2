// Whatever a worker sends to $NOTIFY_SOCKET: known lines count wherever they stand, all else is
// passed over, and no text gets longer than is kept.

#include "process/notification.h"
#include "unit/seeds.h"

namespace poolwarden::process {
namespace {

constexpr std::size_t kKept = 512;

// What one line says, known or not.
struct Said {
  const char* line;
  bool is_ready = false, is_watchdog = false, is_unhealthy = false;
};
constexpr Said kLines[] = {
    {"READY=1", true},
    {"WATCHDOG=1", false, true},
    {"X_POOLWARDEN_UNHEALTHY=no handles", false, false, true},
    {"STATUS=serves"},
    {"ERRNO=12"},
    {"ERRNO=twelve"},
    {"STOPPING=1"},
    {"MAINPID=1"},
    {"READY"},
    {" READY=1"},
    {"=READY=1"},
    {""},
    {"FDSTORE=1"},
    {"\xff\xfe="},
};

std::string noise(Random& random) {
  std::string bytes(random.below(2000), '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

TEST(NotificationProperty, HearsKnownLinesAmongOthers) {
  for_seeds(2000, [](std::uint32_t seed) {
    Random random(seed);
    std::string text;
    Said all{""};
    for (std::uint32_t lines = random.below(6); lines > 0; --lines) {
      const Said& said = kLines[random.below(std::size(kLines))];
      all.is_ready |= said.is_ready;
      all.is_watchdog |= said.is_watchdog;
      all.is_unhealthy |= said.is_unhealthy;
      text += std::string(said.line) + (lines > 1 || random.chance(50) ? "\n" : "");
    }
    const Notification heard = parse_notification(text);
    EXPECT_EQ(heard.ready, all.is_ready) << text;
    EXPECT_EQ(heard.watchdog, all.is_watchdog) << text;
    EXPECT_EQ(heard.unhealthy.has_value(), all.is_unhealthy) << text;
  });
}

TEST(NotificationProperty, KeepsAnyBytesAndNotTooManyOfThem) {
  for_seeds(2000, [](std::uint32_t seed) {
    Random random(seed);
    const std::string bytes = noise(random);
    const Notification heard = parse_notification("STATUS=" + bytes);
    ASSERT_TRUE(heard.status.has_value());
    EXPECT_EQ(*heard.status, bytes.substr(0, bytes.find('\n')).substr(0, kKept));
    (void)parse_notification(bytes);
  });
}

}  // namespace
}  // namespace poolwarden::process
