// How what a reload began in a pool is getting on.

#include "supervisor/reload.h"

namespace poolwarden::supervisor {

using config::Change;
using pool::PoolState;

namespace {

// New settings may have cured it, but only an administrator puts it back.
std::string still_disabled(const pool::Pool& pool) {
  if (!pool.disabled() || *pool.disabled() == pool::DisabledReason::Config) return "";
  return "; it stays out of service (" + pool.disabled_because() + ") until poolwarden start " +
         pool.settings().name;
}

Standing changed(const PoolOutcome& outcome) {
  return {Standing::Stage::Done,
          "pool " + outcome.change.pool + ": " + describe(outcome.change) +
              still_disabled(outcome.runner->pool()),
          ""};
}

}  // namespace

Standing Reload::standing(const PoolOutcome& outcome, TimePoint now) const {
  using enum Standing::Stage;
  const std::string name = "pool " + outcome.change.pool;
  switch (outcome.change.change) {
    case Change::Unchanged:
    case Change::Live:
      break;
    case Change::Recycle:
      return standing_of_recycle(outcome, now);
    case Change::Restart:
    case Change::Add:
      return standing_of_start(outcome, now);
    case Change::Remove:
      if (around_.pools.find_leaving(outcome.change.pool) != outcome.runner) break;
      return {Pending, name + " is being stopped", outcome.runner->pool().holdup(now)};
  }
  return changed(outcome);
}

Standing Reload::standing_of_recycle(const PoolOutcome& outcome, TimePoint now) const {
  using enum Standing::Stage;
  const std::string name = "pool " + outcome.change.pool;
  const auto progress = outcome.runner->pool().progress(outcome.batch);
  if (!progress)
    return {Failed, name + ": the outcome was forgotten, for too many came after it", ""};
  const std::string count = name + ": " + std::to_string(progress->done) + " of " +
                            std::to_string(progress->total) + " workers recycled";
  if (progress->finished() && progress->failed > 0)
    return {Failed, count + "; " + progress->last_failure, ""};
  if (progress->total == 0) return changed(outcome);
  if (progress->finished()) return {Done, count, ""};
  return {Pending, count, outcome.runner->pool().holdup(now)};
}

Standing Reload::standing_of_start(const PoolOutcome& outcome, TimePoint now) const {
  using enum Standing::Stage;
  const std::string name = "pool " + outcome.change.pool;
  if (around_.pools.find(outcome.change.pool) != outcome.runner)
    return {Failed, name + " was changed again by another reload", ""};
  const pool::Pool& pool = outcome.runner->pool();
  if (const Pools::Runner before = around_.pools.find_leaving(outcome.change.pool))
    return {Pending, name + " waits for its old workers", before->pool().holdup(now)};
  if (pool.disabled() && *pool.disabled() != pool::DisabledReason::Admin)
    return {Failed, name + " did not start: " + pool.disabled_because(), ""};
  if (pool.disabled() || (pool.state() == PoolState::Running && pool.is_complete()))
    return {Done, name + ": " + describe(outcome.change), ""};
  return {Pending, name + " is starting", pool.holdup(now)};
}

}  // namespace poolwarden::supervisor
