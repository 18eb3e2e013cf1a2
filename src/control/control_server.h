// The control socket, the supervisor's end: one request a connection, one line of JSON; answers are
// lines of JSON too, the last of them with "exit" in it. Only root, the supervisor's own user and
// members of the socket's group are heard (SO_PEERCRED and SO_PEERGROUPS, unix(7)).

#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/json/object.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "loop/unique_fd.h"

namespace poolwarden::control {

// One client that waits for an answer.
class Conversation {
 public:
  explicit Conversation(boost::asio::local::stream_protocol::socket socket)
      : socket_(std::move(socket)) {}

  // False when the client has gone.
  boost::asio::awaitable<bool> send(const boost::json::object& line);
  // Sends the last line: the client's exit code, and a sentence for people.
  boost::asio::awaitable<void> finish(int exit_code, const std::string& message,
                                      boost::json::object data = {});
  // Whether the client has hung up; for those who wait for something else meanwhile.
  bool has_left();
  // What the last line said; absent when the client did not get one.
  std::optional<int> exit_code() const { return exit_code_; }
  boost::asio::local::stream_protocol::socket& socket() { return socket_; }

 private:
  boost::asio::local::stream_protocol::socket socket_;
  std::optional<int> exit_code_;
};

using Handler =
    std::function<boost::asio::awaitable<void>(const boost::json::object& request, Conversation&)>;

// How a request ended.
struct Settled {
  std::string command;           // as it came; empty when there was none
  bool refused = false;          // they may not command this supervisor
  std::optional<int> exit_code;  // absent: the client had left
};

class ControlServer {
 public:
  // Locks `path` so that no second supervisor takes it, removes a stale socket, listens (mode
  // 0660). Errors name the path, and who holds the lock.
  static Result<std::unique_ptr<ControlServer>> open(boost::asio::io_context& io,
                                                     const std::string& path, Handler handler);
  ~ControlServer();

  // Told of each request that has ended, also when it was never read: too many were open.
  void on_settled(std::function<void(const Settled&)> told) { on_settled_ = std::move(told); }

  void stop();
  // Who holds a copy of it keeps others from this path.
  int lock_fd() const { return lock_.get(); }

 private:
  ControlServer(boost::asio::io_context& io, std::string path, loop::UniqueFd lock,
                boost::asio::local::stream_protocol::acceptor acceptor, Handler handler);

  boost::asio::awaitable<void> accept();
  void turn_away(boost::asio::local::stream_protocol::socket socket);
  boost::asio::awaitable<void> serve(boost::asio::local::stream_protocol::socket socket);

  boost::asio::io_context& io_;
  std::string path_;
  loop::UniqueFd lock_;
  boost::asio::local::stream_protocol::acceptor acceptor_;
  Handler handler_;
  std::function<void(const Settled&)> on_settled_;
  int connections_ = 0;
};

}  // namespace poolwarden::control
