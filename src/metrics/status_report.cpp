#include "metrics/status_report.h"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <string_view>

#include "journal/certificate_json.h"
#include "journal/json_values.h"
#include "metrics/board_rows.h"

namespace poolwarden::metrics {
namespace {

namespace json = boost::json;
using link::load;

json::string text(std::string_view words) {
  return journal::json_text(words);  // some of them are a worker's own
}

json::value seconds_since_epoch(const std::optional<WallTime>& time) {
  if (!time) return nullptr;
  return journal::json_time(*time);
}

using journal::json_seconds;

json::value number_or_null(std::uint64_t number) {
  if (number == 0) return nullptr;
  return number;
}

// The certificate; what it wrote is one text here, and has been since before there were
// certificates.
json::object exit_object(const diagnosis::Certificate& certificate) {
  json::object exit = journal::as_json(certificate);
  exit.erase("output");
  exit["status"] = text(diagnosis::describe(certificate.evidence.status));
  exit["next_step"] = text(certificate.diagnosis.next_step);
  exit["last_output"] = text(certificate.evidence.last_output);
  return exit;
}

json::object worker_object(const pool::WorkerSnapshot& worker, const pool::PoolSnapshot& pool,
                           const link::Scoreboard& board, const WorkerUsage& usage, WallTime now) {
  json::object object = {
      {"slot", worker.name.slot},
      {"generation", worker.name.generation},
      {"pid", worker.name.pid},
      {"state", text(name(worker.state))},
      {"started", seconds_since_epoch(worker.started)},
      {"age_seconds", std::chrono::duration<double>(now - worker.started).count()},
      {"ready", seconds_since_epoch(worker.ready)},
      {"endpoint", text(worker.endpoint)},
      {"status_text", text(worker.status_text)},
      {"unhealthy", worker.unhealthy},
      {"requests", 0},
      {"in_flight", 0},
      {"tunnels", 0},
      {"memory", nullptr},
      {"memory_limit", number_or_null(pool.memory_limit)},
  };
  if (const link::WorkerRow* row = worker_row(board, worker.board_slot)) {
    object["requests"] = load(row->requests);
    object["in_flight"] = load(row->in_flight);
    object["tunnels"] = load(row->tunnels);
  }
  const std::optional<cgroup::Usage> used = usage ? usage(worker) : std::nullopt;
  if (used && used->memory_current) object["memory"] = *used->memory_current;
  if (used && used->memory_limit) object["memory_limit"] = *used->memory_limit;
  return object;
}

// "2xx": 17, …
json::object responses_by_class(const link::PoolRow& row) {
  json::object classes;
  for (std::size_t hundred = 1; hundred <= 5; ++hundred) {
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < 100; ++i) {
      count += load(row.responses[hundred * 100 - link::kFirstStatus + i]);
    }
    classes[std::to_string(hundred) + "xx"] = count;
  }
  classes["other"] = load(row.responses_other);
  return classes;
}

void add_requests(json::object& object, const pool::PoolSnapshot& pool, const link::PoolRow& row) {
  const std::uint64_t length = load(row.queue_length);
  const double age = length == 0 ? 0 : seconds_since(load(row.oldest_waiting_since), Clock::now());
  object["queue"] = {{"length", length},
                     {"limit", number_or_null(pool.settings->queue.limit)},
                     {"oldest_age_seconds", age}};
  object["requests"] = responses_by_class(row);
  object["in_flight"] = load(row.in_flight);
  object["tunnels"] = load(row.tunnels);
}

json::object rapid_fail_object(const pool::PoolSnapshot& pool) {
  const pool::RapidFailSettings& settings = pool.settings->rapid_fail;
  json::object object = {{"window", pool.window_failures},
                         {"max", nullptr},
                         {"within_seconds", nullptr},
                         {"last_trip", seconds_since_epoch(pool.last_trip)}};
  if (settings.failures) {
    object["max"] = *settings.failures;
    object["within_seconds"] = json_seconds(settings.within);
  }
  return object;
}

json::object pool_object(const pool::PoolSnapshot& pool, const link::Scoreboard& board,
                         const WorkerUsage& usage, WallTime now) {
  json::object object = {
      {"name", text(pool.settings->name)},
      {"state", text(name(pool.state))},
      {"can_serve", can_serve(pool)},
      {"removed", pool.removed},
      {"essential", pool.settings->essential},
      {"http", pool.settings->speaks_http()},
      {"disabled", nullptr},
      {"reason", text(pool.disabled_because)},
      {"workers_desired", pool.workers_desired},
      {"workers_min", pool.workers_min},
      {"workers_max", pool.workers_max},
      {"running_since", seconds_since_epoch(pool.running_since)},
      {"limits_enforced", pool.limits_enforced},
      {"backoff_seconds", json_seconds(pool.backoff)},
      {"next_start", seconds_since_epoch(pool.next_start)},
      {"next_recycle_at", seconds_since_epoch(pool.next_recycle_at)},
      {"rapid_fail", rapid_fail_object(pool)},
      {"last_exit", nullptr},
  };
  if (pool.disabled) object["disabled"] = text(name(*pool.disabled));
  if (pool.last_certificate) object["last_exit"] = exit_object(*pool.last_certificate);
  const link::PoolRow* row = pool_row(board, pool.board_slot);
  if (row != nullptr && pool.settings->speaks_http()) add_requests(object, pool, *row);
  json::array workers;
  for (const pool::WorkerSnapshot& worker : pool.workers) {
    workers.push_back(worker_object(worker, pool, board, usage, now));
  }
  object["workers"] = std::move(workers);
  return object;
}

json::object supervisor_object(const pool::Snapshot& snapshot, WallTime now) {
  json::array missing;
  for (const std::string& what : snapshot.containment.missing) missing.push_back(text(what));
  return {
      {"started", seconds_since_epoch(snapshot.supervisor_started)},
      {"uptime_seconds", std::chrono::duration<double>(now - snapshot.supervisor_started).count()},
      {"snapshot_age_seconds", std::chrono::duration<double>(now - snapshot.taken).count()},
      {"stopping", snapshot.stopping},
      {"ready", is_ready(snapshot)},
      {"gateway_pid", snapshot.gateway_pid},
      {"gateway_restarts", snapshot.gateway_restarts},
      {"orphans_reaped", snapshot.orphans_reaped},
      {"containment",
       {{"cgroup", text(snapshot.containment.cgroup)},
        {"subreaper", snapshot.containment.subreaper},
        {"pid1", snapshot.containment.pid1},
        {"missing", std::move(missing)}}},
  };
}

json::array listener_array(const pool::Snapshot& snapshot, const link::Scoreboard& board) {
  json::array listeners;
  for (std::size_t i = 0; i < snapshot.listeners.size() && i < link::kMaxListeners; ++i) {
    const link::ListenerRow& row = board.listeners[i];
    listeners.push_back(json::object{{"address", text(snapshot.listeners[i])},
                                     {"open", load(row.open)},
                                     {"accepted", load(row.accepted)},
                                     {"accept_failures", load(row.accept_failures)}});
  }
  return listeners;
}

}  // namespace

json::object status_report(const pool::Snapshot& snapshot, const link::Scoreboard& board,
                           const WorkerUsage& usage, WallTime now) {
  json::array pools;
  for (const pool::PoolSnapshot& pool : snapshot.pools) {
    if (pool.settings) pools.push_back(pool_object(pool, board, usage, now));
  }
  return {{"supervisor", supervisor_object(snapshot, now)},
          {"listeners", listener_array(snapshot, board)},
          {"pools", std::move(pools)}};
}

}  // namespace poolwarden::metrics
