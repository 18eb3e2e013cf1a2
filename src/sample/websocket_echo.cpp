#include "sample/websocket_echo.h"

#include <boost/beast/websocket.hpp>

namespace poolwarden::sample {

Task<void> echo_websocket(Socket& socket, const Request& upgrade) {
  beast::websocket::stream<Socket&> stream(socket);
  co_await stream.async_accept(upgrade, kUseTask);
  for (;;) {
    beast::flat_buffer message;
    const auto [error, size] = co_await stream.async_read(message, asio::as_tuple(kUseTask));
    if (error) co_return;
    stream.text(stream.got_text());
    co_await stream.async_write(message.data(), kUseTask);
  }
}

}  // namespace poolwarden::sample
