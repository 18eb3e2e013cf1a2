// A pool's runner among fakes: one list holds all that it told and asked of the outside, in order.

#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/match.h"
#include "fakes/fake_worker_host.h"
#include "supervisor/board_rows.h"
#include "supervisor/pool_runner.h"

namespace poolwarden::supervisor {

using namespace std::chrono_literals;
using worker::WorkerId;

inline pool::PoolSettings web(std::uint32_t workers = 1) {
  pool::PoolSettings settings;
  settings.name = "web";
  settings.worker.command = {"app"};
  settings.routes = {pool::Route{}};
  settings.workers = {workers, workers};
  return settings;
}

inline std::string text(const link::ToGateway& message) {
  const auto id = [](WorkerId worker) { return std::to_string(worker::number(worker)); };
  return std::visit(
      Match{
          [](const link::Welcome&) { return std::string("welcome"); },
          [](const link::PoolAdded& it) { return "pool " + it.pool; },
          [](const link::PoolModeChanged& it) { return "mode " + std::string(name(it.mode)); },
          [&](const link::WorkerReady& it) {
            return "ready " + id(it.id) + " " + describe(it.endpoint) + " row " +
                   std::to_string(it.board_slot);
          },
          [&](const link::DrainWorker& it) {
            return "drain " + id(it.id) + " " + std::string(name(it.cause));
          },
          [&](const link::WorkerGone& it) { return "gone " + id(it.id); },
          [&](const link::AbandonWorker& it) { return "abandon " + id(it.id); },
          [](const link::PoolRemoved& it) { return "removed " + it.pool; },
          [](const link::RoutesChanged&) { return std::string("routes"); },
          [](const link::LastCall&) { return std::string("last_call"); },
          [](const link::Quiesce&) { return std::string("quiesce"); },
      },
      message);
}

inline std::vector<std::string> texts(const std::vector<link::ToGateway>& messages) {
  std::vector<std::string> all;
  for (const link::ToGateway& message : messages) all.push_back(text(message));
  return all;
}

class RunnerBench {
 public:
  explicit RunnerBench(pool::PoolSettings settings = web(), std::uint32_t row_count = 8)
      : rows(row_count),
        runner(io,
               pool::Pool(std::make_shared<const pool::PoolSettings>(std::move(settings)),
                          {.cpus = 2}),
               3, outside()) {
    host.on_call = [this](const std::string& call) { story.push_back("host: " + call); };
  }

  void be_ready(std::uint64_t id) {
    host.let_be_ready(WorkerId{id}, worker::UnixEndpoint{"/w" + std::to_string(id)});
  }
  void end(std::uint64_t id, diagnosis::ExitStatus status = diagnosis::Exited{0}) {
    diagnosis::Evidence evidence;
    evidence.status = std::move(status);
    host.let_end(WorkerId{id}, evidence);
  }
  // Its only worker, 1, serves.
  void serve() {
    runner.begin();
    be_ready(1);
    story.clear();
  }
  // What it told and asked since the last look.
  std::vector<std::string> look() { return std::exchange(story, {}); }
  pool::PoolSnapshot snapshot() const { return runner.snapshot(now(), WallClock::now()); }
  TimePoint now() const { return pretended.value_or(Clock::now()); }

  boost::asio::io_context io;
  fakes::FakeWorkerHost host;
  BoardRows rows;
  link::ScoreboardMap board = link::ScoreboardMap::create().value();
  Memory memory;
  bool has_gateway = true;
  std::vector<std::string> story;
  std::vector<link::ToGateway> sent;
  std::vector<pool::RunHook> hooks;
  int changes = 0;
  std::optional<TimePoint> pretended;  // what time it is; absent: what the clock says
  PoolRunner runner;

 private:
  Outside outside() {
    return {host,
            [this](const link::ToGateway& message) {
              if (!has_gateway) return false;
              story.push_back("gateway: " + text(message));
              sent.push_back(message);
              return true;
            },
            [this](const pool::Event& event) {
              story.push_back("event: " + std::string(type_of(event.kind).name));
            },
            [this](const pool::RunHook& hook) { hooks.push_back(hook); },
            [this] { ++changes; },
            [this] { return rows.take(); },
            [this](std::uint32_t row) { rows.give_back(row); },
            board.board(),
            [this] { return memory; },
            [](const std::string&, worker::PingResult, Duration) {},
            [this] { return now(); }};
  }
};

}  // namespace poolwarden::supervisor
