#include "metrics/scoreboard_collector.h"

#include <limits>

#include "metrics/board_rows.h"

namespace poolwarden::metrics {
namespace {

using link::load;

constexpr int kUsualCodes[] = {200, 404, 500, 502, 503, 504};

bool is_usual(std::size_t code) {
  for (const int usual : kUsualCodes) {
    if (static_cast<std::size_t>(usual) == code) return true;
  }
  return false;
}

double value(const link::Cell& cell) { return static_cast<double>(load(cell)); }

template <std::size_t Bounds>
prometheus::ClientMetric::Histogram read(const link::Histogram<Bounds>& histogram,
                                         const std::array<double, Bounds>& bounds) {
  prometheus::ClientMetric::Histogram result;
  std::uint64_t count = 0;
  for (std::size_t i = 0; i <= Bounds; ++i) {
    count += load(histogram.buckets[i]);
    const double bound = i < Bounds ? bounds[i] : std::numeric_limits<double>::infinity();
    result.bucket.push_back({count, bound});
  }
  result.sample_count = count;
  result.sample_sum = value(histogram.sum_nanoseconds) / 1e9;
  return result;
}

// One counter for each value of an enumeration.
template <typename Enum, std::size_t Count>
void add_each(Samples& samples, Metric metric, const std::string& pool, const char* label,
              const std::array<link::Cell, Count>& cells) {
  for (std::size_t i = 0; i < Count; ++i) {
    const std::string word(name(static_cast<Enum>(i)));
    samples.add(metric, {{"pool", pool}, {label, word}}, value(cells[i]));
  }
}

void add_traffic(Samples& samples, const std::string& pool, const link::PoolRow& row) {
  add_each<dispatch::RequestFailure>(samples, Metric::HttpRequestFailures, pool, "reason",
                                     row.failures);
  samples.add(Metric::HttpReceivedBytes, {{"pool", pool}}, value(row.received_bytes));
  samples.add(Metric::HttpSentBytes, {{"pool", pool}}, value(row.sent_bytes));
}

void add_queue(Samples& samples, const std::string& pool, const link::PoolRow& row,
               std::uint32_t limit) {
  const Labels labels = {{"pool", pool}};
  samples.add(Metric::QueueLength, labels, value(row.queue_length));
  if (limit != 0) samples.add(Metric::QueueLimit, labels, static_cast<double>(limit));
  const double age =
      load(row.queue_length) == 0 ? 0 : seconds_since(load(row.oldest_waiting_since), Clock::now());
  samples.add(Metric::QueueOldestAge, labels, age);
  samples.add(Metric::QueueEnqueued, labels, value(row.queue_enqueued));
  samples.add(Metric::QueueWait, labels, read(row.queue_wait_seconds, dispatch::kQueueWaitBuckets));
  add_each<dispatch::Rejection>(samples, Metric::QueueRejected, pool, "reason", row.rejected);
}

void add_listeners(Samples& samples, const std::vector<std::string>& listeners,
                   const link::Scoreboard& board) {
  for (std::size_t i = 0; i < listeners.size() && i < link::kMaxListeners; ++i) {
    const link::ListenerRow& row = board.listeners[i];
    const Labels labels = {{"listener", listeners[i]}};
    samples.add(Metric::HttpConnections, labels, value(row.open));
    samples.add(Metric::HttpConnectionsAccepted, labels, value(row.accepted));
    samples.add(Metric::HttpAcceptFailures, labels, value(row.accept_failures));
  }
}

}  // namespace

void ScoreboardCollector::add_responses(Samples& samples, const std::string& pool,
                                        const link::PoolRow& row) const {
  const auto add = [&](const std::string& code, bool is_expected, const link::Cell& cell) {
    const bool was_shown = shown_.contains({pool, code});
    if (!is_expected && !was_shown && load(cell) == 0) return;
    samples.add(Metric::HttpRequests, {{"pool", pool}, {"code", code}},
                is_expected || was_shown ? value(cell) : 0.0);
    if (!was_shown) shown_.insert({pool, code});
  };
  for (std::size_t i = 0; i < row.responses.size(); ++i) {
    const std::size_t code = i + link::kFirstStatus;
    if (!is_usual(code) && load(row.responses[i]) == 0) continue;
    add(std::to_string(code), is_usual(code), row.responses[i]);
  }
  add("other", false, row.responses_other);
}

void ScoreboardCollector::add_pool(Samples& samples, const pool::PoolSnapshot& pool) const {
  const link::PoolRow* row = pool_row(board_, pool.board_slot);
  if (row == nullptr) return;
  const std::string& name = pool.settings->name;
  const Labels labels = {{"pool", name}};
  add_responses(samples, name, *row);
  add_traffic(samples, name, *row);
  add_queue(samples, name, *row, pool.settings->queue.limit);
  samples.add(Metric::HttpRequestDuration, labels,
              read(row->request_seconds, dispatch::kRequestBuckets));
  samples.add(Metric::HttpUpstreamDuration, labels,
              read(row->upstream_seconds, dispatch::kRequestBuckets));
  samples.add(Metric::HttpRequestsInFlight, labels, value(row->in_flight));
  add_each<dispatch::LossCause>(samples, Metric::HttpRequestsLost, name, "cause", row->lost);
  samples.add(Metric::HttpRetries, labels, value(row->retries));
  samples.add(Metric::WebsocketsInFlight, labels, value(row->tunnels));
}

std::vector<prometheus::MetricFamily> ScoreboardCollector::Collect() const {
  const std::shared_ptr<const pool::Snapshot> snapshot = snapshots_.read();
  if (!snapshot) return {};
  std::lock_guard lock(mutex_);
  Samples samples;
  for (const pool::PoolSnapshot& pool : snapshot->pools) {
    if (pool.settings && pool.settings->speaks_http()) add_pool(samples, pool);
  }
  add_responses(samples, "", board_.unrouted);
  add_traffic(samples, "", board_.unrouted);
  add_listeners(samples, snapshot->listeners, board_);
  return samples.take();
}

}  // namespace poolwarden::metrics
