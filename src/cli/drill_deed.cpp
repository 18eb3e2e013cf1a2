#include "cli/drill_deed.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>

#include "cli/hand_wait.h"

namespace poolwarden::cli {

namespace asio = boost::asio;

namespace {

// Slow: still for nine tenths of each round.
constexpr std::chrono::milliseconds kStill{90};
constexpr std::chrono::milliseconds kMoving{10};
constexpr std::chrono::seconds kSlowFor{3};
}  // namespace

asio::awaitable<std::string> DrillDeed::carry_out(std::function<bool()> goes_on) {
  const worker::WorkerId id = task_.worker.id;
  const std::string pid = std::to_string(task_.worker.pid);
  std::vector<std::string> words;
  std::string complaint;
  switch (task_.drill.kind) {
    case DrillKind::Segfault:
      host_.signal(id, SIGSEGV);
      break;
    case DrillKind::Abort:
      host_.signal(id, SIGABRT);
      break;
    case DrillKind::Hang:
      host_.signal(id, SIGSTOP);
      break;
    case DrillKind::Exit:
      words.push_back("exit");
      words.push_back(pid);
      words.push_back(std::to_string(task_.drill.exit_code));
      complaint = co_await use_hand(std::move(words), std::move(goes_on));
      break;
    case DrillKind::Oom:
      words.push_back("oom");
      words.push_back(pid);
      words.push_back(tools_.memory_cgroup(task_.runner->pool().settings().name, task_.worker));
      complaint = co_await use_hand(std::move(words), std::move(goes_on));
      break;
    case DrillKind::Slow:
      co_await slow_down(std::move(goes_on));
      break;
    case DrillKind::Recycle:
      const auto batch = task_.runner->recycle(task_.worker.slot, pool::RecycleReason::Manual);
      if (!batch) complaint = batch.error().message;
      break;
  }
  co_return complaint;
}

void DrillDeed::undo() {
  if (task_.drill.kind == DrillKind::Hang || task_.drill.kind == DrillKind::Slow)
    host_.signal(task_.worker.id, SIGCONT);
}

asio::awaitable<std::string> DrillDeed::use_hand(std::vector<std::string> words,
                                                 std::function<bool()> goes_on) {
  HandWait hand(io_);
  const auto started = tools_.start_hand(std::move(words), hand.ended());
  if (!started) co_return started.error().message;
  const auto complaint = co_await hand.complaint(task_.deadline, std::move(goes_on));
  if (!complaint) (*started)();  // it must not go on when nobody looks any more
  co_return complaint.value_or("the process that was to do it has not ended in time");
}

asio::awaitable<void> DrillDeed::slow_down(std::function<bool()> goes_on) {
  asio::steady_timer timer(io_);
  const TimePoint end = Clock::now() + kSlowFor;
  while (Clock::now() < end && goes_on()) {
    host_.signal(task_.worker.id, SIGSTOP);
    timer.expires_after(kStill);
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    host_.signal(task_.worker.id, SIGCONT);
    timer.expires_after(kMoving);
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

}  // namespace poolwarden::cli
