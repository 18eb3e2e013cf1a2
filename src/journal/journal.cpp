#include "journal/journal.h"

#include <algorithm>
#include <memory>

#include "journal/certificate_bounds.h"

namespace poolwarden::journal {
namespace {

template <typename T>
std::vector<T> newest(const std::deque<T>& all, std::size_t at_most) {
  const std::size_t count = std::min(at_most, all.size());
  return {all.end() - static_cast<std::ptrdiff_t>(count), all.end()};
}

void keep_little(std::shared_ptr<const diagnosis::Certificate>& certificate) {
  if (certificate)
    certificate = std::make_shared<const diagnosis::Certificate>(without_lists(*certificate));
}

// A thousand of them are kept: the rest is where certificates are kept.
pool::Event to_be_kept(pool::Event event) {
  if (auto* end = std::get_if<pool::ExitDetails>(&event.details)) keep_little(end->certificate);
  if (auto* later = std::get_if<pool::PostMortemDetails>(&event.details))
    keep_little(later->certificate);
  return event;
}

}  // namespace

Journal::Journal(const JournalSettings& settings)
    : format_(settings.format), level_(settings.level), writer_(settings.fd) {}

void Journal::record(const pool::Event& event) {
  Entry entry{.sequence = 0, .at = WallClock::now(), .event = to_be_kept(event)};
  {
    std::lock_guard lock(mutex_);
    entry.sequence = ++last_sequence_;
    entries_.push_back(entry);
    if (entries_.size() > kEventsKept) entries_.pop_front();
  }
  const pool::Level level = pool::level_of(event);
  if (event.logged && level >= level_.load()) write(level, log_line(format_, entry));
  followers_.tell(entry);
}

void Journal::record_output(OutputLine output) {
  if (output.line.size() > kLongestLine) {
    output.line.resize(kLongestLine);
    output.line += " (cut)";
  }
  output.at = WallClock::now();
  {
    std::lock_guard lock(mutex_);
    output.sequence = ++last_output_;
    keep(output);
  }
  write(pool::Level::Info, log_line(format_, output));
  output_followers_.tell(output);
}

void Journal::keep(const OutputLine& output) {
  PoolOutput& kept = output_[output.pool];
  kept.lines.push_back(output);
  kept.bytes += output.line.size();
  while (kept.lines.size() > kLinesKept || kept.bytes > kOutputBytesKept) {
    kept.bytes -= kept.lines.front().line.size();
    kept.lines.pop_front();
  }
}

void Journal::log(pool::Level level, std::string_view message) {
  if (level >= level_.load()) write(level, log_line(format_, WallClock::now(), level, message));
}

void Journal::write(pool::Level level, const std::string& line) {
  ++written_[static_cast<std::size_t>(level)];
  writer_.write(line);
}

void Journal::forget_output(const std::string& pool) {
  std::lock_guard lock(mutex_);
  output_.erase(pool);
}

std::vector<Entry> Journal::recent(std::size_t at_most, std::uint64_t after) const {
  std::lock_guard lock(mutex_);
  const std::uint64_t newer = last_sequence_ - std::min(after, last_sequence_);
  return newest(entries_, std::min<std::uint64_t>(at_most, newer));
}

std::vector<OutputLine> Journal::output(const std::string& pool, std::size_t at_most) const {
  std::lock_guard lock(mutex_);
  const auto found = output_.find(pool);
  if (found == output_.end()) return {};
  return newest(found->second.lines, at_most);
}

Subscription Journal::follow(std::function<void(const Entry&)> callback) {
  return followers_.follow(std::move(callback));
}

Subscription Journal::follow_output(std::function<void(const OutputLine&)> callback) {
  return output_followers_.follow(std::move(callback));
}

std::uint64_t Journal::written(pool::Level level) const {
  return written_[static_cast<std::size_t>(level)];
}

}  // namespace poolwarden::journal
