#include "cli/drill_load.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include "loop/rethrow.h"

namespace poolwarden::cli {

namespace asio = boost::asio;
namespace http = boost::beast::http;

namespace {

constexpr auto kNoThrow = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kLossesKept = 10;
constexpr std::chrono::milliseconds kBetweenTries{100};  // after a connection that failed

asio::generic::stream_protocol::endpoint endpoint_of(const config::Address& address) {
  if (!address.unix_path.empty()) return asio::local::stream_protocol::endpoint(address.unix_path);
  return asio::ip::tcp::endpoint(asio::ip::make_address(address.host), address.port);
}

bool is_lost(unsigned status) { return status == 502 || status == 504; }

}  // namespace

std::uint64_t LoadOutcome::answered() const {
  std::uint64_t count = 0;
  for (const auto& [status, answers_of_it] : answers) count += answers_of_it;
  return count;
}

std::uint64_t LoadOutcome::lost() const {
  std::uint64_t count = unanswered;
  for (const auto& [status, answers_of_it] : answers) count += is_lost(status) ? answers_of_it : 0;
  return count;
}

DrillLoad::DrillLoad(LoadTarget target) : target_(std::move(target)) {}

DrillLoad::~DrillLoad() {
  io_.stop();
  if (thread_.joinable()) thread_.join();
}

void DrillLoad::start() {
  begun_ = Clock::now();
  for (std::size_t i = 0; i < target_.connections; ++i)
    asio::co_spawn(io_, ask_on_and_on(), loop::rethrow);
  thread_ = std::thread([this] { io_.run(); });
}

bool DrillLoad::wait_for_answers(std::uint64_t more, Duration limit) {
  std::unique_lock lock(mutex_);
  const std::uint64_t goal = outcome_.answered() + more;
  return changed_.wait_for(lock, limit, [&] { return outcome_.answered() >= goal; });
}

LoadOutcome DrillLoad::stop(Duration patience) {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  changed_.wait_for(lock, patience, [&] { return busy_ == 0; });
  for (; busy_ > 0; --busy_) {
    ++outcome_.unanswered;
    if (outcome_.losses.size() < kLossesKept)
      outcome_.losses.push_back({Clock::now() - begun_, "had no answer when the drill ended"});
  }
  io_.stop();
  return outcome_;
}

asio::awaitable<void> DrillLoad::ask_on_and_on() {
  for (;;) {
    {
      std::lock_guard lock(mutex_);
      if (stopping_) co_return;
    }
    Socket socket(io_);
    const auto [error] = co_await socket.async_connect(endpoint_of(target_.address), kNoThrow);
    if (error) {
      {
        std::lock_guard lock(mutex_);
        ++outcome_.sent;
      }
      note_loss("cannot connect: " + error.message());
      asio::steady_timer timer(io_, kBetweenTries);
      co_await timer.async_wait(kNoThrow);
      continue;
    }
    co_await ask_until_it_breaks(socket);
  }
}

asio::awaitable<void> DrillLoad::ask_until_it_breaks(Socket& socket) {
  http::request<http::empty_body> request(http::verb::get, target_.path, 11);
  request.set(http::field::host, target_.host);
  request.set(http::field::user_agent, "poolwarden-drill");
  boost::beast::flat_buffer buffer;
  std::array<char, 16384> part{};
  for (;;) {
    {
      std::lock_guard lock(mutex_);
      if (stopping_) co_return;
      ++outcome_.sent;
      ++busy_;
    }
    const TimePoint asked = Clock::now();
    http::response_parser<http::buffer_body> parser;
    parser.body_limit(boost::none);
    auto [error, written] = co_await http::async_write(socket, request, kNoThrow);
    while (!error && !parser.is_done()) {
      parser.get().body().data = part.data();
      parser.get().body().size = part.size();
      std::tie(error, written) = co_await http::async_read(socket, buffer, parser, kNoThrow);
      if (error == http::error::need_buffer) error = {};
    }
    {
      std::lock_guard lock(mutex_);
      if (busy_ == 0) co_return;  // counted as unanswered already
      --busy_;
    }
    if (error) co_return note_loss(error.message());
    note_answer(parser.get().result_int(), parser.get()["X-Poolwarden-Reason"], asked);
    if (!parser.get().keep_alive()) co_return;
  }
}

void DrillLoad::note_answer(unsigned status, const std::string& reason, TimePoint asked) {
  std::lock_guard lock(mutex_);
  const TimePoint now = Clock::now();
  ++outcome_.answers[status];
  if (!reason.empty()) ++outcome_.refusals[std::to_string(status) + " " + reason];
  outcome_.slowest = std::max(outcome_.slowest, now - asked);
  if (is_lost(status) && outcome_.losses.size() < kLossesKept)
    outcome_.losses.push_back({now - begun_, std::to_string(status) + " " + reason});
  changed_.notify_all();
}

void DrillLoad::note_loss(const std::string& how) {
  std::lock_guard lock(mutex_);
  ++outcome_.unanswered;
  if (outcome_.losses.size() < kLossesKept) outcome_.losses.push_back({Clock::now() - begun_, how});
  changed_.notify_all();
}

}  // namespace poolwarden::cli
