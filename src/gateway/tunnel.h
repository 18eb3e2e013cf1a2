// Bytes both ways between a client and a worker after 101 Switching Protocols, until both have
// closed their side or one of them fails.

#pragma once

#include <functional>

#include "gateway/client.h"
#include "gateway/io.h"
#include "gateway/upstream.h"
#include "link/scoreboard.h"

namespace poolwarden::gateway {

class Tunnel {
 public:
  Tunnel(Client& client, WorkerConnection& worker, link::PoolRow& row)
      : client_(client), worker_(worker), row_(row) {}

  // `worker_spoke` is called for all that comes from the worker.
  Task<> run(std::function<void()> worker_spoke);

  // Ends it in good order: what the worker has sent is passed on, then both sides are closed. Said
  // again, it does not wait for a client that takes nothing.
  void end();

 private:
  struct Direction {
    Socket& from;
    Socket& to;
    boost::beast::flat_buffer& inbox;
    link::Cell& bytes;
    const std::function<void()>* seen;  // null: nobody wants to know
  };
  Task<> carry(Direction way);
  void give_up(const Direction& way);
  void tear_down();
  void note_progress();

  Client& client_;
  WorkerConnection& worker_;
  link::PoolRow& row_;
  bool half_closed_ = false;
  bool ending_ = false;
};

}  // namespace poolwarden::gateway
