#include "admin/answer.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <charconv>
#include <exception>
#include <limits>

#include "admin/status_page.h"
#include "base/clean_text.h"
#include "journal/json_values.h"

namespace poolwarden::admin {
namespace {

namespace json = boost::json;

constexpr const char* kPlain = "text/plain; charset=utf-8";
constexpr const char* kJson = "application/json";
constexpr std::uint64_t kMostCertificates = 100;  // of each pool, in one answer

Answer plain(unsigned status, std::string body) { return {status, kPlain, std::move(body), ""}; }
Answer as_json(const json::value& value) { return {200, kJson, journal::serialized(value), ""}; }

Answer metrics_answer(const Question& question, const AdminSources& sources) {
  const metrics::ExpositionFormat format = metrics::choose_format(question.accept);
  return {200, std::string(metrics::content_type(format)), sources.exposition.render(format), ""};
}

Answer readiness(const Question& question, const AdminSources& sources) {
  const std::shared_ptr<const pool::Snapshot> snapshot = sources.snapshots.read();
  if (!snapshot) return plain(503, "not ready: the supervisor is starting\n");
  const bool is_ready = pool::is_ready(*snapshot);
  std::string lines = is_ready ? "ready\n" : "not ready\n";
  if (snapshot->stopping) lines += "the supervisor is stopping\n";
  json::array pools;
  for (const pool::PoolSnapshot& pool : snapshot->pools) {
    if (!pool.settings) continue;
    const bool serves = can_serve(pool);
    const std::string why = serves ? "serving" : why_not_serving(pool);
    lines += pool.settings->name + ": " + escaped(why) + "\n";
    pools.push_back(json::object{{"name", pool.settings->name},
                                 {"essential", pool.settings->essential},
                                 {"can_serve", serves},
                                 {"why", valid_utf8(why)}});
  }
  const unsigned status = is_ready ? 200 : 503;
  if (question.accept.find("application/json") == std::string_view::npos) {
    return plain(status, lines);
  }
  const json::object report = {
      {"ready", is_ready}, {"stopping", snapshot->stopping}, {"pools", std::move(pools)}};
  return {status, kJson, journal::serialized(report), ""};
}

Answer events(const Question& question, const AdminSources& sources) {
  const std::string pool = query_field(question.target, "pool");
  const std::uint64_t limit = number_or(query_field(question.target, "limit"), 1000);
  const std::uint64_t after = number_or(query_field(question.target, "after"), 0);
  std::vector<journal::Entry> entries = sources.journal.recent(journal::kEventsKept, after);
  if (!pool.empty()) {
    std::erase_if(entries, [&](const journal::Entry& entry) { return entry.event.pool != pool; });
  }
  const std::size_t skipped = entries.size() - std::min<std::uint64_t>(limit, entries.size());
  json::array all;
  for (std::size_t i = skipped; i < entries.size(); ++i) {
    all.push_back(journal::as_json(entries[i]));
  }
  return as_json(all);
}

// Newest first. `number`: that one alone; `last`: how many of each pool; `expected=false`: without
// ends that were asked for.
Answer certificates(const Question& question, const AdminSources& sources) {
  const journal::CertificateStore& store = sources.deaths.certificates();
  if (const std::string number = query_field(question.target, "number"); !number.empty()) {
    std::vector<journal::KeptCertificate> found;
    if (auto one = store.numbered(number_or(number, 0))) found.push_back(std::move(one));
    return as_json(journal::shown(found).certificates);
  }
  journal::CertificateQuery query;
  query.pool = query_field(question.target, "pool");
  query.at_most =
      std::min(number_or(query_field(question.target, "last"), query.at_most), kMostCertificates);
  query.only_unexpected = query_field(question.target, "expected") == "false";
  constexpr std::uint64_t kNone = std::numeric_limits<std::uint32_t>::max();
  const std::string worker = query_field(question.target, "worker");
  if (!worker.empty())
    query.slot = static_cast<std::uint32_t>(std::min(number_or(worker, kNone), kNone));
  journal::Shown shown = journal::shown(store.find(query));
  Answer answer = as_json(std::move(shown.certificates));
  if (shown.left_out > 0) {
    answer.note = std::to_string(shown.left_out) +
                  " older ones are left out: ask for a pool, a worker, or by number";
  }
  return answer;
}

Answer answer_path(std::string_view path, const Question& question, const AdminSources& sources) {
  if (path == "/metrics") return metrics_answer(question, sources);
  if (path == "/healthz") return plain(200, "ok\n");
  if (path == "/readyz") return readiness(question, sources);
  if (path == "/api/v1/status") return as_json(sources.status());
  if (path == "/api/v1/events") return events(question, sources);
  if (path == "/api/v1/certificates") return certificates(question, sources);
  if (path == "/") return {200, "text/html; charset=utf-8", std::string(kStatusPage), ""};
  return plain(404,
               "not found; there are / /metrics /healthz /readyz /api/v1/status /api/v1/events "
               "/api/v1/certificates\n");
}

std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool has_code = text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
                          hex_digit(text[i + 2]) >= 0;
    if (has_code) {
      out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

}  // namespace

Answer answer(const Question& question, const AdminSources& sources) {
  if (question.method != "GET" && question.method != "HEAD") {
    return plain(405, "only GET and HEAD are answered here; use the poolwarden command\n");
  }
  try {
    return answer_path(path_of(question.target), question, sources);
  } catch (const std::exception& error) {
    return plain(500, "cannot answer: " + std::string(error.what()) + "\n");
  }
}

bool asks_for_event_stream(const Question& question) {
  return question.method == "GET" && path_of(question.target) == "/api/v1/events" &&
         question.accept.find("text/event-stream") != std::string_view::npos;
}

std::string query_field(std::string_view target, std::string_view name) {
  const std::size_t start = target.find('?');
  if (start == std::string_view::npos) return "";
  std::string_view rest = target.substr(start + 1);
  while (!rest.empty()) {
    const std::string_view field = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(field.size() + 1, rest.size()));
    const std::size_t equals = field.find('=');
    if (equals != std::string_view::npos && field.substr(0, equals) == name) {
      return percent_decoded(field.substr(equals + 1));
    }
  }
  return "";
}

std::uint64_t number_or(const std::string& text, std::uint64_t otherwise) {
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  return parsed.ec == std::errc() && parsed.ptr == end ? number : otherwise;
}

}  // namespace poolwarden::admin
