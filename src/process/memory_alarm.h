// Listens to the kernel's word that a worker's memory grows (cgroup/memory_notice.h), and passes it
// on, though not as often as it may come.

#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>

#include "loop/unique_fd.h"

namespace poolwarden::process {

class MemoryAlarm : public std::enable_shared_from_this<MemoryAlarm> {
 public:
  // Null when the descriptor cannot be watched: then one has to ask for oneself.
  static std::shared_ptr<MemoryAlarm> start(boost::asio::io_context& io, loop::UniqueFd notice,
                                            std::function<void()> on_alarm);

  // Nothing is told after that.
  void stop();

 private:
  explicit MemoryAlarm(boost::asio::io_context& io) : notice_(io), rest_(io) {}
  boost::asio::awaitable<void> follow();
  bool read_empty();  // whether there was anything

  boost::asio::posix::stream_descriptor notice_;
  boost::asio::steady_timer rest_;
  std::function<void()> on_alarm_;
};

}  // namespace poolwarden::process
