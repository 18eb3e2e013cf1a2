// What becomes known of a worker after its end: its core file, where it stood, the requests that
// its end cut short. Told once more, with the whole certificate; nothing is counted anew.

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/units.h"
#include "pool/pool.h"

namespace poolwarden::pool {
namespace {

constexpr std::size_t kRemembered = 64;
constexpr std::size_t kMostRemembered = 128;  // more than a host ever looks at, of all pools
constexpr std::size_t kMostCuts = 8;          // of one worker
// The gateway tells of one request after the other: told together.
constexpr Duration kGathering = std::chrono::milliseconds(300);

template <typename Values>
void append(Values& to, const Values& from) {
  to.insert(to.end(), from.begin(), from.end());
}

void add(diagnosis::Evidence& known, const diagnosis::Evidence& found) {
  if (found.fault) known.fault = found.fault;
  if (found.core) known.core = found.core;
  if (!found.loader.empty()) known.loader = found.loader;
  if (found.port_holder) known.port_holder = found.port_holder;
  if (!found.backtrace.empty()) known.backtrace = found.backtrace;
  if (!found.why_no_backtrace.empty()) known.why_no_backtrace = found.why_no_backtrace;
  append(known.cut_requests, found.cut_requests);
}

bool is_anything(const diagnosis::Evidence& found) {
  return found.fault || found.core || !found.loader.empty() || found.port_holder ||
         !found.backtrace.empty() || !found.why_no_backtrace.empty() || !found.cut_requests.empty();
}

std::string describe_cuts(const std::vector<diagnosis::CutRequest>& cuts) {
  std::string text = "its end cut " + std::to_string(cuts.size()) +
                     (cuts.size() == 1 ? " request short: " : " requests short: ");
  for (const diagnosis::CutRequest& cut : cuts) {
    if (&cut != &cuts.front()) text += ", ";
    text += cut.method + " " + cut.path + " after " + describe_duration(cut.age);
  }
  return text;
}

std::string describe_core(const diagnosis::CoreFile& core) {
  if (core.path.empty()) return "it left no core file: " + core.why_none;
  return "its core file is " + core.path + " (" + format_bytes(core.bytes) +
         (core.why_none.empty() ? "" : ", " + core.why_none) + ")";
}

// "…; its core file is /srv/core (3MiB); it stood in main () at app.c:3".
std::string sentence_of(const diagnosis::Evidence& found) {
  std::string text = "more is known of its end";
  if (!found.cut_requests.empty()) text += "; " + describe_cuts(found.cut_requests);
  if (found.core) text += "; " + describe_core(*found.core);
  if (!found.backtrace.empty()) text += "; it stood in " + found.backtrace.front();
  if (!found.why_no_backtrace.empty()) text += "; no backtrace: " + found.why_no_backtrace;
  return text;
}

}  // namespace

bool Pool::remembers(WorkerId id) const {
  return std::any_of(past_.begin(), past_.end(),
                     [id](const Past& past) { return past.name.id == id; });
}

Pool::Past* Pool::find_past(WorkerId id) {
  const auto found = std::find_if(past_.begin(), past_.end(),
                                  [id](const Past& past) { return past.name.id == id; });
  return found == past_.end() ? nullptr : &*found;
}

void Pool::remember(const Worker& worker,
                    std::shared_ptr<const diagnosis::Certificate> certificate) {
  if (past_.size() >= kRemembered) {
    const auto told =
        std::find_if(past_.begin(), past_.end(), [](const Past& past) { return !past.is_awaited; });
    if (told != past_.end()) {
      past_.erase(told);
    } else if (past_.size() >= kMostRemembered) {
      past_.pop_front();
    }
  }
  const bool is_awaited = certificate->evidence.is_more_to_come;
  past_.push_back({worker.name,
                   circumstances_of(worker),
                   std::move(certificate),
                   {},
                   std::nullopt,
                   is_awaited});
}

Decision Pool::request_cut_short(WorkerId id, const diagnosis::CutRequest& cut, TimePoint now) {
  if (Worker* worker = find(id)) {
    if (worker->cut_requests.size() < kMostCuts) worker->cut_requests.push_back(cut);
    return {};
  }
  Past* past = find_past(id);
  if (!past) return {};
  const std::size_t told = past->certificate->evidence.cut_requests.size();
  if (told + past->found.cut_requests.size() >= kMostCuts) return {};
  past->found.cut_requests.push_back(cut);
  if (!past->tell_at) past->tell_at = now + kGathering;
  return {};
}

Decision Pool::found_later(WorkerId id, const diagnosis::Evidence& found) {
  Decision decision;
  Past* past = find_past(id);
  if (!past) return decision;
  past->is_awaited = false;
  add(past->found, found);
  if (is_anything(past->found)) tell_more(*past, decision);
  return decision;
}

void Pool::tell_more(Past& past, Decision& decision) {
  const diagnosis::Evidence found = std::exchange(past.found, {});
  past.tell_at.reset();
  auto amended = std::make_shared<diagnosis::Certificate>(*past.certificate);
  add(amended->evidence, found);
  amended->evidence.is_more_to_come = past.is_awaited;
  amended->diagnosis = diagnose(amended->evidence, past.circumstances);
  if (last_certificate_ == past.certificate) last_certificate_ = amended;
  past.certificate = amended;
  Event event{EventKind::WorkerPostMortem, settings_->name, past.name, sentence_of(found),
              PostMortemDetails{std::move(amended)}};
  decision.events.push_back(std::move(event));
}

void Pool::tell_of_past(TimePoint now, Decision& decision) {
  for (Past& past : past_)
    if (past.tell_at && *past.tell_at <= now) tell_more(past, decision);
}

}  // namespace poolwarden::pool
