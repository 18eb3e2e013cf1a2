#include "pool/recycle_rules.h"

#include <algorithm>

namespace poolwarden::pool {
namespace {

constexpr std::uint64_t kStep = 0x9e3779b97f4a7c15;  // of splitmix64

// splitmix64's finalizer: neighbouring ids, as one pool's workers have, land far apart.
std::uint64_t mixed(std::uint64_t value) {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

std::uint64_t shortened(std::uint64_t configured, std::uint32_t percent, double jitter) {
  const double longest_cut = static_cast<double>(configured) * percent / 100;
  const auto cut = static_cast<std::uint64_t>(longest_cut * jitter);
  return std::max<std::uint64_t>(configured - std::min(cut, configured), 1);
}

std::optional<std::uint64_t> in_bytes(const std::optional<Size>& size, std::uint64_t total) {
  if (!size) return std::nullopt;
  const std::uint64_t bytes = resolve(*size, total);
  // A percentage of what is not known: as a limit of 0 bytes every worker would exceed it.
  if (bytes == 0) return std::nullopt;
  return bytes;
}

template <typename Value>
bool is_reached(const std::optional<Value>& limit, const std::optional<Value>& value) {
  return limit && value && *value >= *limit;
}

}  // namespace

double jitter_of(std::uint64_t seed, WorkerId id) {
  const std::uint64_t hash = mixed(mixed(seed + kStep) + worker::number(id) * kStep);
  // As many bits as a double holds exactly: more would round up to 1.
  return static_cast<double>(hash >> 11) * 0x1p-53;
}

RecycleLimits recycle_limits(const Recycle& settings, double jitter, std::uint64_t memory_total) {
  RecycleLimits limits;
  if (settings.after_requests)
    limits.requests = shortened(*settings.after_requests, settings.jitter_percent, jitter);
  if (settings.after_time) {
    const auto age = static_cast<std::uint64_t>(settings.after_time->count());
    limits.age =
        Duration(static_cast<Duration::rep>(shortened(age, settings.jitter_percent, jitter)));
  }
  limits.memory = in_bytes(settings.over_memory, memory_total);
  limits.virtual_memory = in_bytes(settings.over_virtual_memory, memory_total);
  return limits;
}

std::optional<RecycleReason> due_reason(const RecycleLimits& limits, const WorkerObservation& seen,
                                        Duration age) {
  if (is_reached(limits.memory, seen.usage.memory)) return RecycleReason::PrivateMemory;
  if (is_reached(limits.virtual_memory, seen.usage.virtual_memory)) return RecycleReason::Memory;
  if (is_reached(limits.requests, std::optional(seen.requests))) return RecycleReason::Requests;
  if (is_reached(limits.age, std::optional(age))) return RecycleReason::Time;
  return std::nullopt;
}

}  // namespace poolwarden::pool
