// What goes on between a LinuxWorker's start and its end: what it says of itself, what it is asked,
// what it uses, and its sleep.

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <cstring>

#include "base/units.h"
#include "loop/rethrow.h"
#include "process/linux_worker.h"
#include "process/thread_states.h"

namespace poolwarden::process {
namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds kDumpLook{50};

}  // namespace

void LinuxWorker::take_notification(const Notification& notification) {
  if (notification.ready) {
    said_ready_ = true;
    ready_timer_.cancel();  // looked at now, not at the next probe
  }
  if (notification.watchdog && assignment_.watch.watchdog && callbacks_.pinged)
    callbacks_.pinged(worker::PingAnswer{});
  if (notification.unhealthy && callbacks_.unhealthy) callbacks_.unhealthy(*notification.unhealthy);
  if (notification.status) tell_status(*notification.status);
  if (notification.error_number) {
    const int number = *notification.error_number;
    tell_status("reports errno " + std::to_string(number) + " (" + std::strerror(number) + ")");
  }
  if (notification.stopping) tell_status("is stopping");
}

void LinuxWorker::tell_status(const std::string& text) {
  if (callbacks_.status) callbacks_.status(text);
}

void LinuxWorker::start_watching() {
  const worker::Watch& watch = assignment_.watch;
  if (leaving_) return;
  if (watch.ping_path && assignment_.speaks_http) {
    const auto note = [this, path = *watch.ping_path](const HttpAnswer& answer) {
      probes_.add(path, answer);
    };
    pinger_.emplace(around_->io, PingPlan{*watch.ping_path, watch.ping_interval, watch.ping_timeout,
                                          callbacks_.ping_sent, callbacks_.pinged, note});
    pinger_->start(endpoint());
  }
  if (watch.memory) watch_memory(*watch.memory);
}

void LinuxWorker::watch_memory(std::uint64_t mark) {
  if (!callbacks_.memory_high) return;
  // Where there is none one has to ask usage() from time to time, as one does anyway.
  if (auto notice = leaf_.open_memory_notice(mark)) {
    alarm_ = MemoryAlarm::start(around_->io, std::move(*notice), [this] {
      if (!suspended_) callbacks_.memory_high();  // it is told of memory that is given back, too
    });
  }
  // The kernel tells only of what passes the mark from now on.
  if (leaf_.working_set().value_or(0) >= mark) callbacks_.memory_high();
}

void LinuxWorker::stop_watching() {
  pinger_.reset();
  if (alarm_) alarm_->stop();
  alarm_.reset();
}

Result<void> LinuxWorker::suspend() {
  if (!child_ || ended_) return failure("cannot suspend a worker that does not run");
  if (suspended_) return {};
  if (auto begun = suspension_.begin(tree_); !begun)
    return begun.error().because("cannot suspend a worker");
  suspended_ = true;
  if (pinger_) pinger_->stop();
  return {};
}

void LinuxWorker::resume() {
  if (!std::exchange(suspended_, false)) return;
  suspension_.end(tree_);
  if (pinger_) pinger_->start(endpoint());
}

void LinuxWorker::leave() {
  leaving_ = true;
  pinger_.reset();
}

void LinuxWorker::ask_to_stop() {
  leave();
  signal(settings_.stop.signal);
}

void LinuxWorker::signal(int number) {
  if (!child_) return;
  suspension_.end(tree_);  // while frozen it would not take it
  child_->signal(number);
}

void LinuxWorker::look_for_trouble() {
  if (child_ && !ended_ && !suspended_ && leaf_.exists())
    recent_.look(leaf_.trouble(), Clock::now());
}

// The process itself first: what it started may be many.
void LinuxWorker::examine() {
  if (!child_ || ended_) return;
  std::vector<pid_t> all = members();
  std::erase(all, child_->pid());
  all.insert(all.begin(), child_->pid());
  threads_ = thread_states(all);
}

void LinuxWorker::kill() {
  leave();
  kill_sent_ = true;
  if (!child_) return;
  suspension_.forget();
  if (!is_dumping_core(child_->pid())) return kill_now();
  if (std::exchange(kill_awaits_core_, true)) return;
  asio::co_spawn(around_->io, kill_after_core(), loop::rethrow);
}

void LinuxWorker::kill_now() {
  tree_.kill();
  // It may not have entered its cgroup yet.
  child_->signal(SIGKILL);
}

// All but the one that dumps: the kernel goes on with that.
void LinuxWorker::kill_others() const {
  for (const pid_t pid : tree_.members())
    if (pid != child_->pid()) ::kill(pid, SIGKILL);
}

void LinuxWorker::wait_no_longer() { dump_timer_.cancel(); }

// A core file that is cut off tells nothing, and it ends by itself when it is written.
asio::awaitable<void> LinuxWorker::kill_after_core() {
  const auto self = shared_from_this();
  const TimePoint limit = Clock::now() + kLongestDump;
  while (!ended_ && !*around_->is_ending && is_dumping_core(child_->pid()) &&
         Clock::now() < limit) {
    kill_others();  // one of them may have forked meanwhile
    dump_timer_.expires_after(kDumpLook);
    co_await dump_timer_.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  if (ended_) co_return;
  if (is_dumping_core(child_->pid())) {
    departed_.why_dump_cut = *around_->is_ending ? "when poolwarden itself was to end"
                                                 : "when the kernel had written at it for " +
                                                       describe_duration(kLongestDump);
    cut_dump_signal_ = signal_of_dump(child_->pid());
  }
  kill_now();
}

// Its cgroup may have been removed, too.
std::vector<pid_t> LinuxWorker::members() const {
  std::vector<pid_t> held = leaf_.members();
  return held.empty() ? around_->processes->tree_of(child_->pid(), Clock::now()) : held;
}

worker::Usage LinuxWorker::usage() const {
  if (!child_ || ended_) return {};
  const std::vector<pid_t> pids = members();
  worker::Usage usage = usage_of(pids);
  if (const auto held = leaf_.working_set()) usage.memory = held;
  if (!pids.empty()) usage.processes = pids.size();
  if (const auto used = leaf_.cpu_time()) {
    usage.cpu_time = std::chrono::microseconds(*used);
  } else {
    usage.cpu_time = cpu_time_of(pids);
  }
  if (const auto held_back = leaf_.throttled())
    usage.throttled = std::chrono::microseconds(*held_back);
  if (leaf_.exists()) usage.is_contained = !leaf_.members().empty();
  return usage;
}

bool LinuxWorker::is_traced() const { return child_ && !ended_ && tracer_of(child_->pid()) != 0; }

}  // namespace poolwarden::process
