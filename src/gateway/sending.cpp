#include "gateway/sending.h"

#include <sys/socket.h>

#include <cerrno>

namespace poolwarden::gateway {

error_code send_now(Socket& socket, Pieces& pieces) {
  while (!pieces.empty()) {
    msghdr message{};
    message.msg_iov = pieces.places();
    message.msg_iovlen = pieces.count();
    const ssize_t sent = ::sendmsg(socket.native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      pieces.advance(static_cast<std::size_t>(sent));
    } else if (errno != EINTR) {
      return {errno == EAGAIN ? EWOULDBLOCK : errno, boost::system::system_category()};
    }
  }
  return {};
}

Task<error_code> send_all(Socket& socket, Pieces& pieces) {
  error_code error = send_now(socket, pieces);
  while (error == boost::system::errc::operation_would_block) {
    auto [waited] = co_await socket.async_wait(Socket::wait_write, as_result);
    error = waited ? waited : send_now(socket, pieces);
  }
  co_return error;
}

Task<error_code> send_to_client(Client& client, Pieces& pieces) {
  error_code error = send_now(client.socket, pieces);
  while (error == boost::system::errc::operation_would_block) {
    client.writing.arm(client.now + kStallLimit, Cut::WriteStalled);
    auto [waited] = co_await client.socket.async_wait(Socket::wait_write, as_result);
    error = waited ? waited : send_now(client.socket, pieces);
  }
  client.writing.disarm();
  co_return error;
}

}  // namespace poolwarden::gateway
