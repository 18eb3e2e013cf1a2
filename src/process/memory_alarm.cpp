#include "process/memory_alarm.h"

#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "loop/rethrow.h"

namespace poolwarden::process {
namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds kRest{100};
constexpr int kReadsAtOnce = 16;  // who still writes wakes us again

}  // namespace

std::shared_ptr<MemoryAlarm> MemoryAlarm::start(asio::io_context& io, loop::UniqueFd notice,
                                                std::function<void()> on_alarm) {
  std::shared_ptr<MemoryAlarm> made(new MemoryAlarm(io));
  boost::system::error_code error;
  made->notice_.assign(notice.get(), error);
  if (error) return nullptr;
  notice.release();
  made->on_alarm_ = std::move(on_alarm);
  asio::co_spawn(io, made->follow(), loop::rethrow);
  return made;
}

void MemoryAlarm::stop() {
  boost::system::error_code ignored;
  notice_.close(ignored);
  rest_.cancel();
}

asio::awaitable<void> MemoryAlarm::follow() {
  const auto self = shared_from_this();
  while (notice_.is_open()) {
    const auto [error] = co_await notice_.async_wait(asio::posix::descriptor_base::wait_read,
                                                     asio::as_tuple(asio::use_awaitable));
    if (error || !notice_.is_open()) co_return;
    // Asio may wake us with what was meant for a descriptor closed before.
    if (!read_empty()) continue;
    on_alarm_();
    if (!notice_.is_open()) co_return;
    rest_.expires_after(kRest);
    co_await rest_.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

bool MemoryAlarm::read_empty() {
  alignas(8) char buffer[4096];  // a count of eventfd, or records of inotify
  int reads = 0;
  while (reads<kReadsAtOnce&& ::read(notice_.native_handle(), buffer, sizeof buffer)> 0) ++reads;
  return reads > 0;
}

}  // namespace poolwarden::process
