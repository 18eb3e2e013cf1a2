// One worker as the gateway reaches it: its address, and connections to it that wait for a request.

#pragma once

#include <sys/socket.h>

#include <boost/beast/core/flat_buffer.hpp>
#include <memory>
#include <optional>
#include <vector>

#include "dispatch/request_outcome.h"
#include "dispatch/words.h"
#include "gateway/client.h"
#include "gateway/cut_requests.h"
#include "gateway/io.h"
#include "link/scoreboard.h"
#include "worker/worker_state.h"

namespace poolwarden::gateway {

// No request is given to a worker that has it.
struct DrainMark {
  dispatch::LossCause cause{};
  TimePoint since{};
  std::optional<Duration> tunnel_limit;
  std::uint32_t number = 0;  // told back when it is drained
  bool break_reported = false;
};

struct WorkerConnection {
  explicit WorkerConnection(asio::io_context& io) : socket(io), inbox(kInboxLimit) {}

  Socket socket;
  boost::beast::flat_buffer inbox;
  TimePoint idle_since{};
};

class Upstream {
 public:
  Upstream(asio::io_context& io, worker::WorkerId id, const worker::Endpoint& endpoint,
           link::WorkerRow& row);

  // One that the worker has not closed meanwhile; null when there is none.
  std::unique_ptr<WorkerConnection> take_idle();
  void give_back(std::unique_ptr<WorkerConnection> connection, TimePoint now);
  void close_idle() { idle_.clear(); }
  void close_stale(TimePoint now);  // those that nobody has used for long, or the worker has closed

  // Sets `connection` up; the endpoint is one that can be understood or this fails.
  Task<error_code> connect(WorkerConnection& connection);

  worker::WorkerId id() const { return id_; }
  link::WorkerRow& row() const { return row_; }
  dispatch::Transport transport() const { return transport_; }
  asio::io_context& io() const { return io_; }

  // What the supervisor says of it, and what it was told.
  std::optional<DrainMark> mark;
  std::optional<TimePoint> gone_since;
  bool abandoned = false;  // gone, and what it has in flight is cut
  bool drain_reported = false;
  TimePoint timeout_reported{};  // last
  CutRequests cut_requests;
  void come_back();  // as one that serves

  unsigned leases = 0;
  unsigned tunnels = 0;  // of them
  bool tunnels_are_over(TimePoint now) const;

 private:
  asio::io_context& io_;
  worker::WorkerId id_;
  link::WorkerRow& row_;
  dispatch::Transport transport_ = dispatch::Transport::Unix;
  sockaddr_storage address_{};
  socklen_t address_size_ = 0;                           // 0: the endpoint is no address
  std::vector<std::unique_ptr<WorkerConnection>> idle_;  // used last, last
};

}  // namespace poolwarden::gateway
