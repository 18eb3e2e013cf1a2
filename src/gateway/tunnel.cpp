#include "gateway/tunnel.h"

#include <sys/socket.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <exception>

#include "gateway/sending.h"

namespace poolwarden::gateway {

Task<> Tunnel::run(std::function<void()> worker_spoke) {
  // A peer that vanished without a word is found by TCP alone: silence is legal in here.
  const int on = 1;
  ::setsockopt(client_.socket.native_handle(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);

  bool outward_running = true;
  Timer outward_ended(client_.socket.get_executor(), TimePoint::max());
  asio::co_spawn(
      client_.socket.get_executor(),
      carry({client_.socket, worker_.socket, client_.inbox, row_.received_bytes, nullptr}),
      [&](const std::exception_ptr& error) {
        outward_running = false;
        outward_ended.cancel();
        if (error) std::rethrow_exception(error);
      });
  co_await carry({worker_.socket, client_.socket, worker_.inbox, row_.sent_bytes, &worker_spoke});
  while (outward_running) co_await outward_ended.async_wait(as_result);
  client_.reading.disarm();
}

Task<> Tunnel::carry(Direction way) {
  for (;;) {
    if (way.inbox.size() != 0) {
      Pieces out;
      out.add(view(way.inbox));
      if (co_await send_all(way.to, out)) co_return give_up(way);
      way.bytes.fetch_add(way.inbox.size(), std::memory_order_relaxed);
      way.inbox.consume(way.inbox.size());
    }
    auto [error, count] =
        co_await way.from.async_read_some(way.inbox.prepare(kBodyReadSize), as_result);
    const bool is_the_end = error == asio::error::eof || (error && ending_);
    if (is_the_end) {
      ::shutdown(way.to.native_handle(), SHUT_WR);
      half_closed_ = true;
      note_progress();
      co_return;
    }
    if (error) co_return tear_down();
    way.inbox.commit(count);
    note_progress();
    if (way.seen != nullptr) (*way.seen)();
  }
}

// Silence is limited only once one side has nothing more to say.
void Tunnel::note_progress() {
  if (half_closed_) client_.reading.arm(client_.now + kStallLimit, Cut::ClientGone);
}

void Tunnel::end() {
  ending_ = true;
  ::shutdown(worker_.socket.native_handle(), SHUT_RDWR);
  error_code ignored;
  client_.socket.cancel(ignored);
}

void Tunnel::give_up(const Direction& way) {
  // The worker's side is closed by us: what it has sent before that is still on its way back.
  if (ending_ && &way.to == &worker_.socket) return;
  tear_down();
}

void Tunnel::tear_down() {
  ::shutdown(client_.socket.native_handle(), SHUT_RDWR);
  ::shutdown(worker_.socket.native_handle(), SHUT_RDWR);
}

}  // namespace poolwarden::gateway
