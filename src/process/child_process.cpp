#include "process/child_process.h"

#include <poll.h>
#include <sys/wait.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>

#include "process/child_step.h"
#include "process/launcher.h"
#include "process/preflight.h"

namespace poolwarden::process {
namespace asio = boost::asio;

using Descriptor = asio::posix::stream_descriptor;

struct ChildProcess::Parts {
  Parts(KnownPids known_pids, LaunchPlan launch_plan, pid_t child, Descriptor process,
        Descriptor pipe)
      : known(std::move(known_pids)),
        plan(std::move(launch_plan)),
        pid(child),
        pidfd(std::move(process)),
        report(std::move(pipe)) {
    known.add(pid);
  }

  KnownPids known;
  LaunchPlan plan;
  pid_t pid;
  Descriptor pidfd;  // readable when the child has ended
  Descriptor report;
  LastStatus last;
  bool taken = false;  // its status: the pid is no longer ours
};

namespace {

constexpr std::chrono::milliseconds kShortestRest{1};
constexpr std::chrono::milliseconds kLongestRest{100};
constexpr std::chrono::duration<int, std::milli> kLastWait{200};

Descriptor watched(asio::io_context& io, loop::UniqueFd fd) {
  Descriptor made(io, fd.get());
  fd.release();
  return made;
}

// A process whose pidfd or pipe cannot be watched must not stay behind.
Error put_down(pid_t pid, const std::exception& problem) {
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  return {std::make_error_code(std::errc::too_many_files_open),
          std::string("cannot watch a child: ") + problem.what()};
}

// Not while a tracer is to see its end first (ptrace(2)).
bool has_status(pid_t pid) {
  siginfo_t found{};
  return ::waitid(P_PID, static_cast<id_t>(pid), &found, WEXITED | WNOWAIT | WNOHANG) < 0 ||
         found.si_pid == pid;
}

}  // namespace

ChildProcess::ChildProcess(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

// One that a disk holds does not end, and is left to whoever reaps strangers.
ChildProcess::~ChildProcess() {
  if (parts_->taken) return;
  ::kill(parts_->pid, SIGKILL);
  pollfd end{parts_->pidfd.native_handle(), POLLIN, 0};
  ::poll(&end, 1, kLastWait.count());
  ::waitpid(parts_->pid, nullptr, WNOHANG);
  parts_->known.remove(parts_->pid);
}

Result<std::unique_ptr<ChildProcess>> ChildProcess::start(asio::io_context& io,
                                                          const KnownPids& known,
                                                          const LaunchPlan& plan) {
  auto launched = launch(plan);
  if (!launched) return launched.error();
  try {
    auto pidfd = watched(io, std::move(launched->pidfd));
    auto report = watched(io, std::move(launched->report));
    return std::unique_ptr<ChildProcess>(new ChildProcess(
        std::make_unique<Parts>(known, plan, launched->pid, std::move(pidfd), std::move(report))));
  } catch (const std::exception& problem) {
    return put_down(launched->pid, problem);
  }
}

pid_t ChildProcess::pid() const { return parts_->pid; }
const LastStatus& ChildProcess::last() const { return parts_->last; }

asio::awaitable<std::optional<diagnosis::NotStarted>> ChildProcess::started() {
  ChildReport report;
  const auto [error, count] = co_await parts_->report.async_read_some(
      asio::buffer(&report, sizeof report), asio::as_tuple(asio::use_awaitable));
  parts_->report.close();
  if (count != sizeof report) co_return std::nullopt;
  ExecFailure why{subject_of(report.step, parts_->plan)};
  if (report.step == ChildStep::Exec)
    why = explain_exec_failure(why.subject, report.error, parts_->plan);
  co_return diagnosis::NotStarted{stage_of(report.step), report.error, std::move(why.subject),
                                  why.obstacle};
}

asio::awaitable<diagnosis::ExitStatus> ChildProcess::ended() {
  asio::steady_timer rest(parts_->pidfd.get_executor());
  auto pause = kShortestRest;
  for (;;) {
    co_await parts_->pidfd.async_wait(Descriptor::wait_read, asio::as_tuple(asio::use_awaitable));
    if (has_status(parts_->pid)) break;
    // Asio has passed on what was meant for a descriptor closed before, or a tracer takes its time:
    // a debugger waits for its user. Everything else goes on meanwhile.
    rest.expires_after(pause);
    co_await rest.async_wait(asio::as_tuple(asio::use_awaitable));
    pause = std::min(pause * 2, kLongestRest);
  }
  parts_->last = last_status(parts_->pid);
  int status = 0;
  ::waitpid(parts_->pid, &status, 0);
  parts_->taken = true;
  parts_->known.remove(parts_->pid);
  co_return diagnosis::from_wait_status(status);
}

void ChildProcess::signal(int number) {
  if (!parts_->taken) ::kill(parts_->pid, number);
}

void ChildProcess::signal_group(int number) {
  if (!parts_->taken) ::kill(-parts_->pid, number);
}

}  // namespace poolwarden::process
