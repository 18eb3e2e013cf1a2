#include "cli/drill_order.h"

#include <algorithm>
#include <boost/json/array.hpp>

#include "base/units.h"
#include "cli/commands.h"
#include "cli/request_fields.h"
#include "journal/log_line.h"

namespace poolwarden::cli {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using control::Conversation;
using worker::WorkerState;

double seconds_between(TimePoint from, TimePoint to) {
  return std::chrono::duration<double>(to - from).count();
}

json::value seconds_or_null(TimePoint begun, const std::optional<TimePoint>& at) {
  if (!at) return nullptr;
  return seconds_between(begun, *at);
}

json::object worker_object(const pool::WorkerName& worker) {
  return {{"slot", worker.slot}, {"generation", worker.generation}, {"pid", worker.pid}};
}

pool::PoolSnapshot shot_of(const DrillTask& task) {
  return task.runner->snapshot(Clock::now(), WallClock::now());
}

std::string name_of(const DrillTask& task) { return task.runner->pool().settings().name; }

// Of those that serve, the first, or the one of this slot.
Result<pool::WorkerName> choose(const pool::PoolSnapshot& shot, std::optional<std::uint32_t> slot) {
  const pool::WorkerSnapshot* chosen = nullptr;
  for (const pool::WorkerSnapshot& worker : shot.workers) {
    if (worker.state != WorkerState::Serving || (slot && worker.name.slot != *slot)) continue;
    if (!chosen || worker.name.slot < chosen->name.slot) chosen = &worker;
  }
  if (chosen) return chosen->name;
  return failure("pool " + shot.settings->name + " has no serving worker" +
                 (slot ? " " + std::to_string(*slot) : ""));
}

// Which settings would have found that a worker hangs, for one that nothing found.
std::string undetected(const pool::PoolSettings& settings) {
  std::string text = "nothing found that the worker hung: ";
  const pool::Ping& ping = settings.health.ping;
  if (!ping.http_path && !ping.notify) {
    text += "health.ping is off and would find it";
  } else {
    text += "health.ping takes up to " +
            describe_duration(ping.timeout + (ping.http_path ? ping.interval : Duration()));
  }
  const auto& deadlock = settings.health.deadlock_after;
  if (!settings.speaks_http()) return text;
  if (!deadlock) return text + "; health.deadlock is off";
  return text + "; health.deadlock takes " + describe_duration(*deadlock) +
         ", and only while requests wait in the queue";
}

}  // namespace

Result<DrillTask> DrillOrder::read(const json::object& request) const {
  DrillTask task;
  task.words = text(request, "drill");
  const auto drill = parse_drill(task.words);
  if (!drill) return drill.error();
  task.drill = *drill;
  const std::string name = text(request, "pool");
  task.runner = supervisor_.find(name);
  if (!task.runner) {
    const auto near = nearest(name, supervisor_.pool_names());
    return failure("there is no pool \"" + name + "\"" +
                   (near ? "; did you mean \"" + *near + "\"?" : ""));
  }
  if (supervisor_.is_stopping()) return failure("the supervisor is stopping");
  if (const auto slot = number(request, "worker")) task.slot = static_cast<std::uint32_t>(*slot);
  constexpr std::int64_t kLongest = std::int64_t{3600} * 1000;
  const auto limit =
      std::clamp<std::int64_t>(number(request, "timeout_ms").value_or(0), 0, kLongest);
  task.deadline = Clock::now() + std::chrono::milliseconds(limit);
  task.despite_rapid_fail = flag(request, "yes");
  return task;
}

asio::awaitable<void> DrillOrder::carry_out(const json::object& request, Conversation& client) {
  auto task = read(request);
  if (!task) {
    co_await client.finish(kFailed, task.error().message);
  } else if (flag(request, "look")) {
    co_await client.finish(kDone, "", look(*task));
  } else if (const auto may = may_begin(*task); !may) {
    co_await client.finish(kFailed, may.error().message);
  } else if (const auto worker = choose(shot_of(*task), task->slot); !worker) {
    co_await client.finish(kFailed, "cannot drill: " + worker.error().message);
  } else {
    task->worker = *worker;
    const std::string pool = name_of(*task);
    drilled_.insert(pool);
    co_await perform(*task, client);
    drilled_.erase(pool);
  }
}

bool DrillOrder::trips_rapid_fail(const DrillTask& task) const {
  const auto& most = task.runner->pool().settings().rapid_fail.failures;
  return most && counts_as_failure(task.drill.kind) && shot_of(task).window_failures + 1 >= *most;
}

Result<void> DrillOrder::may_begin(const DrillTask& task) const {
  if (drilled_.contains(name_of(task)))
    return failure("cannot drill pool " + name_of(task) + ": another drill of it is under way");
  if (trips_rapid_fail(task) && !task.despite_rapid_fail) {
    return failure("cannot drill pool " + name_of(task) +
                   ": one more failure takes it out of service by rapid-fail protection; to do it "
                   "all the same, add --yes");
  }
  if (task.drill.kind != DrillKind::Oom) return {};
  if (!task.runner->pool().settings().worker.limits.memory)
    return failure("cannot drill oom: pool " + name_of(task) + " has no limits.memory");
  const auto all = supervisor_.snapshot();
  for (const pool::PoolSnapshot& shot : all->pools) {
    if (shot.settings->name == name_of(task) && !shot.limits_enforced)
      return failure("cannot drill oom: limits.memory of pool " + name_of(task) +
                     " is not enforced here (see `poolwarden status`)");
  }
  return {};
}

