// One client's connection from accept to close: reads one request after the other, has each of them
// answered by a worker of its pool or by the gateway itself, in order.

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "dispatch/pool_dispatch.h"
#include "gateway/client.h"
#include "gateway/forwarder.h"
#include "gateway/head_scanner.h"
#include "gateway/pool_gate.h"
#include "gateway/request.h"
#include "gateway/request_head.h"
#include "gateway/request_ids.h"
#include "gateway/response_head.h"
#include "gateway/router.h"
#include "gateway/session_table.h"
#include "link/scoreboard.h"

namespace poolwarden::gateway {

// What all sessions share.
struct Surroundings {
  asio::io_context& io;
  Router& router;
  SessionTable& sessions;
  link::Scoreboard& board;
  RequestIds ids = {};
  std::uint64_t last_ticket = 0;
  RequestHead request_head = {};    // scratch, never used across a suspension
  ResponseHead response_head = {};  // the same
};

class Session final : private Waiter {
 public:
  Session(Surroundings& around, Socket socket, std::string address, link::ListenerRow& listener);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  Task<> run();

  // What the sweep asks and does.
  void sweep(TimePoint now);
  bool watches_client() const;  // it is the worker's or the queue's turn
  bool is_tunnel() const;
  int client_socket() { return client_.socket.native_handle(); }
  void cut(Cut why);
  void quiesce();

  std::size_t place = 0;  // in the SessionTable

 private:
  using End = dispatch::AttemptEnd;

  // Reading a request (session.cpp). False: the connection is to be closed.
  Task<bool> serve_request();
  Task<std::optional<HeadError>> read_head(bool& closed);
  Duration first_byte_limit() const;
  Task<bool> read_more(Duration limit, Cut reason);
  PoolGate* prepare_request();
  bool has_come();
  Task<> close_gently();
  Task<bool> reject(HeadError error);

  // Having it answered (session_request.cpp).
  void take_ticket();
  Task<bool> have_answered(PoolGate& gate);
  PoolGate* find_successor(const PoolGate& gate) const;
  Task<std::optional<dispatch::Admission>> wait_in_queue(PoolGate& gate);
  Task<End> attempt(PoolGate& gate, const dispatch::Lease& lease);
  dispatch::Replay replay_after(End end, dispatch::Transport transport) const;
  bool is_lost(End end) const;
  void count_failure(link::PoolRow& row, End end);
  Task<bool> conclude(PoolGate& gate, End end);
  Task<bool> refuse(PoolGate& gate, dispatch::Refused refused);

  // Answers of the gateway's own (session_answer.cpp).
  struct OwnAnswer {
    int status = 0;
    dispatch::Reason reason = dispatch::Reason::BadRequest;
    std::string_view sentence;
    std::optional<std::uint32_t> retry_after_seconds = {};
  };
  Task<bool> answer(link::PoolRow& row, OwnAnswer own);
  Task<bool> drain_small_body();
  void count_request(link::PoolRow& row, int status);
  void reset_connection();

  // Waiter.
  void handed_over(dispatch::Lease lease) override;
  void refused(const dispatch::Refused& refused) override;
  void client_left() override;
  bool client_has_left() const override;
  void wake();

  Surroundings& around_;
  Client client_;
  link::ListenerRow& listener_;
  HeadScanner scanner_;
  Request request_;
  bool first_request_ = true;
  bool awaits_request_ = false;  // and has not a byte of it
  bool linger_ = false;          // what the client still sends must not reset its last answer

  PoolGate* queued_in_ = nullptr;
  std::optional<dispatch::Admission> verdict_;
  std::optional<Timer> wake_;
  Forwarder* forwarder_ = nullptr;
  TimePoint request_deadline_ = TimePoint::max();
};

// Runs `session` to its end.
Task<> run_session(std::unique_ptr<Session> session);

}  // namespace poolwarden::gateway
