// One request while it is served: what must outlive the bytes of its head.

#pragma once

#include <cstdint>
#include <string>

#include "dispatch/request_outcome.h"
#include "dispatch/request_queue.h"
#include "gateway/body_reader.h"

namespace poolwarden::gateway {

inline constexpr std::size_t kReplayLimit = 64 * 1024;

struct Request {
  dispatch::Ticket ticket;
  TimePoint began{};       // its first byte
  TimePoint dispatched{};  // to the worker that has it
  std::string head;        // as workers get it
  std::string id;          // X-Request-Id
  int minor_version = 1;
  bool is_head = false;
  bool is_idempotent = false;
  bool keep_alive = false;        // the connection may serve another request
  bool expects_continue = false;  // and was not told to continue
  bool upgrades = false;

  BodyReader body;       // as it comes from the client
  bool chunked = false;  // as it goes to workers
  std::string kept;      // what has gone to a worker, for the next if that one fails
  bool body_kept = true;

  int status = 0;  // of the response that the client gets; 0 = it has not begun
  bool counted = false;
  std::uint64_t received = 0;
  std::uint64_t sent = 0;
  unsigned replays = 0;
  bool may_have_run = false;
  bool has_waited = false;
  bool connect_failed = false;

  void reset() {
    head.clear();
    id.clear();
    kept.clear();
    began = dispatched = TimePoint();
    body = BodyReader();
    minor_version = 1;
    is_head = is_idempotent = keep_alive = expects_continue = upgrades = chunked = counted = false;
    may_have_run = has_waited = connect_failed = false;
    body_kept = true;
    status = 0;
    received = sent = 0;
    replays = 0;
  }

  // Bytes of the body, framed, that go to a worker.
  void keep(const Pieces& framed) {
    if (!body_kept) return;
    if (kept.size() + framed.bytes() > kReplayLimit) {
      body_kept = false;
      kept.clear();
      return;
    }
    framed.for_each([this](std::string_view piece) { kept.append(piece); });
  }
};

}  // namespace poolwarden::gateway
