#include "process/notify_socket.h"

#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "loop/rethrow.h"

namespace poolwarden::process {
namespace asio = boost::asio;

namespace {

constexpr std::size_t kLargestMessage = 4096;
constexpr int kMessagesAtOnce = 32;

}  // namespace

Result<std::shared_ptr<NotifySocket>> NotifySocket::make(asio::io_context& io,
                                                         loop::UniqueFd socket) {
  std::shared_ptr<NotifySocket> made(new NotifySocket(io));
  boost::system::error_code error;
  made->socket_.assign(socket.get(), error);
  if (error) return Error{error, "cannot watch the notify socket: " + error.message()};
  socket.release();
  return made;
}

void NotifySocket::start(OnMessage on_message) {
  on_message_ = std::move(on_message);
  asio::co_spawn(io_, follow(), loop::rethrow);
}

asio::awaitable<void> NotifySocket::follow() {
  const auto self = shared_from_this();
  while (socket_.is_open()) {
    const auto [error] = co_await socket_.async_wait(asio::posix::descriptor_base::wait_read,
                                                     asio::as_tuple(asio::use_awaitable));
    if (error || !socket_.is_open()) co_return;
    take_messages();
    co_await asio::post(io_, asio::use_awaitable);
  }
}

void NotifySocket::take_messages() {
  char buffer[kLargestMessage];
  for (int messages = 0; messages < kMessagesAtOnce && socket_.is_open(); ++messages) {
    // Without a control buffer the kernel drops descriptors that came along (FDSTORE=, BARRIER=).
    const ssize_t count =
        ::recv(socket_.native_handle(), buffer, sizeof buffer, MSG_TRUNC | MSG_DONTWAIT);
    if (count < 0) return;
    if (static_cast<std::size_t>(count) > sizeof buffer) continue;  // longer than any honest one
    on_message_(parse_notification({buffer, static_cast<std::size_t>(count)}));
  }
}

void NotifySocket::drain() {
  if (!socket_.is_open()) return;
  take_messages();
  boost::system::error_code ignored;
  socket_.close(ignored);
}

}  // namespace poolwarden::process
