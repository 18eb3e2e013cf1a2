// Accepts connections and serves their requests one after the other, until it is told to stop.

#pragma once

#include <list>

#include "sample/exchange.h"
#include "sample/listening_socket.h"
#include "sample/sample_state.h"

namespace poolwarden::sample {

class Server {
 public:
  Server(asio::io_context& io, SampleState& state);

  void listen(ListeningSocket socket);

  // Accepts nothing more, closes the connections that wait for a request, and finishes the others.
  void stop();

 private:
  struct Connection {
    Socket socket;
    bool interruptible = true;  // no request is in flight
  };

  Task<void> accept();
  Task<void> serve(std::list<Connection>::iterator place);
  // Whether the connection may carry another request.
  Task<bool> serve_request(Connection& connection, beast::flat_buffer& buffer);

  asio::io_context& io_;
  SampleState& state_;
  Acceptor acceptor_;
  std::list<Connection> connections_;
};

}  // namespace poolwarden::sample
