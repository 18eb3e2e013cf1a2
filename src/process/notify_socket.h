// The supervisor's end of NOTIFY_SOCKET, one for each worker, so that no message can be mistaken
// for another worker's.

#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>

#include "base/result.h"
#include "loop/unique_fd.h"
#include "process/notification.h"

namespace poolwarden::process {

class NotifySocket : public std::enable_shared_from_this<NotifySocket> {
 public:
  using OnMessage = std::function<void(const Notification&)>;

  // `socket` is a bound AF_UNIX datagram socket that does not block.
  static Result<std::shared_ptr<NotifySocket>> make(boost::asio::io_context& io,
                                                    loop::UniqueFd socket);

  void start(OnMessage on_message);

  // Takes what has been sent already, tells it, and closes.
  void drain();

 private:
  explicit NotifySocket(boost::asio::io_context& io) : io_(io), socket_(io) {}
  boost::asio::awaitable<void> follow();
  void take_messages();

  boost::asio::io_context& io_;
  boost::asio::posix::stream_descriptor socket_;
  OnMessage on_message_;
};

}  // namespace poolwarden::process
