#include "process/child_process.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>

#include "loop/unique_fd.h"
#include "process/child_step.h"
#include "process/launcher.h"
#include "process/preflight.h"

namespace poolwarden::process {
namespace asio = boost::asio;

using Executor = asio::io_context::executor_type;
using Process = boost::process::v2::basic_process<Executor>;

struct ChildProcess::Parts {
  Parts(KnownPids known_pids, LaunchPlan launch_plan, Process started,
        asio::posix::stream_descriptor pipe)
      : known(std::move(known_pids)),
        plan(std::move(launch_plan)),
        process(std::move(started)),
        report(std::move(pipe)),
        pid(process.id()) {
    known.add(pid);
  }

  KnownPids known;
  LaunchPlan plan;
  Process process;
  asio::posix::stream_descriptor report;
  pid_t pid;
  LastStatus last;
  bool taken = false;  // its status: the pid is no longer ours
};

namespace {

constexpr std::chrono::milliseconds kFirstLook{1};
constexpr std::chrono::milliseconds kLastLook{100};

// A process whose pidfd or pipe cannot be watched must not stay behind.
Error put_down(pid_t pid, const std::exception& problem) {
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  return {std::make_error_code(std::errc::too_many_files_open),
          std::string("cannot watch a child: ") + problem.what()};
}

// Returns when it has ended, with its status still to be taken, which async_wait() does at once.
asio::awaitable<void> wait_for_zombie(const Executor& executor, pid_t pid) {
  loop::UniqueFd watched(static_cast<int>(::syscall(SYS_pidfd_open, static_cast<long>(pid), 0L)));
  if (!watched) co_return;
  asio::posix::stream_descriptor end(executor);
  boost::system::error_code failed;
  end.assign(watched.get(), failed);
  if (failed) co_return;
  watched.release();
  co_await end.async_wait(asio::posix::descriptor_base::wait_read,
                          asio::as_tuple(asio::use_awaitable));
}

bool has_status(pid_t pid) {
  siginfo_t found{};
  return ::waitid(P_PID, static_cast<id_t>(pid), &found, WEXITED | WNOWAIT | WNOHANG) < 0 ||
         found.si_pid == pid;
}

// A tracer gets the status before the parent (ptrace(2)), and may take its time: a debugger waits
// for its user. async_wait() would wait in the kernel for it, and everything with it.
asio::awaitable<void> wait_for_tracer(const Executor& executor, pid_t pid) {
  asio::steady_timer timer(executor);
  for (auto pause = kFirstLook; !has_status(pid); pause = std::min(pause * 2, kLastLook)) {
    timer.expires_after(pause);
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

}  // namespace

ChildProcess::ChildProcess(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

ChildProcess::~ChildProcess() {
  if (parts_->taken) return;
  const pid_t pid = parts_->pid;
  KnownPids known = parts_->known;
  parts_.reset();  // kills and waits
  known.remove(pid);
}

Result<std::unique_ptr<ChildProcess>> ChildProcess::start(asio::io_context& io,
                                                          const KnownPids& known,
                                                          const LaunchPlan& plan) {
  Launcher launcher(plan);
  try {
    auto process = launcher(io.get_executor());
    if (!process) return process.error();
    asio::posix::stream_descriptor report(io);
    report.assign(launcher.take_report().release());
    return std::unique_ptr<ChildProcess>(new ChildProcess(
        std::make_unique<Parts>(known, plan, std::move(*process), std::move(report))));
  } catch (const std::exception& problem) {
    if (launcher.pid <= 0) return failure(std::string("cannot clone: ") + problem.what());
    return put_down(launcher.pid, problem);
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
  co_await wait_for_zombie(parts_->process.get_executor(), parts_->pid);
  co_await wait_for_tracer(parts_->process.get_executor(), parts_->pid);
  parts_->last = last_status(parts_->pid);
  co_await parts_->process.async_wait(asio::as_tuple(asio::use_awaitable));
  // What async_wait itself tells has `exit 9` and `kill -9` look the same.
  const int status = parts_->process.native_exit_code();
  parts_->taken = true;
  // Its destructor would signal whoever has the pid by then.
  parts_->process.detach();
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
