// A real gateway in a thread of the test, and the test in the supervisor's place: it holds the
// other end of the control link, the listening socket and the scoreboard.

#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "integration/gateway/http_text.h"
#include "integration/gateway/scripted_worker.h"
#include "link/messages.h"
#include "link/scoreboard.h"

namespace poolwarden::testing {

using namespace std::chrono_literals;

// Waits for `condition`, for as long as no machine should need.
::testing::AssertionResult eventually(const std::function<bool()>& condition);

class GatewayTest : public ::testing::Test {
 protected:
  enum class Routes { AtOnce, Later };  // Later: RoutesChanged is left to the test
  explicit GatewayTest(Routes routes = Routes::AtOnce);
  ~GatewayTest() override;

  TextSocket connect() { return connect_tcp(port_); }
  // One request on a connection of its own.
  Message get(const std::string& path = "/", const std::string& more_fields = "");

  void tell(const link::ToGateway& message, const std::vector<int>& fds = {});
  // The next message of this type; others are skipped.
  template <typename Expected>
  Expected expect() {
    for (;;) {
      const link::ToSupervisor message = next_message();
      if (const auto* found = std::get_if<Expected>(&message)) return *found;
    }
  }
  // The next message, which must be of this type.
  template <typename Expected>
  Expected expect_next() {
    const link::ToSupervisor message = next_message();
    const auto* found = std::get_if<Expected>(&message);
    EXPECT_NE(found, nullptr) << "another message, number " << message.index();
    return found ? *found : Expected{};
  }
  bool has_message();  // one is here now

  // The pool "web", which takes everything from here on.
  void add_pool(const std::function<void(link::PoolAdded&)>& change = {});
  // The same, with one worker that runs `script`.
  ScriptedWorker& serve(ScriptedWorker::Script script);
  ScriptedWorker& add_worker(ScriptedWorker::Script script, std::uint64_t id = 1,
                             ScriptedWorker::At at = ScriptedWorker::At::Unix);
  void drain(std::uint64_t id = 1, dispatch::LossCause cause = dispatch::LossCause::Recycle,
             std::optional<Duration> tunnel_limit = {});
  void set_mode(link::PoolMode mode, std::optional<std::uint32_t> retry_after = {});
  void end_link();  // and joins the gateway
  void end_all();   // and the workers: before what their scripts refer to goes

  const link::PoolRow& row() const { return board_->board().pools[0]; }
  const link::PoolRow& unrouted() const { return board_->board().unrouted; }
  const link::WorkerRow& worker_row(std::uint64_t id = 1) const {
    return board_->board().workers[id];
  }
  const link::Scoreboard& board() const { return board_->board(); }
  std::uint64_t failures(dispatch::RequestFailure failure) const;
  std::uint64_t lost(dispatch::LossCause cause) const;
  std::uint64_t rejected(dispatch::Rejection rejection) const;
  std::uint64_t responses(int status) const;

  int exit_code = -1;
  // For scripts, which outlive the body of a test.
  std::atomic<bool> go = false;
  std::atomic<bool> seen = false;
  std::atomic<int> count = 0;

 private:
  link::ToSupervisor next_message();

  loop::UniqueFd link_;
  loop::UniqueFd listener_;
  int port_ = 0;
  std::unique_ptr<link::ScoreboardMap> board_;
  std::vector<std::unique_ptr<ScriptedWorker>> workers_;
  std::thread gateway_;
};

}  // namespace poolwarden::testing
