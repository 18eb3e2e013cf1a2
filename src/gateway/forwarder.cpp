#include "gateway/forwarder.h"

#include <sys/socket.h>

#include "gateway/sending.h"
#include "gateway/tunnel.h"

namespace poolwarden::gateway {

Forwarder::Forwarder(Passage passage, Request& request) : at_(passage), request_(request) {}

Task<dispatch::AttemptEnd> Forwarder::run() {
  connection_ = at_.upstream.take_idle();
  if (connection_ == nullptr) {
    const bool connected = co_await open_connection();
    if (!connected) co_return judge(End::ConnectFailed);
  }

  std::optional<End> end = co_await send_beginning();
  if (!end) {
    if (!request_.body.done() && !send_failed_) start_pump();
    end = co_await relay_response();
    if (pumping_) co_await stop_pump();
  }
  if (end == End::Answered && is_reusable()) {
    at_.upstream.give_back(std::move(connection_), at_.client.now);
  }
  connection_.reset();
  co_return judge(*end);
}

Task<bool> Forwarder::open_connection() {
  connection_ = std::make_unique<WorkerConnection>(at_.upstream.io());
  connect_deadline_ = at_.client.now + kConnectLimit;
  const error_code error = co_await at_.upstream.connect(*connection_);
  connect_deadline_ = TimePoint::max();
  if (!error) at_.gate.reached(at_.upstream.id());
  co_return !error;
}

void Forwarder::cut() {
  if (connection_ == nullptr || !connection_->socket.is_open()) return;
  ::shutdown(connection_->socket.native_handle(), SHUT_RDWR);
}

void Forwarder::sweep(TimePoint now) {
  const Upstream& upstream = at_.upstream;
  if (tunnel_) {
    if (!upstream.tunnels_are_over(now)) return;
    return running_tunnel_ != nullptr ? running_tunnel_->end() : cut();
  }
  if (connect_deadline_ <= now || upstream.abandoned) return cut();
  const bool waits_for_nobody =
      upstream.gone_since && request_.status == 0 && now - *upstream.gone_since >= kGoneGrace;
  if (!waits_for_nobody) return;
  // A listening socket that outlived its worker keeps such connections open.
  never_accepted_ = true;
  cut();
}

// The head, what an earlier attempt has sent of the body, and what has come of it since, in one go.
Task<std::optional<dispatch::AttemptEnd>> Forwarder::send_beginning() {
  Pieces out;
  out.add(request_.head);
  const std::size_t already_kept = request_.kept.size();
  std::string replayed;  // keeping more may move what is kept
  if (already_kept != 0) {
    replayed = request_.kept;
    out.add(replayed);
  }
  Pieces body;
  std::size_t used = 0;
  if (!request_.body.done() && at_.client.inbox.size() != 0 && !take_body(body, used)) {
    co_return End::BadBody;
  }
  out.add(body);

  const std::size_t all = out.bytes();
  error_code error = send_now(connection_->socket, out);
  if (error == boost::system::errc::operation_would_block) {
    error = co_await send_all(connection_->socket, out);
  }
  at_.client.inbox.consume(used);
  refused_at_send_ = error && out.bytes() == all;
  send_failed_ = bool(error);
  if (!error && request_.expects_continue) co_await invite_body();
  co_return std::nullopt;
}

// A client that waits for it is asked for its body only now that a worker is there to take it.
Task<> Forwarder::invite_body() {
  request_.expects_continue = false;
  if (request_.body.done() || at_.client.inbox.size() != 0) co_return;
  Pieces out;
  out.add("HTTP/1.1 100 Continue\r\n\r\n");
  co_await send_to_client(at_.client, out);
}

// Why the sweeper cut the connection is why the attempt ended.
dispatch::AttemptEnd Forwarder::judge(End end) const {
  if (end == End::Answered) return end;
  switch (at_.client.cut) {
    case Cut::None:
      return end;
    case Cut::RequestTimeout:
      return End::TimedOut;
    case Cut::ClientStalled:
      return End::ClientStalled;
    case Cut::BadBody:
      return End::BadBody;
    case Cut::Idle:
    case Cut::HeadTimeout:
    case Cut::WriteStalled:
    case Cut::ClientGone:
    case Cut::LingerOver:
    case Cut::Abandoned:
      return End::ClientAborted;
  }
  return end;
}

bool Forwarder::is_reusable() const {
  return worker_keeps_alive_ && !tunnel_ && !send_failed_ && request_.body.done() &&
         response_body_.framing() != Framing::UntilEof && connection_->inbox.size() == 0;
}

void Forwarder::touch() {
  // Not the time of the last sweep: short deadlock limits are judged by it.
  const auto since_boot = Clock::now().time_since_epoch();
  const auto nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(since_boot);
  at_.upstream.row().last_response.store(static_cast<std::uint64_t>(nanoseconds.count()),
                                         std::memory_order_relaxed);
}

}  // namespace poolwarden::gateway
