#include "cli/hand_wait.h"

#include <algorithm>

#include "loop/notifier.h"

namespace poolwarden::cli {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds kGlance{200};  // whether anybody still goes on

}  // namespace

struct HandWait::Outcome {
  Outcome(asio::io_context& io, std::shared_ptr<int> counter)
      : arrived(io), given_up(std::move(counter)) {}

  loop::Notifier arrived;
  std::shared_ptr<int> given_up;
  std::optional<std::string> complaint;
  bool is_given_up = false;
};

HandWait::HandWait(asio::io_context& io, std::shared_ptr<int> given_up)
    : outcome_(std::make_shared<Outcome>(io, std::move(given_up))) {}

std::function<void(const std::string& complaint)> HandWait::ended() const {
  return [outcome = outcome_](const std::string& complaint) {
    if (outcome->is_given_up) --*outcome->given_up;
    outcome->complaint = complaint;
    outcome->arrived.notify();
  };
}

asio::awaitable<std::optional<std::string>> HandWait::complaint(TimePoint end,
                                                                std::function<bool()> goes_on) {
  const auto outcome = outcome_;
  while (!outcome->complaint && Clock::now() < end && goes_on())
    co_await outcome->arrived.wait_until(std::min(end, Clock::now() + kGlance));
  if (!outcome->complaint) {
    outcome->is_given_up = true;
    ++*outcome->given_up;
  }
  co_return outcome->complaint;
}

}  // namespace poolwarden::cli
