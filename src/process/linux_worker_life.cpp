// The coroutines of LinuxWorker: what happens to a worker from its clone to its end, in order.

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>

#include "process/leaf_use.h"
#include "process/linux_worker.h"
#include "process/readiness.h"
#include "process/thread_states.h"

namespace poolwarden::process {
namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds kFirstProbePause{5};
constexpr std::chrono::milliseconds kLongestProbePause{100};
constexpr std::chrono::seconds kToolFinishes{2};
constexpr std::size_t kMostLeftBehind = 16;

}  // namespace

asio::awaitable<void> LinuxWorker::live(std::function<void()> forget) {
  const auto self = shared_from_this();
  diagnosis::ExitStatus status;
  if (refused_) {
    status = *refused_;
  } else {
    status = co_await run();
  }
  ended_ = true;
  readiness_over_.emit(asio::cancellation_type::terminal);
  stop_watching();
  suspension_.forget();
  // Its debugger has seen the end before us, and has still to write it down.
  if (!assignment_.wrapper.empty() && !kill_sent_) co_await tree_.settle(kToolFinishes);
  std::vector<std::string> left = left_behind();
  if (child_) co_await tree_.end();
  if (output_) output_->drain();
  if (notify_ && child_) notify_->drain();
  diagnosis::Evidence evidence = gather(status);
  evidence.left_behind = std::move(left);
  const std::shared_ptr<PostMortem> mortem = post_mortem();
  co_await mortem->look(evidence);
  co_await clean_up();
  forget();
  callbacks_.exited(evidence);
  if (!evidence.is_more_to_come) co_return;
  const diagnosis::Evidence more = co_await mortem->look_longer();
  if (callbacks_.post_mortem) callbacks_.post_mortem(more);
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
  // It had ended before our kill; only its core was not written yet.
  const bool is_ours = status == diagnosis::ExitStatus(diagnosis::Signaled{SIGKILL});
  if (cut_dump_signal_ != 0 && is_ours) status = diagnosis::Signaled{cut_dump_signal_};
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
    co_return co_await asks_http(http->path);
  if (std::holds_alternative<worker::WhenNotify>(settings_.ready.when)) co_return said_ready_;
  const bool can_be_asked = assignment_.speaks_http && !place_.passed;
  if (std::holds_alternative<worker::WhenConnect>(settings_.ready.when) && can_be_asked)
    co_return co_await accepts_connections(endpoint());
  co_return true;
}

asio::awaitable<bool> LinuxWorker::asks_http(std::string path) {
  const HttpAnswer answer = co_await ask_http(endpoint(), path, kOneTry);
  if (!leaving_) probes_.add(path, answer);  // else our own kill was what cut it
  co_return answer.is_ready();
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

// All that is to be seen of it before its cgroup is removed.
diagnosis::Evidence LinuxWorker::gather(diagnosis::ExitStatus status) const {
  diagnosis::Evidence found;
  found.status = std::move(status);
  const cgroup::LeafTrouble all = leaf_.trouble();
  const cgroup::LeafTrouble recent = recent_.until(all, Clock::now());
  found.oom_kills = oom_kills(found.status);
  found.memory = memory_trouble(found.oom_kills, all, recent);
  found.pids_limit_hits = all.pids_limit_hits;
  found.recent_pids_limit_hits = recent.pids_limit_hits;
  found.memory_peak = leaf_.memory_peak();
  found.threads = threads_;
  found.protocol_breach = probes_.breach();
  found.probe = probes_.told();
  if (output_) {
    found.last_output = output_->last_output();
    found.output = output_->last_lines();
  }
  if (!child_) return found;
  found.was_cgroup_removed = is_cgroup_gone();
  const LastStatus& last = child_->last();
  found.cpu_user = last.cpu_user;
  found.cpu_system = last.cpu_system;
  const auto* struck = std::get_if<diagnosis::Signaled>(&found.status);
  const int signal = struck ? struck->signal : 0;
  found.is_over_cpu_rlimit = (signal == SIGKILL && !kill_sent_ && is_over_cpu_limit(last)) ||
                             (signal == SIGXCPU && is_over_soft_cpu_limit(last));
  found.has_file_size_rlimit = signal == SIGXFSZ && last.file_limit && last.file_limit->soft;
  return found;
}

// One of its directories, which only we are to remove.
bool LinuxWorker::is_cgroup_gone() const {
  const auto entry = leaf_.open_entry();
  return !entry && entry.error().code == std::errc::no_such_file_or_directory;
}

// The cgroup's counts, where it counts; else what the container's were claimed for. Whose limit it
// was is told by what was counted at the same time.
diagnosis::MemoryTrouble LinuxWorker::memory_trouble(std::uint64_t oom_kills,
                                                     const cgroup::LeafTrouble& all,
                                                     const cgroup::LeafTrouble& recent) const {
  using diagnosis::OomScope;
  const bool is_counted = leaf_.oom_kills().has_value();
  diagnosis::MemoryTrouble found;
  found.oom_kills = oom_kills;
  found.recent_oom_kills = is_counted ? recent.oom_kills : oom_kills;
  found.own_limit_hits = all.own_limit_hits;
  found.group_kills = all.group_kills;
  if (oom_kills == 0) return found;
  const cgroup::LeafTrouble& judged = found.recent_oom_kills > 0 ? recent : all;
  if (!is_counted) {
    found.scope = OomScope::Unknown;
  } else if (judged.own_limit_hits > 0) {
    // On v1 page cache may have filled the own limit long before the one above was met.
    const bool is_above_met = leaf_.limit_hits_above() > limit_hits_above_;
    found.scope = is_above_met ? OomScope::Unknown : OomScope::OwnLimit;
  } else {
    // On some kernels v1 counts the first hit alone.
    const bool is_unsure = all.own_limit_hits > 0 || all.limit_hits_below > 0;
    found.scope = is_unsure ? OomScope::Unknown : OomScope::Container;
  }
  return found;
}

std::shared_ptr<PostMortem> LinuxWorker::post_mortem() const {
  Departed departed = departed_;
  departed.port = place_.port;
  if (!place_.passed) departed.socket = place_.socket;
  if (child_) {
    departed.pid = child_->pid();
    departed.last = child_->last();
  }
  return std::make_shared<PostMortem>(around_->coroner, std::move(departed));
}

// Whom nobody had asked to end yet. A kill of ours makes no difference between them.
std::vector<std::string> LinuxWorker::left_behind() const {
  std::vector<std::string> found;
  if (!child_ || kill_sent_) return found;
  for (const pid_t pid : tree_.members()) {
    if (found.size() >= kMostLeftBehind) break;
    std::string name = name_of_process(pid);
    if (!name.empty()) found.push_back(std::to_string(pid) + " " + name);
  }
  return found;
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
  co_await remove_when_empty(leaf_);
}

}  // namespace poolwarden::process
