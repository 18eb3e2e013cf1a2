// A listening socket that the supervisor made: accepts its connections.

#pragma once

#include <boost/asio/posix/basic_descriptor.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include "gateway/io.h"
#include "gateway/session.h"
#include "link/scoreboard.h"
#include "loop/unique_fd.h"

namespace poolwarden::gateway {

class Listener {
 public:
  Listener(Surroundings& around, loop::UniqueFd socket, link::ListenerRow& row);

  // Accepts until stop().
  Task<> run();

  // Has new clients try again, while those that are about to be connected still are; stop() is due
  // when they have had their time. False: nothing can be about to be.
  bool hold_off();
  // Takes those that are connected already; from then on the socket refuses connections, whoever
  // else has it.
  void stop();
  void close();

 private:
  enum class Outcome { Accepted, NoneWaits, Exhausted };
  Outcome accept_one();

  Surroundings& around_;
  asio::posix::basic_stream_descriptor<Executor> socket_;
  link::ListenerRow& row_;
  Timer pause_;
  bool is_held_off_ = false;
};

}  // namespace poolwarden::gateway
