#include "process/reaper.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "loop/rethrow.h"

namespace poolwarden::process {
namespace asio = boost::asio;

Reaper::Reaper(asio::io_context& io, KnownPids known, OnStranger on_stranger)
    : io_(io),
      signals_(io, SIGCHLD),
      known_(std::move(known)),
      on_stranger_(std::move(on_stranger)) {
  known_.on_removed([this] { sweep(); });
}

Reaper::~Reaper() { known_.on_removed({}); }

void Reaper::start() { asio::co_spawn(io_, follow(), loop::rethrow); }

asio::awaitable<void> Reaper::follow() {
  for (;;) {
    // Once before the first signal, too: somebody may have ended before we listened.
    sweep();
    const auto [error, number] = co_await signals_.async_wait(asio::as_tuple(asio::use_awaitable));
    if (error) co_return;  // this object is gone
  }
}

void Reaper::sweep() {
  for (;;) {
    siginfo_t child{};
    if (::waitid(P_ALL, 0, &child, WEXITED | WNOHANG | WNOWAIT) < 0 || child.si_pid == 0) return;
    if (known_.contains(child.si_pid)) return;
    int status = 0;
    if (::waitpid(child.si_pid, &status, WNOHANG) != child.si_pid) return;
    ++strangers_;
    if (on_stranger_) on_stranger_(child.si_pid, diagnosis::from_wait_status(status));
  }
}

Result<void> become_subreaper() {
  if (::getpid() == 1) return {};
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
    return errno_error(errno, "cannot become a subreaper");
  return {};
}

}  // namespace poolwarden::process
