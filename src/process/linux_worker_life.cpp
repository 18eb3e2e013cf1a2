// The coroutines of LinuxWorker: what happens to a worker from its clone to its end, in order.

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>

#include "process/linux_worker.h"
#include "process/readiness.h"

namespace poolwarden::process {
namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds kFirstProbePause{5};
constexpr std::chrono::milliseconds kLongestProbePause{100};
constexpr int kRemovalTries = 20;

}  // namespace

asio::awaitable<void> LinuxWorker::live(std::function<void()> forget) {
  const auto self = shared_from_this();
  diagnosis::Evidence evidence;
  if (refused_) {
    evidence.status = *refused_;
  } else {
    evidence.status = co_await run();
  }
  ended_ = true;
  readiness_over_.emit(asio::cancellation_type::terminal);
  stop_watching();
  suspension_.forget();
  if (child_) co_await tree_.end();
  if (output_) {
    output_->drain();
    evidence.last_output = output_->last_output();
  }
  if (notify_ && child_) notify_->drain();
  evidence.oom_kills = oom_kills(evidence.status);
  evidence.memory_peak = leaf_.memory_peak();
  co_await clean_up();
  forget();
  callbacks_.exited(evidence);
}

asio::awaitable<diagnosis::ExitStatus> LinuxWorker::run() {
  output_->start();
  notify_->start([this](const Notification& notification) { take_notification(notification); });
  if (auto failed = co_await child_->started()) {
    co_await child_->ended();
    tree_.root_reaped();
    co_return *failed;
  }
  if (callbacks_.started) callbacks_.started(child_->pid());
  start_readiness();
  auto status = co_await child_->ended();
  tree_.root_reaped();
  co_return status;
}

void LinuxWorker::start_readiness() {
  const auto self = shared_from_this();
  asio::co_spawn(
      around_->io, become_ready(),
      asio::bind_cancellation_slot(readiness_over_.slot(), [self](const std::exception_ptr& error) {
        // Cancelled by the worker's end, it leaves by an exception.
        if (error && !self->ended_) std::rethrow_exception(error);
      }));
}

asio::awaitable<void> LinuxWorker::become_ready() {
  const bool at_once = std::holds_alternative<worker::WhenStarted>(settings_.ready.when);
  auto delay = kFirstProbePause;
  while (!co_await probe() || (!at_once && !open_socket())) {
    if (ended_) co_return;
    co_await pause(delay);
  }
  if (ended_) co_return;
  if (callbacks_.ready) callbacks_.ready(endpoint());
  if (ended_) co_return;
  start_watching();
  // Its socket may come later than the process.
  while (!ended_ && !open_socket()) co_await pause(delay);
}

asio::awaitable<void> LinuxWorker::pause(std::chrono::milliseconds& delay) {
  ready_timer_.expires_after(delay);
  delay = std::min(delay * 2, kLongestProbePause);
  co_await ready_timer_.async_wait(asio::as_tuple(asio::use_awaitable));
}

// A pool without HTTP has nothing to connect to, and a socket that we listen on ourselves always
// lets one connect: there the process itself is all that can be asked for.
asio::awaitable<bool> LinuxWorker::probe() {
  if (const auto* http = std::get_if<worker::WhenHttp>(&settings_.ready.when);
      http && assignment_.speaks_http)
    co_return co_await answers_http(endpoint(), http->path);
  if (std::holds_alternative<worker::WhenNotify>(settings_.ready.when)) co_return said_ready_;
  const bool can_be_asked = assignment_.speaks_http && !place_.passed;
  if (std::holds_alternative<worker::WhenConnect>(settings_.ready.when) && can_be_asked)
    co_return co_await accepts_connections(endpoint());
  co_return true;
}

bool LinuxWorker::open_socket() {
  if (!has_unix_socket() || place_.passed) return true;
  const auto opened = directory_->open_socket();
  if (opened) return true;
  const bool is_to_come = opened.error().code == std::errc::no_such_file_or_directory;
  if (!is_to_come && told_status_ != opened.error().message)
    tell_status(told_status_ = opened.error().message);
  return false;
}

// Without a cgroup of its own that counts, the container's count is all there is.
std::uint64_t LinuxWorker::oom_kills(const diagnosis::ExitStatus& status) const {
  if (const auto counted = leaf_.oom_kills()) return *counted;
  const auto* struck = std::get_if<diagnosis::Signaled>(&status);
  const bool is_unexplained = struck && struck->signal == SIGKILL && !kill_sent_;
  return is_unexplained && around_->oom_ledger->claim(Clock::now()) ? 1 : 0;
}

asio::awaitable<void> LinuxWorker::clean_up() {
  directory_.reset();
  // The kernel may still be letting go of the last member. What cannot be removed is found again
  // when the supervisor ends or starts.
  for (int tries = 0; leaf_.exists() && tries < kRemovalTries; ++tries) {
    if (leaf_.remove()) co_return;
    asio::steady_timer timer(around_->io, std::chrono::milliseconds(2));
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

}  // namespace poolwarden::process
