// How the request's body gets to the worker, while the response comes back.

#include <boost/asio/co_spawn.hpp>

#include "gateway/forwarder.h"
#include "gateway/sending.h"

namespace poolwarden::gateway {

// Frames what the inbox holds of the body for the worker, and keeps it for a replay. `used`: how
// much of the inbox is done with once `out` is sent. False: the body is malformed.
bool Forwarder::take_body(Pieces& out, std::size_t& used) {
  Pieces data;
  used = request_.body.take(view(at_.client.inbox), data, ChunkFrame::kPieces + 4);
  if (request_.body.bad()) return false;
  if (request_.chunked) {
    request_frame_.wrap(data, request_.body.done(), out);
  } else {
    out.add(data);
  }
  request_.keep(out);
  return true;
}

void Forwarder::start_pump() {
  pumping_ = true;
  pump_ended_.emplace(at_.upstream.io(), TimePoint::max());
  asio::co_spawn(at_.client.socket.get_executor(), pump_body(),
                 [this](const std::exception_ptr& error) {
                   pumping_ = false;
                   pump_ended_->cancel();
                   if (error) std::rethrow_exception(error);
                 });
}

Task<> Forwarder::pump_body() {
  while (!request_.body.done() && !stop_pump_) {
    if (at_.client.inbox.size() == 0) {
      const bool more = co_await read_from_client();
      if (!more) co_return;
    }
    Pieces out;
    std::size_t used = 0;
    if (!take_body(out, used)) {
      at_.client.cut_off(Cut::BadBody);
      cut();
      co_return;
    }
    const error_code error = co_await send_all(connection_->socket, out);
    at_.client.inbox.consume(used);
    if (error) {  // the response, if there is one, tells what became of the request
      send_failed_ = true;
      co_return;
    }
  }
}

Task<bool> Forwarder::read_from_client() {
  Client& client = at_.client;
  client.reading.arm(client.now + kStallLimit, Cut::ClientStalled);
  auto [error, count] =
      co_await client.socket.async_read_some(client.inbox.prepare(kBodyReadSize), as_result);
  client.reading.disarm();
  if (!error) {
    client.inbox.commit(count);
    request_.received += count;
    co_return true;
  }
  if (!stop_pump_) {
    client.cut_off(Cut::ClientGone);
    cut();
  }
  co_return false;
}

Task<> Forwarder::stop_pump() {
  stop_pump_ = true;
  error_code ignored;
  at_.client.socket.cancel(ignored);
  connection_->socket.cancel(ignored);
  while (pumping_) co_await pump_ended_->async_wait(as_result);
}

}  // namespace poolwarden::gateway
