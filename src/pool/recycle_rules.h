// When a worker is due to be recycled for what it has done or become: requests, age, memory.

#pragma once

#include <cstdint>
#include <optional>

#include "pool/event.h"
#include "pool/observation.h"
#include "pool/pool_settings.h"

namespace poolwarden::pool {

// Where in the jitter's span a worker falls: evenly spread over [0, 1), the same for the same
// worker, different for other seeds.
double jitter_of(std::uint64_t seed, WorkerId id);

// The limits of one worker. Jitter only ever shortens: what is configured is never exceeded.
struct RecycleLimits {
  std::optional<std::uint64_t> requests;
  std::optional<Duration> age;
  std::optional<std::uint64_t> memory;          // bytes
  std::optional<std::uint64_t> virtual_memory;  // bytes
};

// `jitter`: see jitter_of. `memory_total`: what percentages are of; 0: not known, they are no
// limit.
RecycleLimits recycle_limits(const Recycle& settings, double jitter, std::uint64_t memory_total);

// The first of the limits that is reached. `age` is since the worker was ready. When several are,
// memory goes before requests before age: the most urgent first.
std::optional<RecycleReason> due_reason(const RecycleLimits& limits, const WorkerObservation& seen,
                                        Duration age);

}  // namespace poolwarden::pool
