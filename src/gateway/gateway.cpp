#include "gateway/gateway.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

#include "gateway/link_client.h"
#include "link/scoreboard.h"
#include "loop/rethrow.h"
#include "loop/unique_fd.h"

namespace poolwarden::gateway {
namespace {

// Ctrl-C reaches every process of the terminal; what follows from it, the supervisor decides.
void leave_signals_to_supervisor() {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGPIPE}) ::signal(signal, SIG_IGN);
}

// A request that is served takes two descriptors, one that waits takes one: all that we may have.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

void say(const std::string& sentence) {
  std::fprintf(stderr, "poolwarden gateway: %s\n", sentence.c_str());
}

}  // namespace

int run_gateway(int link_fd, int scoreboard_fd) {
  leave_signals_to_supervisor();
  ::prctl(PR_SET_DUMPABLE, 0);
  raise_descriptor_limit();
  loop::UniqueFd link(link_fd);
  const loop::UniqueFd scoreboard(scoreboard_fd);
  const Result<link::ScoreboardMap> board = link::ScoreboardMap::open_for_writing(scoreboard.get());
  if (!board) {
    say(board.error().message);
    return 1;
  }
  board->writable().reset_gauges();

  asio::io_context io{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE};
  LinkClient client(io, std::move(link), board->writable());
  asio::co_spawn(io, client.run(), loop::rethrow);
  try {
    io.run();
  } catch (const std::exception& failure) {
    // Nothing is left in a state to go on from; another gateway will take over.
    say(failure.what());
    std::_Exit(1);
  }
  if (const std::optional<Error> error = client.error()) {
    say(error->message);
    return 1;
  }
  return 0;
}

}  // namespace poolwarden::gateway
