// Whatever a worker sends to $NOTIFY_SOCKET: known lines count wherever they stand, all else is
// passed over, and no text gets longer than is kept.

#include <gtest/gtest.h>

#include <random>

#include "process/notification.h"

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

class Messages {
 public:
  std::uint32_t below(std::uint32_t limit) { return static_cast<std::uint32_t>(random_() % limit); }
  std::string noise() {
    std::string bytes(below(2000), '\0');
    for (char& byte : bytes) byte = static_cast<char>(random_());
    return bytes;
  }

 private:
  std::mt19937 random_;  // its sequence is the same everywhere
};

TEST(NotificationProperty, HearsKnownLinesAmongOthers) {
  Messages messages;
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    Said all{""};
    for (std::uint32_t lines = messages.below(6); lines > 0; --lines) {
      const Said& said = kLines[messages.below(std::size(kLines))];
      all.is_ready |= said.is_ready;
      all.is_watchdog |= said.is_watchdog;
      all.is_unhealthy |= said.is_unhealthy;
      text += std::string(said.line) + (lines > 1 || messages.below(2) == 0 ? "\n" : "");
    }
    const Notification heard = parse_notification(text);
    EXPECT_EQ(heard.ready, all.is_ready) << text;
    EXPECT_EQ(heard.watchdog, all.is_watchdog) << text;
    EXPECT_EQ(heard.unhealthy.has_value(), all.is_unhealthy) << text;
  }
}

TEST(NotificationProperty, KeepsAnyBytesAndNotTooManyOfThem) {
  Messages messages;
  for (int round = 0; round < 2000; ++round) {
    const std::string noise = messages.noise();
    const Notification heard = parse_notification("STATUS=" + noise);
    ASSERT_TRUE(heard.status.has_value());
    EXPECT_EQ(*heard.status, noise.substr(0, noise.find('\n')).substr(0, kKept));
    (void)parse_notification(noise);
  }
}

}  // namespace
}  // namespace poolwarden::process
