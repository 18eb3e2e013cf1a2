#include "process/oom_ledger.h"

namespace poolwarden::process {
namespace {

// A large process takes its time to die once it has been struck.
constexpr Duration kNews = std::chrono::seconds(10);
constexpr std::size_t kRemembered = 1024;

}  // namespace

OomLedger::OomLedger(std::function<std::optional<std::uint64_t>()> count)
    : count_(std::move(count)), seen_(count_().value_or(0)) {}

void OomLedger::look(TimePoint now) {
  const std::uint64_t kills = count_().value_or(seen_);
  for (; seen_ < kills; ++seen_) {
    unexplained_.push_back(now);
    if (unexplained_.size() > kRemembered) unexplained_.pop_front();
  }
  while (!unexplained_.empty() && now - unexplained_.front() > kNews) unexplained_.pop_front();
}

bool OomLedger::claim(TimePoint now) {
  look(now);
  if (unexplained_.empty()) return false;
  unexplained_.pop_front();
  return true;
}

}  // namespace poolwarden::process
