#include "supervisor/gateway_link.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>

#include "base/clean_text.h"
#include "base/match.h"
#include "link/codec.h"
#include "loop/rethrow.h"
#include "pool/backoff.h"

namespace poolwarden::supervisor {

namespace asio = boost::asio;

namespace {

// The gateway is the less trusted side: it may have been taken over.
diagnosis::CutRequest as_told(const link::RequestCutShort& told) {
  return {escaped(told.method.substr(0, link::kLongestMethod)),
          escaped(told.path.substr(0, link::kLongestPath)), std::max(told.age, Duration())};
}

}  // namespace

GatewayLink::GatewayLink(asio::io_context& io, const std::vector<ListeningSocket>& sockets,
                         const link::ScoreboardMap& scoreboard, LaunchGateway launch,
                         std::function<void(int pid)> kill, GatewayCallbacks callbacks)
    : io_(io),
      sockets_(sockets),
      scoreboard_(scoreboard),
      launch_(std::move(launch)),
      kill_(std::move(kill)),
      callbacks_(std::move(callbacks)),
      timer_(io) {}

Result<void> GatewayLink::start() { return launch(); }

Result<void> GatewayLink::launch() {
  auto pair = link::make_channel_pair();
  if (!pair) return pair.error().because("cannot start the gateway");
  launched_ = Clock::now();
  auto started = launch_(pair->gateway.get(), scoreboard_.fd(),
                         [this, born = restarts_](const diagnosis::ExitStatus& status) {
                           if (born == restarts_) exited(pid_, status);
                         });
  if (!started) return started.error().because("cannot start the gateway");
  pid_ = *started;
  channel_ = std::make_shared<link::Channel>(io_, std::move(pair->supervisor));

  link::Welcome welcome;
  std::vector<int> fds;
  for (const ListeningSocket& socket : sockets_) {
    welcome.listeners.push_back(socket.name);
    fds.push_back(socket.fd.get());
  }
  channel_->send(link::encode(link::ToGateway(welcome)), fds);
  for (const link::ToGateway& message : callbacks_.introduction()) send(message);
  asio::co_spawn(io_, listen(channel_), loop::rethrow);
  tell(pool::EventKind::GatewayStarted, "the gateway runs as process " + std::to_string(pid_));
  return {};
}

bool GatewayLink::send(const link::ToGateway& message) {
  if (!channel_) return false;
  channel_->send(link::encode(message));
  return true;
}

// The channel is held here too: it may be replaced while a packet is awaited.
asio::awaitable<void> GatewayLink::listen(std::shared_ptr<link::Channel> channel) {
  for (;;) {
    auto packet = co_await channel->receive();
    if (channel != channel_) co_return;  // of a gateway that is no more
    if (!packet) co_return;              // its exit follows
    if (!handle(packet->text)) {
      kill_(pid_);  // it speaks nonsense: a new one is better than a confused one
      co_return;
    }
  }
}

bool GatewayLink::handle(const std::string& text) {
  auto message = link::decode_to_supervisor(text);
  if (!message) {
    tell(pool::EventKind::GatewayExited, "the gateway is killed: " + message.error().message);
    return false;
  }
  std::visit(
      Match{
          [&](const link::Hello&) { callbacks_.changed(); },
          [&](const link::Demand& told) { callbacks_.demand(told.pool); },
          [&](const link::WorkerDrained& told) { callbacks_.drained(told.id, told.mark); },
          [&](const link::DrainBroken& told) { callbacks_.drain_broken(told.id); },
          [&](const link::Quiesced&) { callbacks_.quiesced(); },
          [&](const link::RequestTimedOut& told) { callbacks_.timed_out(told.id); },
          [&](const link::RequestCutShort& told) { callbacks_.cut_short(told.id, as_told(told)); },
      },
      *message);
  return true;
}

void GatewayLink::exited(int pid, const diagnosis::ExitStatus& status) {
  channel_.reset();
  pid_ = 0;
  ++restarts_;
  if (stopping_) {
    timer_.cancel();
    callbacks_.changed();
    return;
  }
  failures_in_a_row_ = Clock::now() - launched_ >= pool::kHealthyAfter ? 1 : failures_in_a_row_ + 1;
  tell(pool::EventKind::GatewayExited, "the gateway (process " + std::to_string(pid) + ") " +
                                           describe(status) +
                                           "; its connections are lost, another one is started");
  callbacks_.lost();
  start_again();
}

void GatewayLink::start_again() {
  const Duration delay = pool::restart_delay(failures_in_a_row_);
  timer_.expires_after(delay);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error || stopping_) return;
    auto launched = launch();
    if (launched) return callbacks_.changed();
    tell(pool::EventKind::GatewayExited, launched.error().message);
    ++failures_in_a_row_;
    start_again();
  });
}

void GatewayLink::stop() {
  stopping_ = true;
  if (channel_) channel_->close();
  channel_.reset();
  if (pid_ == 0) return;
  timer_.expires_after(std::chrono::seconds(1));
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error && pid_ != 0) kill_(pid_);
  });
}

void GatewayLink::tell(pool::EventKind kind, const std::string& sentence) {
  callbacks_.publish({kind, "", std::nullopt, sentence});
}

}  // namespace poolwarden::supervisor
