#include "sample/sample_worker.h"

#include <csignal>
#include <iostream>
#include <utility>

#include "loop/rethrow.h"
#include "sample/server.h"

namespace poolwarden::sample {
namespace {

using Signals = asio::basic_signal_set<Executor>;

void say(const std::string& what) { std::cout << "sample worker: " << what << std::endl; }

int complain(const Error& error) {
  std::cerr << "sample worker: " << error.message << std::endl;
  return 1;
}

Task<void> stop_on_term(Signals& signals, Server& server, SampleState& state, Timer& watchdog) {
  for (;;) {
    co_await signals.async_wait(kUseTask);
    if (!state.ignores_term) break;
    say("ignoring SIGTERM, as it was asked to");
  }
  say("stopping");
  watchdog.cancel();
  server.stop();
}

// WATCHDOG=1, twice as often as the supervisor wants to hear it; a loop that hangs says nothing.
Task<void> feed_watchdog(Timer& timer, Duration limit) {
  for (;;) {
    timer.expires_after(limit / 2);
    const auto [error] = co_await timer.async_wait(asio::as_tuple(kUseTask));
    if (error) co_return;
    (void)notify_supervisor("WATCHDOG=1");
  }
}

void keep_waiting_for_ever(asio::io_context& io) {
  say("will never be ready, as SAMPLE_NEVER_READY asks");
  io.run();
}

Result<void> start(Server& server) {
  Result<ListeningSocket> socket = open_listening_socket();
  if (!socket) return socket.error();
  const std::string described = socket->described;
  server.listen(std::move(*socket));
  say("listening on " + described);
  return notify_supervisor("READY=1\nSTATUS=serving on " + described);
}

int serve(const StartupFaults& faults) {
  asio::io_context io(1);
  SampleState state;
  state.identity = identity_from_environment();
  Server server(io, state);
  Signals signals(io, SIGTERM, SIGINT);
  if (faults.delay > Duration::zero()) {
    Timer(io, faults.delay).wait();
  }
  Timer watchdog(io);
  asio::co_spawn(io, stop_on_term(signals, server, state, watchdog), loop::rethrow);
  if (faults.never_ready) {
    keep_waiting_for_ever(io);
    return 0;
  }
  if (const Result<void> started = start(server); !started) return complain(started.error());
  if (const auto limit = watchdog_limit())
    asio::co_spawn(io, feed_watchdog(watchdog, *limit), loop::rethrow);
  io.run();
  return 0;
}

}  // namespace

int run_sample_worker() {
  const Result<StartupFaults> faults = faults_from_environment();
  if (!faults) return complain(faults.error());
  if (faults->exit_code) {
    std::cerr << "sample worker: exiting at once, as SAMPLE_EXIT_AT_START asks" << std::endl;
    return *faults->exit_code;
  }
  return serve(*faults);
}

}  // namespace poolwarden::sample
