// A pool on the bench: its own time, its workers ended by hand, and words to read its decisions
// with.

#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <memory>
#include <optional>
#include <vector>

#include "pool/pool.h"

namespace poolwarden::pool {

using namespace std::chrono_literals;
using diagnosis::Exited;
using diagnosis::Intent;
using diagnosis::NotStarted;
using diagnosis::Signaled;
using diagnosis::SpawnStage;

// A pool of `workers` behind the gateway, with the defaults of the product.
inline PoolSettings web(std::uint32_t workers = 1) {
  PoolSettings settings;
  settings.name = "web";
  settings.worker.command = {"app"};
  settings.routes = {Route{}};
  settings.workers = {workers, workers};
  return settings;
}

inline std::vector<WorkerId> ids(std::initializer_list<std::uint64_t> numbers) {
  std::vector<WorkerId> all;
  for (const std::uint64_t number : numbers) all.push_back(WorkerId{number});
  return all;
}

inline WorkerId id_of(const SpawnWorker& action) { return action.name.id; }
template <typename Kind>
WorkerId id_of(const Kind& action) {
  return action.id;
}

// Whom the actions of one kind are about, in order.
template <typename Kind>
std::vector<WorkerId> told_to(const Decision& decision) {
  std::vector<WorkerId> found;
  for (const Action& action : decision.actions) {
    if (const auto* match = std::get_if<Kind>(&action)) found.push_back(id_of(*match));
  }
  return found;
}
inline std::vector<WorkerId> spawned(const Decision& d) { return told_to<SpawnWorker>(d); }
inline std::vector<WorkerId> published(const Decision& d) { return told_to<PublishWorker>(d); }
inline std::vector<WorkerId> drained(const Decision& d) { return told_to<DrainWorker>(d); }
inline std::vector<WorkerId> stopped(const Decision& d) { return told_to<StopWorker>(d); }
inline std::vector<WorkerId> killed(const Decision& d) { return told_to<KillWorker>(d); }
inline std::vector<WorkerId> retired(const Decision& d) { return told_to<RetireWorker>(d); }

inline std::vector<Availability> availabilities(const Decision& decision) {
  std::vector<Availability> found;
  for (const Action& action : decision.actions) {
    if (const auto* match = std::get_if<SetAvailability>(&action))
      found.push_back(match->availability);
  }
  return found;
}

inline const RunHook* hook(const Decision& decision) {
  for (const Action& action : decision.actions) {
    if (const auto* match = std::get_if<RunHook>(&action)) return match;
  }
  return nullptr;
}

inline std::vector<EventKind> kinds(const Decision& decision) {
  std::vector<EventKind> all;
  for (const Event& event : decision.events) all.push_back(event.kind);
  return all;
}

inline const Event* event(const Decision& decision, EventKind kind) {
  const auto found = std::find_if(decision.events.begin(), decision.events.end(),
                                  [&](const Event& each) { return each.kind == kind; });
  return found == decision.events.end() ? nullptr : &*found;
}

inline bool tells(const Decision& decision, EventKind kind) {
  return event(decision, kind) != nullptr;
}

inline bool is_empty(const Decision& decision) {
  return decision.actions.empty() && decision.events.empty();
}

inline diagnosis::Evidence ended(diagnosis::ExitStatus status) {
  diagnosis::Evidence evidence;
  evidence.status = std::move(status);
  return evidence;
}

inline const diagnosis::ExitStatus kCrash = Signaled{SIGSEGV};
inline const diagnosis::ExitStatus kStoppedWell = Exited{0};
inline const diagnosis::ExitStatus kNoSuchProgram = NotStarted{SpawnStage::Exec, ENOENT, "app"};

class Bench {
 public:
  explicit Bench(PoolSettings settings, std::uint32_t cpus = 2)
      : pool(std::make_shared<const PoolSettings>(std::move(settings)), around(cpus)) {}

  static PoolSurroundings around(std::uint32_t cpus) {
    PoolSurroundings around;
    around.cpus = cpus;
    return around;
  }

  Decision begin() { return pool.begin(now); }
  Decision start() { return pool.start(now); }
  Decision stop() { return pool.stop(now); }
  Decision shut_down() { return pool.shut_down(now); }
  Decision kill_all() { return pool.kill_all(now); }
  Decision demand() { return pool.demand(now); }
  Decision ready(std::uint64_t id) { return pool.worker_ready(WorkerId{id}, now); }
  // `mark`: it counts the marks of a worker; only one that was suspended has more than one.
  Decision drained(std::uint64_t id, std::uint32_t mark = 1) {
    return pool.worker_drained(WorkerId{id}, mark, now);
  }
  void cuts_a_request_short(std::uint64_t id) { pool.drain_broken(WorkerId{id}); }
  Decision exits(std::uint64_t id, const diagnosis::ExitStatus& status) {
    return pool.worker_exited(WorkerId{id}, ended(status), now, WallTime{} + (now - TimePoint{}));
  }
  Decision tick_after(Duration time) {
    now += time;
    return pool.tick(now);
  }

  // All of its workers, `first` … `last`, are ready.
  void serve(std::uint64_t first, std::uint64_t last) {
    begin();
    for (std::uint64_t id = first; id <= last; ++id) ready(id);
  }

  // A recycle that must be accepted.
  Decision recycle(std::optional<std::uint32_t> slot = std::nullopt,
                   RecycleReason reason = RecycleReason::Manual) {
    auto answer = pool.recycle(slot, reason, now);
    EXPECT_TRUE(answer.has_value());
    if (!answer) return {};
    batch = answer->batch;
    return answer->decision;
  }
  RecycleProgress progress() const { return pool.progress(batch).value(); }

  PoolSnapshot snapshot() const { return pool.snapshot(now, WallTime{} + (now - TimePoint{})); }
  std::optional<WorkerState> state_of(std::uint64_t id) const {
    for (const WorkerSnapshot& worker : snapshot().workers) {
      if (worker.name.id == WorkerId{id}) return worker.state;
    }
    return std::nullopt;
  }
  std::optional<Duration> until_next() const {
    const auto next = pool.next_deadline();
    return next ? std::optional(*next - now) : std::nullopt;
  }

  Pool pool;
  TimePoint now{1h};
  BatchId batch{};
};

inline bool counts(const Decision& decision) {
  for (const Event& each : decision.events) {
    if (const auto* details = std::get_if<ExitDetails>(&each.details))
      return details->counts_as_failure;
  }
  return false;
}

inline std::optional<StartFailure> start_failure(const Decision& decision) {
  for (const Event& each : decision.events) {
    if (const auto* details = std::get_if<ExitDetails>(&each.details))
      return details->start_failure;
  }
  return std::nullopt;
}

inline std::optional<StartReason> start_reason(const Decision& decision) {
  const Event* starting = event(decision, EventKind::WorkerStarting);
  return starting ? std::optional(std::get<StartingDetails>(starting->details).reason)
                  : std::nullopt;
}

}  // namespace poolwarden::pool
