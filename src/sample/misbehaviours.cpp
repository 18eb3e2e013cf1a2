#include "sample/misbehaviours.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <iostream>
#include <limits>
#include <string>

#include "base/match.h"
#include "base/units.h"
#include "sample/crash.h"

namespace poolwarden::sample {
namespace {

constexpr std::string_view kText = "text/plain; charset=utf-8";

[[noreturn]] void sleep_for_ever() {
  for (;;) ::pause();
}

// A child of a process that is in the middle of its event loop: it must leave the signals and the
// sockets of its parent alone.
[[noreturn]] void be_a_descendant(bool own_session) {
  std::signal(SIGTERM, SIG_DFL);
  std::signal(SIGINT, SIG_DFL);
  ::close_range(3, std::numeric_limits<unsigned>::max(), 0);
  if (own_session) ::setsid();
  ::prctl(PR_SET_NAME, "sample-child");
  sleep_for_ever();
}

std::uint64_t bytes_of(const std::string& text) {
  const Result<std::optional<Size>> parsed = parse_size(text);
  if (!parsed || !*parsed) return 0;
  return std::visit(
      Match{[](Bytes bytes) { return bytes.count; }, [](Percent) { return std::uint64_t{0}; }},
      **parsed);
}

}  // namespace

Task<void> crash(Exchange& exchange, SampleState&) {
  std::cerr << "sample worker: asked to crash" << std::endl;
  die_of(exchange.parameter("signal", "SEGV"));
  co_return;
}

Task<void> leave(Exchange& exchange, SampleState&) {
  std::cerr << "sample worker: asked to exit" << std::endl;
  ::_exit(static_cast<int>(exchange.number("code", 1)));
  co_return;
}

Task<void> hang(Exchange& exchange, SampleState&) {
  if (exchange.number("all", 0) != 0) sleep_for_ever();
  Timer never(exchange.socket().get_executor(), Timer::time_point::max());
  co_await never.async_wait(kUseTask);
}

Task<void> leak(Exchange& exchange, SampleState& state) {
  const std::uint64_t size = bytes_of(exchange.parameter("bytes", "64MiB"));
  state.leaked.emplace_back(size, 'x');
  co_await exchange.answer(200, kText, "leaked " + format_bytes(size) + " more\n");
}

Task<void> reserve(Exchange& exchange, SampleState&) {
  const std::uint64_t size = bytes_of(exchange.parameter("bytes", "1GiB"));
  const void* place = ::mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (place == MAP_FAILED) {
    co_await exchange.answer(500, kText, "there is no such amount of address space\n");
    co_return;
  }
  co_await exchange.answer(200, kText, "reserved " + format_bytes(size) + " more\n");
}

Task<void> report_unhealthy(Exchange& exchange, SampleState&) {
  const Result<void> told = notify_supervisor("X_POOLWARDEN_UNHEALTHY=" +
                                              exchange.parameter("reason", "was asked to say so"));
  const unsigned code = told ? 200 : 500;
  const std::string outcome = told ? "reported\n" : told.error().message + "\n";
  co_await exchange.answer(code, kText, outcome);
}

Task<void> sicken(Exchange& exchange, SampleState& state) {
  state.sick = true;
  co_await exchange.answer(200, kText, "/healthz answers 500 from here on\n");
}

Task<void> flood(Exchange& exchange, SampleState&) {
  const std::uint64_t lines = exchange.number("lines", 1000);
  for (std::uint64_t i = 1; i <= lines; ++i) {
    std::cout << "flood line " << i << '\n';
    std::cerr << "flood error line " << i << '\n';
  }
  std::cout << std::flush;
  co_await exchange.answer(200, kText, "flooded\n");
}

Task<void> fork_descendants(Exchange& exchange, SampleState&) {
  const std::uint64_t count = std::min<std::uint64_t>(exchange.number("count", 1), 100);
  std::string pids;
  for (std::uint64_t i = 0; i < count; ++i) {
    const pid_t child = ::fork();
    if (child == 0) be_a_descendant(i % 2 == 1);
    pids += std::to_string(child) + "\n";
  }
  co_await exchange.answer(200, kText, pids);
}

Task<void> ignore_term(Exchange& exchange, SampleState& state) {
  state.ignores_term = true;
  co_await exchange.answer(200, kText, "SIGTERM is ignored from here on\n");
}

}  // namespace poolwarden::sample
