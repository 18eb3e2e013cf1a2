// Words for what is seen of a pool on the bench.

#pragma once

#include "unit/pool/pool_bench.h"

namespace poolwarden::pool {

inline WorkerObservation busy(std::uint32_t in_flight) {
  WorkerObservation seen;
  seen.in_flight = in_flight;
  return seen;
}

inline WorkerObservation after(std::uint64_t requests) {
  WorkerObservation seen;
  seen.requests = requests;
  return seen;
}

inline WorkerObservation using_memory(std::uint64_t bytes) {
  WorkerObservation seen;
  seen.usage.memory = bytes;
  return seen;
}

using Seen = std::map<std::uint64_t, WorkerObservation>;

inline Decision look(Bench& bench, const Observation& seen) {
  return bench.pool.observe(seen, bench.now, WallTime{} + (bench.now - TimePoint{}));
}

inline Decision look(Bench& bench, std::uint64_t waiting, const Seen& workers) {
  Observation seen;
  seen.waiting = waiting;
  for (const auto& [id, what] : workers) seen.workers[WorkerId{id}] = what;
  return look(bench, seen);
}

inline std::vector<int> signals(const Decision& decision) {
  std::vector<int> all;
  for (const Action& action : decision.actions) {
    if (const auto* match = std::get_if<SignalWorker>(&action)) all.push_back(match->signal);
  }
  return all;
}

inline std::vector<RecycleReason> recycle_reasons(const Decision& decision) {
  std::vector<RecycleReason> all;
  for (const Event& each : decision.events) {
    if (const auto* details = std::get_if<RecycleDetails>(&each.details))
      all.push_back(details->reason);
  }
  return all;
}

inline std::vector<Deferral> deferrals(const Decision& decision) {
  std::vector<Deferral> all;
  for (const Event& each : decision.events) {
    if (const auto* details = std::get_if<DeferralDetails>(&each.details))
      all.push_back(details->reason);
  }
  return all;
}

}  // namespace poolwarden::pool