json::object DrillOrder::look(const DrillTask& task) const {
  const pool::PoolSettings& settings = task.runner->pool().settings();
  const pool::PoolSnapshot shot = shot_of(task);
  json::array listeners;
  for (const std::string& listener : supervisor_.snapshot()->listeners)
    listeners.emplace_back(listener);
  json::object found = {{"listeners", std::move(listeners)},
                        {"route", nullptr},
                        {"window_failures", shot.window_failures},
                        {"trips_rapid_fail", trips_rapid_fail(task)},
                        {"refusal", nullptr}};
  const std::string& disabled = task.runner->pool().disabled_because();
  if (const auto chosen = choose(shot, task.slot); task.slot && !chosen)
    found["refusal"] = chosen.error().message;
  if (task.runner->pool().disabled())
    found["refusal"] = "pool " + settings.name + " is out of service: " + disabled;
  if (settings.rapid_fail.failures) found["failures"] = *settings.rapid_fail.failures;
  if (!settings.routes.empty()) {
    const pool::Route& route = settings.routes.front();
    found["route"] = {{"host", route.host}, {"path", route.path}};
  }
  json::object lost;
  for (std::size_t i = 0; i < dispatch::kLossCauses; ++i) {
    const auto& cell = supervisor_.board().pools[shot.board_slot].lost[i];
    lost[dispatch::name(static_cast<dispatch::LossCause>(i))] = link::load(cell);
  }
  found["lost"] = std::move(lost);
  return found;
}

asio::awaitable<void> DrillOrder::perform(DrillTask task, Conversation& client) {
  Course course;
  const auto last = journal_.recent(1);
  if (!last.empty()) course.first_event = last.back().sequence;
  course.begun = Clock::now();
  DrillDeed deed(io_, host_, tools_, task);
  const std::function<bool()> goes_on = [&] {
    return !client.has_left() && broken_off(task).empty();
  };
  if (task.drill.kind != DrillKind::Recycle) task.runner->drilled(task.worker.id, task.words);
  course.failure = co_await deed.carry_out(goes_on);
  if (course.failure.empty()) co_await follow(task, course, client);
  deed.undo();
  task.runner->drilled(task.worker.id, "");
  if (client.has_left()) co_return;

  json::object line;
  line["drill"] = report(task, course);
  if (!co_await client.send(line)) co_return;
  if (!course.failure.empty()) {
    const std::string why = "cannot drill pool " + name_of(task) + ": " + course.failure;
    co_await client.finish(kFailed, why);
  } else if (course.replaced || task.drill.kind == DrillKind::Slow) {
    co_await client.finish(kDone, "");
  } else {
    const bool hangs_on = task.drill.kind == DrillKind::Hang && !course.noticed;
    const std::string holdup = task.runner->pool().holdup(Clock::now());
    const std::string why =
        hangs_on ? undetected(task.runner->pool().settings()) : "timed out: " + holdup;
    co_await client.finish(kTimedOut, why);
  }
}

asio::awaitable<void> DrillOrder::follow(const DrillTask& task, Course& course,
                                         Conversation& client) {
  for (;;) {
    observe(task, course);
    const bool is_over = course.replaced && course.gone;
    const bool was_only_slow = task.drill.kind == DrillKind::Slow && !course.noticed;
    if (is_over || was_only_slow || Clock::now() >= task.deadline) co_return;
    course.failure = broken_off(task);
    if (!course.failure.empty()) co_return;
    co_await changes_.wait_until(task.deadline);
    if (client.has_left()) co_return;
  }
}

void DrillOrder::observe(const DrillTask& task, Course& course) const {
  const pool::Pool& pool = task.runner->pool();
  const TimePoint now = Clock::now();
  if (!course.noticed && !pool.is_serving(task.worker.id)) course.noticed = now;
  const auto workers = shot_of(task).workers;
  const bool any_serves = std::any_of(workers.begin(), workers.end(), [](const auto& worker) {
    return worker.state == WorkerState::Serving;
  });
  // A pool that starts workers on demand is complete without any.
  if (course.noticed && !course.replaced && any_serves && pool.is_complete()) course.replaced = now;
  course.gone = std::none_of(workers.begin(), workers.end(), [&](const auto& worker) {
    return worker.name.id == task.worker.id && worker.state != WorkerState::Orphaned;
  });
}

// Why there is nothing to wait for any more; empty while there is.
std::string DrillOrder::broken_off(const DrillTask& task) const {
  const pool::Pool& pool = task.runner->pool();
  if (supervisor_.is_stopping()) return "the supervisor is stopping";
  if (supervisor_.find(pool.settings().name) != task.runner) return "a reload has removed it";
  if (pool.disabled()) return pool.disabled_because();
  return "";
}

json::object DrillOrder::report(const DrillTask& task, const Course& course) const {
  json::array events;
  for (const journal::Entry& entry : journal_.recent(journal::kEventsKept, course.first_event)) {
    if (entry.event.pool == name_of(task)) events.push_back(journal::as_json(entry));
  }
  return {{"worker", worker_object(task.worker)},
          {"noticed_after_seconds", seconds_or_null(course.begun, course.noticed)},
          {"replaced_after_seconds", seconds_or_null(course.begun, course.replaced)},
          {"worker_gone", course.gone},
          {"events", std::move(events)}};
}

}  // namespace poolwarden::cli
