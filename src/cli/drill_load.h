// The load of a drill: a few kept connections that send GET requests one after the other, and what
// became of each of them.

#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "config/settings.h"

namespace poolwarden::cli {

struct LoadTarget {
  config::Address address;
  std::string host;  // field Host
  std::string path = "/";
  std::size_t connections = 4;
};

struct LoadOutcome {
  struct Loss {
    Duration at{};  // since the load began
    std::string how;
  };
  std::uint64_t sent = 0;
  std::map<unsigned, std::uint64_t> answers;      // by status
  std::map<std::string, std::uint64_t> refusals;  // answers of the gateway itself, by reason
  std::uint64_t unanswered = 0;                   // broken connections, and none at the end
  std::vector<Loss> losses;                       // the first few
  Duration slowest{};

  std::uint64_t answered() const;
  // No answer, or 502 or 504 in place of one.
  std::uint64_t lost() const;
};

class DrillLoad {
 public:
  explicit DrillLoad(LoadTarget target);
  ~DrillLoad();

  void start();
  // Whether so many more requests were answered in time.
  bool wait_for_answers(std::uint64_t more, Duration limit);
  // No further request; those under way have so long to be answered.
  LoadOutcome stop(Duration patience);

 private:
  using Socket = boost::asio::generic::stream_protocol::socket;
  boost::asio::awaitable<void> ask_on_and_on();
  boost::asio::awaitable<void> ask_until_it_breaks(Socket& socket);
  void note_answer(unsigned status, const std::string& reason, TimePoint asked);
  void note_loss(const std::string& how);

  LoadTarget target_;
  boost::asio::io_context io_{1};
  std::thread thread_;

  mutable std::mutex mutex_;  // what follows
  std::condition_variable changed_;
  LoadOutcome outcome_;
  std::size_t busy_ = 0;  // requests under way
  TimePoint begun_;
  bool stopping_ = false;
};

}  // namespace poolwarden::cli
