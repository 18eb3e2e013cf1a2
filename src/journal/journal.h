// The journal: takes each event once, keeps the last of them in memory, writes them to the log and
// tells those who follow. Worker output goes the same way.
//
// Recording is done on the supervision thread and never waits; reading may be done on any thread.

#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "journal/entry.h"
#include "journal/followers.h"
#include "journal/log_line.h"
#include "journal/log_writer.h"

namespace poolwarden::journal {

inline constexpr std::size_t kEventsKept = 1000;
inline constexpr std::size_t kLinesKept = 2000;           // of output, per pool
inline constexpr std::size_t kOutputBytesKept = 1 << 20;  // per pool
inline constexpr std::size_t kLongestLine = 16 * 1024;

struct JournalSettings {
  Format format = Format::Json;
  pool::Level level = pool::Level::Info;  // worker output is written at any level
  int fd = 1;
};

class Journal {
 public:
  explicit Journal(const JournalSettings& settings);

  void record(const pool::Event& event);  // a certificate in it is kept without its lists
  void record_output(OutputLine output);  // sequence and time are set here
  void log(pool::Level level, std::string_view message);
  void forget_output(const std::string& pool);  // its pool was removed

  // From the next line on: a reload may change them.
  void set_format(Format format) { format_ = format; }
  void set_level(pool::Level level) { level_ = level; }

  // The newest `at_most` after `sequence`, oldest first.
  std::vector<Entry> recent(std::size_t at_most = kEventsKept, std::uint64_t after = 0) const;
  std::vector<OutputLine> output(const std::string& pool, std::size_t at_most = kLinesKept) const;

  // Called on the recording thread; must not wait. The journal must outlive the subscription's use.
  Subscription follow(std::function<void(const Entry&)> callback);
  Subscription follow_output(std::function<void(const OutputLine&)> callback);

  std::uint64_t dropped() const { return writer_.dropped(); }  // log lines
  std::uint64_t written(pool::Level level) const;              // log lines, dropped ones included

 private:
  struct PoolOutput {
    std::deque<OutputLine> lines;
    std::size_t bytes = 0;
  };
  void keep(const OutputLine& output);
  void write(pool::Level level, const std::string& line);

  std::atomic<Format> format_;
  std::atomic<pool::Level> level_;
  LogWriter writer_;
  std::array<std::atomic<std::uint64_t>, 3> written_{};
  Followers<Entry> followers_;
  Followers<OutputLine> output_followers_;

  mutable std::mutex mutex_;  // what follows
  std::uint64_t last_sequence_ = 0;
  std::uint64_t last_output_ = 0;
  std::deque<Entry> entries_;
  std::map<std::string, PoolOutput> output_;
};

}  // namespace poolwarden::journal
