// A whole supervisor among fakes: workers that are none, and a gateway that only listens. One list
// holds what was told and asked of the outside, in order.

#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/match.h"
#include "config/parse_settings.h"
#include "fakes/fake_worker_host.h"
#include "link/channel.h"
#include "link/codec.h"
#include "supervisor/supervisor.h"

namespace poolwarden::supervisor {

using namespace std::chrono_literals;
using worker::WorkerId;

inline config::Settings settings_of(const std::string& yaml) {
  const config::Parsed parsed = config::parse_settings(yaml);
  for (const config::Finding& finding : parsed.findings) {
    EXPECT_NE(finding.kind, config::Finding::Kind::Error) << describe(finding, yaml);
  }
  return parsed.settings;
}

inline std::string routes_of(const link::PoolAdded& pool) {
  std::string text;
  for (const pool::Route& route : pool.routes) text += " " + route.path;
  return text;
}

inline std::string words_of(const link::ToGateway& message) {
  const auto id = [](WorkerId worker) { return std::to_string(worker::number(worker)); };
  return std::visit(
      Match{
          [](const link::Welcome& it) {
            return "welcome " + std::to_string(it.listeners.size()) + " sockets";
          },
          [](const link::PoolAdded& it) {
            return "pool " + it.pool + " " + std::string(name(it.mode)) + routes_of(it);
          },
          [](const link::PoolModeChanged& it) {
            return "mode " + it.pool + " " + std::string(name(it.mode));
          },
          [](const link::PoolRemoved& it) { return "removed " + it.pool; },
          [](const link::RoutesChanged&) { return std::string("routes"); },
          [&](const link::WorkerReady& it) { return "ready " + it.pool + " " + id(it.id); },
          [&](const link::DrainWorker& it) {
            return "drain " + id(it.id) + " " + std::string(name(it.cause));
          },
          [&](const link::WorkerGone& it) { return "gone " + id(it.id); },
          [&](const link::AbandonWorker& it) { return "abandon " + id(it.id); },
          [](const link::LastCall&) { return std::string("last_call"); },
          [](const link::Quiesce&) { return std::string("quiesce"); },
      },
      message);
}

class SupervisorBench {
 public:
  explicit SupervisorBench(const std::string& yaml)
      : supervisor(io, settings_of(yaml), 2, link::ScoreboardMap::create().value(), {}, seams(),
                   snapshots) {
    host.on_call = [this](const std::string& call) { story.push_back("host: " + call); };
    supervisor.on_end([this](int code) { exit_code = code; });
    EXPECT_TRUE(supervisor.begin());
    settle();
    story.clear();
  }
  ~SupervisorBench() {
    if (gateway_fd_ >= 0) ::close(gateway_fd_);
  }

  // Does what can be done at once, and hears what the gateway was told by then.
  void settle() {
    io.restart();
    io.poll();
    hear_gateway();
  }
  // Goes on until it is so; false when that takes too long.
  bool comes(const std::function<bool()>& condition) {
    const TimePoint limit = Clock::now() + 20s;
    while (!condition() && Clock::now() < limit) {
      io.restart();
      io.run_one_until(limit);
      hear_gateway();
    }
    return condition();
  }
  bool comes(const std::string& told) {
    return comes([&] { return testing::Matches(testing::Contains(told))(story); });
  }

  void be_ready(std::uint64_t id) {
    host.let_be_ready(WorkerId{id}, worker::UnixEndpoint{"/w" + std::to_string(id)});
    settle();
  }
  void end(std::uint64_t id, int code = 0) {
    diagnosis::Evidence evidence;
    evidence.status = diagnosis::Exited{code};
    host.let_end(WorkerId{id}, evidence);
    settle();
  }
  // The gateway has answered what the worker had.
  void drained(std::uint64_t id) {
    const link::WorkerDrained answer{WorkerId{id}, marks_[id]};
    const std::string packet = link::encode(link::ToSupervisor(answer));
    ::send(gateway_fd_, packet.data(), packet.size(), 0);
    EXPECT_TRUE(comes("host: stop " + std::to_string(id)));
  }
  void end_gateway() {
    ::close(std::exchange(gateway_fd_, -1));
    gateway_exited_(diagnosis::Signaled{.signal = 9, .dumped_core = false});
  }
  void wait_in_queue(const std::string& pool, std::uint64_t requests) {
    for (const pool::PoolSnapshot& shot : supervisor.snapshot()->pools) {
      if (shot.settings->name == pool)
        board_->writable().pools[shot.board_slot].queue_length = requests;
    }
  }

  Result<std::vector<PoolOutcome>> reload(const std::string& yaml) {
    auto outcomes = supervisor.reload(settings_of(yaml));
    settle();
    return outcomes;
  }
  // What was told and asked since the last look.
  std::vector<std::string> look() { return std::exchange(story, {}); }
  // Of it, what the gateway was told.
  std::vector<std::string> told_gateway() {
    std::vector<std::string> told;
    for (const std::string& line : look()) {
      if (line.starts_with("gateway: ")) told.push_back(line.substr(9));
    }
    return told;
  }
  pool::PoolSnapshot shot_of(const std::string& pool) {
    for (const pool::PoolSnapshot& shot : supervisor.snapshot()->pools) {
      if (shot.settings->name == pool) return shot;
    }
    return {};
  }

  boost::asio::io_context io;
  fakes::FakeWorkerHost host;
  loop::Published<pool::Snapshot> snapshots;
  std::vector<std::string> story;
  int gateways = 0;
  std::optional<int> exit_code;
  Supervisor supervisor;

 private:
  Seams seams() {
    return {host,
            [this](int link, int board, std::function<void(const diagnosis::ExitStatus&)> exited) {
              gateway_fd_ = ::dup(link);
              board_.reset();
              board_ = std::make_unique<link::ScoreboardMap>(
                  link::ScoreboardMap::open_for_writing(board).value());
              gateway_exited_ = std::move(exited);
              return Result<int>(++gateways);
            },
            [this](int) { end_gateway(); },
            [](const pool::RunHook&) {},
            [this](const pool::Event& event) {
              const std::string pool = event.pool.empty() ? "" : " " + event.pool;
              story.push_back("event: " + std::string(type_of(event.kind).name) + pool);
            },
            [](const std::string&) {},
            [](pool::Snapshot&) {},
            [] { return Memory{}; },
            [](const std::string&, worker::PingResult, Duration) {}};
  }
  void hear_gateway() {
    std::string packet(link::kMaxPacket, '\0');
    for (;;) {
      const ssize_t size = ::recv(gateway_fd_, packet.data(), packet.size(), MSG_DONTWAIT);
      if (size <= 0) return;
      const auto message =
          link::decode_to_gateway(std::string_view(packet.data(), static_cast<std::size_t>(size)));
      if (message) {
        if (const auto* drain = std::get_if<link::DrainWorker>(&*message))
          marks_[worker::number(drain->id)] = drain->mark;
      }
      story.push_back("gateway: " + (message ? words_of(*message) : message.error().message));
    }
  }

  int gateway_fd_ = -1;
  std::map<std::uint64_t, std::uint32_t> marks_;  // of the last drain of each worker
  std::unique_ptr<link::ScoreboardMap> board_;
  std::function<void(const diagnosis::ExitStatus&)> gateway_exited_;
};

}  // namespace poolwarden::supervisor
