// How a request ends: counted once, answered by the gateway where no worker did, and with the
// connection fit for another request or closed.

#include <sys/socket.h>

#include <algorithm>

#include "gateway/error_page.h"
#include "gateway/sending.h"
#include "gateway/session.h"

namespace poolwarden::gateway {
namespace {

constexpr std::size_t kSmallBody = 64 * 1024;  // read and dropped rather than closing
constexpr int kClientClosedRequest = 499;      // as nginx counts those who did not wait

// A kept connection would hold its client to this replica, when the balancer in front has others.
bool is_better_off_elsewhere(dispatch::Reason reason) {
  return reason == dispatch::Reason::RapidFail || reason == dispatch::Reason::StartFailure;
}

dispatch::Reason reason_of(dispatch::AttemptEnd end) {
  using End = dispatch::AttemptEnd;
  switch (end) {
    case End::TimedOut:
      return dispatch::Reason::RequestTimeout;
    case End::ClientStalled:
      return dispatch::Reason::ClientTimeout;
    case End::BadBody:
      return dispatch::Reason::BadRequest;
    case End::BadResponse:
      return dispatch::Reason::BadResponse;
    case End::Answered:
    case End::ConnectFailed:
    case End::RefusedAtSend:
    case End::ResetBeforeResponse:
    case End::EofBeforeResponse:
    case End::NeverAccepted:
    case End::FailedMidResponse:
    case End::ClientAborted:
      return dispatch::Reason::WorkerDied;
  }
  return dispatch::Reason::WorkerDied;
}

void add_count(link::Cell& cell, std::uint64_t count = 1) {
  if (count != 0) cell.fetch_add(count, std::memory_order_relaxed);
}

}  // namespace

// After the attempts. False: the connection is to be closed.
Task<bool> Session::conclude(PoolGate& gate, End end) {
  const bool abandoned = client_.cut == Cut::Abandoned;
  if (!abandoned) client_.cut = Cut::None;
  if (end == End::Answered) {
    count_request(gate.row(), request_.status);
    if (request_.body.done()) {
      const bool was_tunnel = request_.status == 101;
      linger_ = was_tunnel || (!request_.keep_alive && client_.inbox.size() != 0);
      co_return request_.keep_alive && !abandoned;
    }
    linger_ = true;
    if (!request_.keep_alive) co_return false;
    co_return co_await drain_small_body();
  }
  if (abandoned)
    add_count(gate.row().lost[static_cast<std::size_t>(dispatch::LossCause::Shutdown)]);
  if (request_.status != 0) {
    count_request(gate.row(), request_.status);
    // Where a response ends with its connection, only a reset tells that it is not whole.
    if (request_.minor_version == 0) reset_connection();
    co_return false;
  }
  if (end == End::ClientAborted) {
    count_request(gate.row(), kClientClosedRequest);
    co_return false;
  }
  if (end == End::BadBody || end == End::ClientStalled) request_.keep_alive = false;
  co_return co_await answer(gate.row(), {.reason = reason_of(end), .sentence = {}});
}

Task<bool> Session::refuse(PoolGate& gate, dispatch::Refused refused) {
  add_count(gate.row().rejected[static_cast<std::size_t>(refused.rejection)]);
  const bool gave_up = request_.connect_failed && refused.reason == dispatch::Reason::QueueTimeout;
  if (gave_up) {
    add_count(
        gate.row().failures[static_cast<std::size_t>(dispatch::RequestFailure::ConnectFailed)]);
  }
  const bool is_open = refused.reason == dispatch::Reason::RapidFail ||
                       refused.reason == dispatch::Reason::StartFailure;
  if (is_open && gate.resets_when_open()) {
    count_request(gate.row(), 0);
    reset_connection();
    co_return false;
  }
  co_return co_await answer(gate.row(), {.reason = refused.reason,
                                         .sentence = {},
                                         .retry_after_seconds = gate.retry_after_seconds()});
}

Task<bool> Session::reject(HeadError error) {
  client_.reading.disarm();
  client_.cut = Cut::None;
  request_.received = client_.inbox.size();
  const bool slow = error.reason == dispatch::Reason::ClientTimeout;
  const auto failure =
      slow ? dispatch::RequestFailure::ClientAborted : dispatch::RequestFailure::HeaderInvalid;
  add_count(around_.board.unrouted.failures[static_cast<std::size_t>(failure)]);
  co_await answer(around_.board.unrouted,
                  {.status = error.status, .reason = error.reason, .sentence = error.sentence});
  linger_ = true;
  co_return false;
}

Task<bool> Session::answer(link::PoolRow& row, OwnAnswer own) {
  const bool reads_rest = request_.body.done() ||
                          (request_.body.framing() == Framing::Length &&
                           request_.body.left_at_most(kSmallBody) && !request_.expects_continue);
  const bool ends = around_.sessions.last_call_made() || is_better_off_elsewhere(own.reason);
  const bool is_last = ends && client_.inbox.size() == 0;
  if (!reads_rest || is_last) request_.keep_alive = false;
  const int status = own.status != 0 ? own.status : status_of(own.reason);
  const std::string page =
      write_error_page({.status = status,
                        .reason = own.reason,
                        .sentence = own.sentence.empty() ? sentence_of(own.reason) : own.sentence,
                        .retry_after_seconds = own.retry_after_seconds,
                        .request_id = request_.id,
                        .without_body = request_.is_head,
                        .close = !request_.keep_alive,
                        .keep_alive = request_.keep_alive && request_.minor_version == 0});
  Pieces out;
  out.add(page);
  request_.sent += page.size();
  const error_code error = co_await send_to_client(client_, out);
  count_request(row, status);
  if (error) co_return false;
  linger_ = !request_.body.done() || client_.inbox.size() != 0;
  if (!request_.keep_alive) co_return false;
  co_return co_await drain_small_body();
}

// The rest of a body that nobody wants. False: it does not end soon.
Task<bool> Session::drain_small_body() {
  std::size_t budget = 2 * kSmallBody;
  while (!request_.body.done()) {
    Pieces dropped;
    client_.inbox.consume(request_.body.take(view(client_.inbox), dropped, Pieces::kMost - 2));
    if (request_.body.bad()) co_return false;
    if (request_.body.done() || client_.inbox.size() != 0) continue;
    if (budget == 0) co_return false;
    client_.reading.arm(client_.now + kStallLimit, Cut::ClientStalled);
    auto [error, count] =
        co_await client_.socket.async_read_some(client_.inbox.prepare(kReadSize), as_result);
    client_.reading.disarm();
    if (error) co_return false;
    client_.inbox.commit(count);
    request_.received += count;
    budget -= std::min(budget, count);
  }
  linger_ = false;
  co_return true;
}

void Session::count_request(link::PoolRow& row, int status) {
  add_count(row.received_bytes, request_.received);
  add_count(row.sent_bytes, request_.sent);
  if (request_.counted) return;  // a tunnel: counted as it began, and no request by its length
  request_.counted = true;
  row.count_response(status);
  const TimePoint now = Clock::now();
  const auto seconds_since = [now](TimePoint at) {
    return std::chrono::duration<double>(now - at).count();
  };
  row.request_seconds.observe(request_.began == TimePoint() ? 0 : seconds_since(request_.began),
                              dispatch::kRequestBuckets);
  if (request_.dispatched != TimePoint() && request_.status != 0) {
    row.upstream_seconds.observe(seconds_since(request_.dispatched), dispatch::kRequestBuckets);
  }
}

void Session::reset_connection() {
  const linger hard{1, 0};
  ::setsockopt(client_socket(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  linger_ = false;
}

}  // namespace poolwarden::gateway
