// The supervisor's end of the gateway: starts it on the listening sockets, starts it again when it
// dies, tells every new one the state as it is, and passes on what it reports.

#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "diagnosis/evidence.h"
#include "diagnosis/exit_status.h"
#include "link/channel.h"
#include "link/messages.h"
#include "link/scoreboard.h"
#include "pool/event.h"
#include "supervisor/listening_sockets.h"

namespace poolwarden::supervisor {

// Starts a gateway process that owns these two descriptors from now on as its own copies. `exited`
// is called once, later. Answers its pid.
using LaunchGateway = std::function<Result<int>(
    int link_fd, int scoreboard_fd, std::function<void(const diagnosis::ExitStatus&)> exited)>;

struct GatewayCallbacks {
  std::function<std::vector<link::ToGateway>()> introduction;  // for a gateway that has just begun
  std::function<void(const std::string& pool)> demand;
  std::function<void(worker::WorkerId, std::uint32_t mark)> drained;
  std::function<void(worker::WorkerId)> drain_broken;  // a request broke off meanwhile
  std::function<void(worker::WorkerId)> timed_out;     // it took longer than request_timeout
  std::function<void(worker::WorkerId, const diagnosis::CutRequest&)> cut_short;
  std::function<void()> lost;  // it died; a new one follows
  std::function<void()> quiesced;
  std::function<void(const pool::Event&)> publish;
  std::function<void()> changed;
};

class GatewayLink {
 public:
  GatewayLink(boost::asio::io_context& io, const std::vector<ListeningSocket>& sockets,
              const link::ScoreboardMap& scoreboard, LaunchGateway launch,
              std::function<void(int pid)> kill, GatewayCallbacks callbacks);

  // Errors: the first gateway could not be started. Later ones are tried again with back-off.
  Result<void> start();

  // False when no gateway runs; what it would have been told is in the next one's introduction.
  bool send(const link::ToGateway& message);

  // Ends the link; the gateway ends with it, or is killed after a second.
  void stop();

  int pid() const { return pid_; }
  std::uint64_t restarts() const { return restarts_; }

 private:
  Result<void> launch();
  boost::asio::awaitable<void> listen(std::shared_ptr<link::Channel> channel);
  bool handle(const std::string& text);
  void exited(int pid, const diagnosis::ExitStatus& status);
  void start_again();
  void tell(pool::EventKind kind, const std::string& sentence);

  boost::asio::io_context& io_;
  const std::vector<ListeningSocket>& sockets_;
  const link::ScoreboardMap& scoreboard_;
  LaunchGateway launch_;
  std::function<void(int pid)> kill_;
  GatewayCallbacks callbacks_;
  boost::asio::steady_timer timer_;
  std::shared_ptr<link::Channel> channel_;
  int pid_ = 0;
  std::uint64_t restarts_ = 0;
  std::uint32_t failures_in_a_row_ = 0;
  TimePoint launched_{};
  bool stopping_ = false;
};

}  // namespace poolwarden::supervisor
