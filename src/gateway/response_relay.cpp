// How the response gets to the client.

#include <boost/asio/error.hpp>

#include "gateway/forwarder.h"
#include "gateway/sending.h"
#include "gateway/tunnel.h"

namespace poolwarden::gateway {

Task<dispatch::AttemptEnd> Forwarder::relay_response() {
  if (const std::optional<End> failed = co_await read_head()) co_return *failed;
  if (tunnel_) co_return co_await run_tunnel();
  co_return co_await relay_body();
}

// Until the final head has been taken; interim ones are passed on or dropped on the way.
Task<std::optional<dispatch::AttemptEnd>> Forwarder::read_head() {
  for (;;) {
    const HeadScanner::Found found = scanner_.scan(view(connection_->inbox));
    if (found == HeadScanner::Found::More && connection_->inbox.size() <= kMaxHead) {
      if (const error_code error = co_await read_from_worker()) co_return end_before_head(error);
      response_began_ = true;
      continue;
    }
    if (found != HeadScanner::Found::End) co_return End::BadResponse;
    const Head head = take_head();
    if (head == Head::Malformed) co_return End::BadResponse;
    if (head == Head::Final) co_return std::nullopt;
    if (head == Head::Dropped) continue;
    Pieces out;
    out.add(client_head_);
    if (co_await send(out)) co_return End::ClientAborted;
  }
}

// Uses up the head at the front of the inbox; what the client gets of it is in client_head_ then.
Forwarder::Head Forwarder::take_head() {
  const ResponseHead& head = at_.head;
  const std::string_view bytes = view(connection_->inbox).substr(0, scanner_.length());
  if (parse_response_head(bytes, at_.head)) return Head::Malformed;
  if (head.status == 101 && !request_.upgrades) return Head::Malformed;
  Head kind = Head::Final;
  if (!head.is_interim() || head.status == 101) {
    begin_client_head();
  } else {
    const bool passes = head.status != 100 && request_.minor_version == 1;
    kind = passes ? Head::Passed : Head::Dropped;
    client_head_.clear();
    if (passes) write_client_head(head, {}, client_head_);
  }
  connection_->inbox.consume(scanner_.length());
  scanner_.reset();
  return kind;
}

Task<error_code> Forwarder::read_from_worker() {
  auto [error, count] = co_await connection_->socket.async_read_some(
      connection_->inbox.prepare(kBodyReadSize), as_result);
  connection_->inbox.commit(count);
  if (count != 0) touch();
  co_return error;
}

dispatch::AttemptEnd Forwarder::end_before_head(error_code error) const {
  if (response_began_) return End::FailedMidResponse;
  if (never_accepted_) return End::NeverAccepted;
  if (refused_at_send_) return End::RefusedAtSend;
  const bool orderly = error == asio::error::eof;
  return orderly ? End::EofBeforeResponse : End::ResetBeforeResponse;
}

// Decides how the response is framed for this client, and writes its head.
void Forwarder::begin_client_head() {
  const ResponseHead& head = at_.head;
  worker_keeps_alive_ = head.keeps_alive();
  tunnel_ = head.status == 101;
  const Framing framing = body_framing(head, request_.is_head);
  response_body_ = BodyReader(framing, head.length.value_or(0));
  const bool length_unknown = framing == Framing::Chunked || framing == Framing::UntilEof;
  chunked_to_client_ = length_unknown && request_.minor_version == 1;

  const bool ends_with_close = length_unknown && !chunked_to_client_;
  const bool is_last = at_.last_call && at_.client.inbox.size() == 0;  // none is pipelined
  if (ends_with_close || is_last || tunnel_ || !request_.body.left_at_most(kReplayLimit)) {
    request_.keep_alive = false;
  }
  client_head_.clear();
  write_client_head(head,
                    {.chunked = chunked_to_client_,
                     .close = !request_.keep_alive,
                     .keep_alive = request_.keep_alive && request_.minor_version == 0,
                     .request_id = request_.id},
                    client_head_);
  request_.status = head.status;
  // From the first byte of the response on there is no other attempt.
  request_.body_kept = false;
  request_.kept.clear();
}

Task<dispatch::AttemptEnd> Forwarder::relay_body() {
  std::string_view head = client_head_;
  bool finished = response_body_.done();
  for (;;) {
    Pieces out;
    Pieces data;
    out.add(head);
    head = {};
    const std::size_t used =
        response_body_.take(view(connection_->inbox), data, ChunkFrame::kPieces + 4);
    if (response_body_.bad()) co_return End::BadResponse;
    finished = response_body_.done();
    if (chunked_to_client_) {
      response_frame_.wrap(data, finished, out);
    } else {
      out.add(data);
    }
    if (co_await send(out)) co_return End::ClientAborted;
    connection_->inbox.consume(used);
    if (finished) co_return End::Answered;
    if (connection_->inbox.size() != 0) continue;
    const error_code error = co_await read_from_worker();
    const bool is_the_end = error == asio::error::eof && response_body_.end_of_stream();
    if (error && !is_the_end) co_return End::FailedMidResponse;
  }
}

Task<error_code> Forwarder::send(Pieces& out) {
  request_.sent += out.bytes();
  error_code error = send_now(at_.client.socket, out);
  if (error == boost::system::errc::operation_would_block) {
    error = co_await send_to_client(at_.client, out);
  }
  co_return error;
}

Task<dispatch::AttemptEnd> Forwarder::run_tunnel() {
  Pieces out;
  out.add(client_head_);
  if (co_await send(out)) co_return End::ClientAborted;
  at_.gate.row().count_response(request_.status);
  request_.counted = true;
  at_.gate.begin_tunnel(at_.upstream);
  Tunnel tunnel(at_.client, *connection_, at_.gate.row());
  running_tunnel_ = &tunnel;
  co_await tunnel.run([this] { touch(); });
  running_tunnel_ = nullptr;
  at_.gate.end_tunnel(at_.upstream);
  co_return End::Answered;
}

}  // namespace poolwarden::gateway
