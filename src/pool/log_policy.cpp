#include "pool/log_policy.h"

#include <algorithm>
#include <array>

namespace poolwarden::pool {
namespace {

constexpr std::array kUnexpectedEnds = {EventKind::WorkerUnhealthy, EventKind::WorkerExited,
                                        EventKind::WorkerOrphaned};
constexpr std::array kPlannedSteps = {EventKind::WorkerRecycled,  EventKind::RecycleDeferred,
                                      EventKind::WorkerDraining,  EventKind::WorkerIdle,
                                      EventKind::WorkerSuspended, EventKind::WorkerResumed};

template <typename Kinds>
bool is_one_of(EventKind kind, const Kinds& kinds) {
  return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

// The level from which on it is silent; nullopt: log_level is not about it.
std::optional<LogLevel> silenced_by(const Event& event) {
  if (is_one_of(event.kind, kUnexpectedEnds)) return LogLevel::None;
  if (is_one_of(event.kind, kPlannedSteps)) return LogLevel::Errors;
  if (event.kind != EventKind::WorkerRecycling) return std::nullopt;
  const auto* recycle = std::get_if<RecycleDetails>(&event.details);
  return recycle && !is_reactive(recycle->reason) ? LogLevel::Errors : LogLevel::None;
}

}  // namespace

bool is_logged(const Event& event, LogLevel level) {
  const std::optional<LogLevel> silenced = silenced_by(event);
  if (!silenced) return true;
  switch (level) {
    case LogLevel::All:
      return true;
    case LogLevel::Errors:
      return silenced == LogLevel::None;
    case LogLevel::None:
      return false;
  }
  return true;
}

}  // namespace poolwarden::pool
