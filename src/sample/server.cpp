#include "sample/server.h"

#include <boost/beast/websocket/rfc6455.hpp>
#include <iostream>
#include <iterator>
#include <utility>

#include "loop/rethrow.h"
#include "sample/answers.h"
#include "sample/websocket_echo.h"

namespace poolwarden::sample {

Server::Server(asio::io_context& io, SampleState& state) : io_(io), state_(state), acceptor_(io) {}

void Server::listen(ListeningSocket socket) {
  acceptor_.assign(Protocol(socket.family, 0), socket.fd.release());
  asio::co_spawn(io_, accept(), loop::rethrow);
}

void Server::stop() {
  state_.stopping = true;
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  for (Connection& connection : connections_) {
    if (connection.interruptible) connection.socket.close(ignored);
  }
}

Task<void> Server::accept() {
  while (!state_.stopping) {
    auto [error, socket] = co_await acceptor_.async_accept(asio::as_tuple(kUseTask));
    if (error) continue;  // stopped, or the client has gone already
    connections_.push_back({std::move(socket)});
    asio::co_spawn(io_, serve(std::prev(connections_.end())), loop::rethrow);
  }
}

Task<void> Server::serve(std::list<Connection>::iterator place) {
  beast::flat_buffer buffer;
  try {
    while (co_await serve_request(*place, buffer)) {
    }
  } catch (const boost::system::system_error&) {
    // The client has gone; there is nobody to answer.
  }
  connections_.erase(place);
}

Task<bool> Server::serve_request(Connection& connection, beast::flat_buffer& buffer) {
  RequestParser parser;
  parser.body_limit(boost::none);
  connection.interruptible = true;
  co_await http::async_read_header(connection.socket, buffer, parser, kUseTask);
  ++state_.requests;
  if (beast::websocket::is_upgrade(parser.get())) {
    co_await echo_websocket(connection.socket, parser.get());
    co_return false;
  }
  connection.interruptible = false;
  Exchange exchange(connection.socket, buffer, parser, state_.stopping);
  co_await answer(exchange, state_);
  co_return exchange.keep_alive() && parser.is_done();
}

}  // namespace poolwarden::sample
