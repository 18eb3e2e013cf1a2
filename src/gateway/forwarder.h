// One attempt to have a request answered by a worker: its connection, the request's way there, the
// response's way back. Both ways run at the same time, for a worker may answer before it has read
// all, and neither holds more than a buffer of a body.

#pragma once

#include <memory>
#include <optional>
#include <string>

#include "dispatch/request_outcome.h"
#include "gateway/client.h"
#include "gateway/head_scanner.h"
#include "gateway/pool_gate.h"
#include "gateway/request.h"
#include "gateway/response_head.h"
#include "gateway/upstream.h"

namespace poolwarden::gateway {

class Tunnel;

// What an attempt needs beside the request.
struct Passage {
  Client& client;
  PoolGate& gate;
  Upstream& upstream;
  ResponseHead& head;     // scratch, never used across a suspension
  const bool& last_call;  // connections are not kept for another request
};

class Forwarder {
 public:
  Forwarder(Passage passage, Request& request);
  Forwarder(const Forwarder&) = delete;
  Forwarder& operator=(const Forwarder&) = delete;

  Task<dispatch::AttemptEnd> run();

  // Ends the connection to the worker; run() returns soon after.
  void cut();
  bool is_tunnel() const { return tunnel_; }
  // Ends what its worker will do nothing about any more.
  void sweep(TimePoint now);

 private:
  using End = dispatch::AttemptEnd;

  Task<bool> open_connection();
  Task<std::optional<End>> send_beginning();
  Task<> invite_body();

  // The request's body (request_body.cpp).
  bool take_body(Pieces& out, std::size_t& used);
  void start_pump();
  Task<> pump_body();
  Task<bool> read_from_client();
  Task<> stop_pump();

  // The response (response_relay.cpp).
  Task<End> relay_response();
  Task<std::optional<End>> read_head();
  enum class Head { Malformed, Final, Passed, Dropped };
  Head take_head();
  Task<End> relay_body();
  Task<error_code> read_from_worker();
  End end_before_head(error_code error) const;
  void begin_client_head();
  Task<error_code> send(Pieces& out);
  Task<End> run_tunnel();

  End judge(End end) const;
  bool is_reusable() const;
  void touch();

  Passage at_;
  Request& request_;
  std::unique_ptr<WorkerConnection> connection_;
  TimePoint connect_deadline_ = TimePoint::max();
  bool refused_at_send_ = false;
  bool send_failed_ = false;
  bool never_accepted_ = false;

  bool pumping_ = false;
  bool stop_pump_ = false;
  std::optional<Timer> pump_ended_;  // cancelled when it has
  ChunkFrame request_frame_;

  HeadScanner scanner_;
  bool response_began_ = false;
  bool worker_keeps_alive_ = false;
  bool chunked_to_client_ = false;
  bool tunnel_ = false;
  Tunnel* running_tunnel_ = nullptr;
  BodyReader response_body_;
  ChunkFrame response_frame_;
  std::string client_head_;
};

}  // namespace poolwarden::gateway
