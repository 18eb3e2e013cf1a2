#include "gateway/link_client.h"

#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <chrono>
#include <utility>

#include "base/match.h"
#include "link/codec.h"
#include "loop/rethrow.h"

namespace poolwarden::gateway {
namespace {

// For the last message of a handshake to come: most round trips are shorter.
constexpr Duration kHandshakeTime = std::chrono::milliseconds(100);

}  // namespace

LinkClient::LinkClient(asio::io_context& io, loop::UniqueFd socket, link::Scoreboard& board)
    : io_(io),
      board_(board),
      channel_(io, std::move(socket)),
      router_(io, board, [this](const link::ToSupervisor& message) { tell(message); }),
      around_{io, router_, sessions_, board},
      sweep_timer_(io),
      handshakes_(io) {}

asio::awaitable<void> LinkClient::run() {
  asio::co_spawn(io_, keep_sweeping(), loop::rethrow);
  for (;;) {
    Result<link::Packet> packet = co_await channel_.receive();
    if (!packet) break;
    const Result<void> taken = take(std::move(*packet));
    if (!taken) {
      error_ = taken.error();
      break;
    }
  }
  end();
}

Result<void> LinkClient::take(link::Packet packet) {
  const Result<link::ToGateway> message = link::decode_to_gateway(packet.text);
  if (!message) return message.error();
  if (const auto* first = std::get_if<link::Welcome>(&*message)) {
    return welcome(*first, std::move(packet.fds));
  }
  if (!welcomed_) return failure("cannot begin: the supervisor's first word is not Welcome");
  return apply(*message);
}

Result<void> LinkClient::apply(const link::ToGateway& message) {
  return std::visit(
      Match{[this](const link::PoolAdded& pool) { return router_.add_pool(pool); },
            [this](const link::WorkerReady& worker) { return router_.add_worker(worker); },
            [this](const auto& other) {
              carry_out(other);
              return Result<void>();
            }},
      message);
}

void LinkClient::carry_out(const link::PoolModeChanged& change) { router_.change_mode(change); }
void LinkClient::carry_out(const link::PoolRemoved& removed) { router_.remove_pool(removed); }
void LinkClient::carry_out(const link::DrainWorker& mark) { router_.drain(mark); }
void LinkClient::carry_out(const link::WorkerGone& gone) { router_.remove(gone); }

void LinkClient::carry_out(const link::AbandonWorker& lost) {
  router_.abandon(lost);
  sessions_.sweep(Clock::now());  // cuts what the worker has in flight
}

void LinkClient::carry_out(const link::RoutesChanged&) {
  router_.change_routes();
  if (std::exchange(accepting_, true)) return;
  for (const std::unique_ptr<Listener>& listener : listeners_) {
    asio::co_spawn(io_, listener->run(), loop::rethrow);
  }
  tell(link::Hello{static_cast<int>(::getpid())});
}

Result<void> LinkClient::welcome(const link::Welcome& message,
                                 std::vector<loop::UniqueFd> sockets) {
  if (welcomed_) return failure("cannot begin twice");
  if (sockets.size() != message.listeners.size() || sockets.size() > link::kMaxListeners) {
    return failure("cannot listen: " + std::to_string(sockets.size()) + " sockets came for " +
                   std::to_string(message.listeners.size()) + " listeners");
  }
  welcomed_ = true;
  for (std::size_t i = 0; i < sockets.size(); ++i) {
    listeners_.push_back(
        std::make_unique<Listener>(around_, std::move(sockets[i]), board_.listeners[i]));
  }
  return {};
}

void LinkClient::carry_out(const link::LastCall&) { sessions_.last_call(); }

void LinkClient::carry_out(const link::Quiesce&) {
  if (!accepting_) carry_out(link::RoutesChanged{});
  quiescing_ = true;
  router_.quiesce();
  sessions_.quiesce();
  sessions_.when_empty([this] { tell_if_quiesced(); });
  asio::co_spawn(io_, stop_listening(), loop::rethrow);
}

Task<> LinkClient::stop_listening() {
  bool some_wait = false;
  for (const std::unique_ptr<Listener>& listener : listeners_) some_wait |= listener->hold_off();
  if (some_wait) {
    handshakes_.expires_after(kHandshakeTime);
    co_await handshakes_.async_wait(as_result);
  }
  for (const std::unique_ptr<Listener>& listener : listeners_) listener->stop();
  listening_ = false;
  tell_if_quiesced();
}

// Tunnels do not count: they last until their workers are drained, which has its own limit.
void LinkClient::tell_if_quiesced() {
  if (!quiescing_ || listening_ || quiesced_ || ended_ || !sessions_.only_tunnels_left()) return;
  quiesced_ = true;
  tell(link::Quiesced{});
}

void LinkClient::tell(const link::ToSupervisor& message) { channel_.send(link::encode(message)); }

Task<> LinkClient::keep_sweeping() {
  while (!ended_ || !sessions_.empty()) {
    sweep_timer_.expires_after(ended_ ? kSweepInterval / 10 : kSweepInterval);
    co_await sweep_timer_.async_wait(as_result);
    const TimePoint now = Clock::now();
    sessions_.sweep(now);
    router_.sweep(now);
    tell_if_quiesced();
  }
}

void LinkClient::end() {
  ended_ = true;
  channel_.close();
  for (const std::unique_ptr<Listener>& listener : listeners_) listener->close();
  sessions_.abandon_all();
  router_.close();
  sweep_timer_.cancel();
  handshakes_.cancel();
}

}  // namespace poolwarden::gateway
