#include "gateway/link_client.h"

#include <unistd.h>

#include <boost/asio/co_spawn.hpp>

#include "base/match.h"
#include "link/codec.h"
#include "loop/rethrow.h"

namespace poolwarden::gateway {

LinkClient::LinkClient(asio::io_context& io, loop::UniqueFd socket, link::Scoreboard& board)
    : io_(io),
      board_(board),
      channel_(io, std::move(socket)),
      router_(io, board, [this](const link::ToSupervisor& message) { tell(message); }),
      around_{io, router_, sessions_, board},
      sweep_timer_(io) {}

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
      Match{[](const link::Welcome&) { return Result<void>(); },  // taken with its sockets
            [this](const link::PoolAdded& pool) { return router_.add_pool(pool); },
            [this](const link::PoolModeChanged& change) { return router_.change_mode(change); },
            [this](const link::WorkerReady& worker) { return router_.add_worker(worker); },
            [this](const link::DrainWorker& mark) {
              router_.drain(mark);
              return Result<void>();
            },
            [this](const link::WorkerGone& gone) {
              router_.remove(gone);
              return Result<void>();
            },
            [this](const link::Quiesce&) {
              quiesce();
              return Result<void>();
            }},
      message);
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
    asio::co_spawn(io_, listeners_.back()->run(), loop::rethrow);
  }
  tell(link::Hello{static_cast<int>(::getpid())});
  return {};
}

void LinkClient::quiesce() {
  router_.quiesce();
  for (const std::unique_ptr<Listener>& listener : listeners_) listener->stop();
  sessions_.quiesce();
  if (sessions_.empty()) return tell(link::Quiesced{});
  sessions_.when_empty([this] {
    if (!ended_) tell(link::Quiesced{});
  });
}

void LinkClient::tell(const link::ToSupervisor& message) { channel_.send(link::encode(message)); }

Task<> LinkClient::keep_sweeping() {
  while (!ended_ || !sessions_.empty()) {
    sweep_timer_.expires_after(ended_ ? kSweepInterval / 10 : kSweepInterval);
    co_await sweep_timer_.async_wait(as_result);
    const TimePoint now = Clock::now();
    sessions_.sweep(now);
    router_.sweep(now);
  }
}

void LinkClient::end() {
  ended_ = true;
  channel_.close();
  for (const std::unique_ptr<Listener>& listener : listeners_) listener->close();
  sessions_.abandon_all();
  router_.close();
  sweep_timer_.cancel();
}

}  // namespace poolwarden::gateway
