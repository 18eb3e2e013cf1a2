#include "journal/slot_history.h"

#include <algorithm>
#include <map>
#include <utility>

#include "journal/json_values.h"

namespace poolwarden::journal {

namespace json = boost::json;
using pool::EventKind;

json::object as_json(const Life& life) {
  json::object object{{"worker", life.slot},
                      {"generation", life.generation},
                      {"pid", life.pid},
                      {"born", json_time(life.born)}};
  const auto put = [&](const char* key, const std::string& word) {
    if (!word.empty()) object[key] = json_text(word);
  };
  put("started_because", life.started_because);
  if (life.ready_after) object["ready_after_seconds"] = json_seconds(*life.ready_after);
  put("ailment", life.ailment);
  put("recycled_because", life.recycled_because);
  if (life.ended) object["ended"] = json_time(*life.ended);
  put("ended_because", life.ended_because);
  if (life.certificate != 0) object["certificate"] = life.certificate;
  if (life.replaced_by != 0) object["replaced_by"] = life.replaced_by;
  if (life.is_earlier) object["earlier_supervisor"] = true;
  return object;
}

namespace {

std::string word_of_end(const diagnosis::Certificate& certificate) {
  const diagnosis::Diagnosis& why = certificate.diagnosis;
  return std::string(why.expected ? name(certificate.intent) : name(why.cause));
}

}  // namespace

Life life_from(const diagnosis::Certificate& certificate, const json::object& noted) {
  Life life;
  life.pool = certificate.pool;
  life.slot = certificate.slot;
  life.generation = certificate.generation;
  life.pid = certificate.pid;
  life.born =
      certificate.ended - std::chrono::duration_cast<WallTime::duration>(certificate.uptime);
  life.started_because = text_in(noted, "started_because");
  if (noted.contains("ready_after_seconds"))
    life.ready_after = microseconds_in(noted, "ready_after_seconds");
  life.ailment = text_in(noted, "ailment");
  life.recycled_because = text_in(noted, "recycled_because");
  life.ended = certificate.ended;
  life.ended_because = word_of_end(certificate);
  life.certificate = certificate.number;
  life.replaced_by = count_in(noted, "replaced_by");
  return life;
}

namespace {

// Who came next was not known yet when an end was written down.
void link(std::vector<Life>& lives) {
  std::map<std::pair<std::string, std::uint32_t>, Life*> last;
  for (Life& life : lives) {
    Life*& before = last[{life.pool, life.slot}];
    if (before != nullptr && before->replaced_by == 0 && before->generation < life.generation)
      before->replaced_by = life.generation;
    before = &life;
  }
}

}  // namespace

void SlotHistory::record(const pool::Event& event, WallTime at) {
  if (!event.worker) return;
  std::lock_guard lock(mutex_);
  if (event.kind == EventKind::WorkerStarting) return begin(event, at);
  if (const auto* later = std::get_if<pool::PostMortemDetails>(&event.details))
    return explain(*later);
  Life* life = current(event.pool, *event.worker);
  if (life == nullptr) return;
  if (event.worker->pid != 0) life->pid = event.worker->pid;
  if (const auto* ready = std::get_if<pool::ReadyDetails>(&event.details)) {
    life->ready_after = ready->startup;
  } else if (const auto* recycle = std::get_if<pool::RecycleDetails>(&event.details)) {
    life->recycled_because = name(recycle->reason);
  } else if (const auto* ailment = std::get_if<pool::AilmentDetails>(&event.details)) {
    life->ailment = name(ailment->ailment);
  } else if (const auto* exit = std::get_if<pool::ExitDetails>(&event.details)) {
    end(*life, *exit, at);
  }
}

// It takes the place of those of its slot that live, and of those that ended and had no successor.
void SlotHistory::begin(const pool::Event& event, WallTime at) {
  const std::uint64_t generation = event.worker->generation;
  for (auto one = lives_.rbegin(); one != lives_.rend(); ++one) {
    if (one->pool != event.pool || one->slot != event.worker->slot) continue;
    if (one->is_earlier || one->generation >= generation) break;
    if (!one->ended || one->replaced_by == 0) one->replaced_by = generation;
  }
  Life life;
  life.pool = event.pool;
  life.slot = event.worker->slot;
  life.generation = event.worker->generation;
  life.born = at;
  if (const auto* starting = std::get_if<pool::StartingDetails>(&event.details))
    life.started_because = name(starting->reason);
  lives_.push_back(std::move(life));
  make_room(lives_.back());
}

void SlotHistory::end(Life& life, const pool::ExitDetails& details, WallTime at) {
  life.ended = at;
  if (!details.certificate) return;
  life.ended_because = word_of_end(*details.certificate);
  life.certificate = details.certificate->number;
}

// What became known of an end may have changed its diagnosis.
void SlotHistory::explain(const pool::PostMortemDetails& details) {
  if (!details.certificate || details.certificate->number == 0) return;
  for (Life& life : lives_) {
    if (life.certificate == details.certificate->number)
      life.ended_because = word_of_end(*details.certificate);
  }
}

void SlotHistory::restore(std::vector<Life> lives) {
  link(lives);
  using Slot = std::pair<std::string, std::uint32_t>;
  std::map<Slot, std::size_t> of_slot;
  std::map<std::string, std::size_t> of_pool;
  std::lock_guard lock(mutex_);
  std::size_t kept = 0;
  for (auto life = lives.rbegin(); life != lives.rend() && kept < bounds_.of_all; ++life) {
    std::size_t& in_slot = of_slot[{life->pool, life->slot}];
    std::size_t& in_pool = of_pool[life->pool];
    if (in_slot >= bounds_.of_slot || in_pool >= bounds_.of_pool) continue;
    ++in_slot;
    ++in_pool;
    ++kept;
    life->is_earlier = true;
    lives_.push_front(std::move(*life));
  }
}

Life* SlotHistory::current(const std::string& pool, const pool::WorkerName& worker) {
  const auto found = std::find_if(lives_.rbegin(), lives_.rend(), [&](const Life& life) {
    return life.pool == pool && life.slot == worker.slot && life.generation == worker.generation;
  });
  return found == lives_.rend() || found->ended ? nullptr : &*found;
}

void SlotHistory::make_room(const Life& newest) {
  const std::string pool = newest.pool;
  const std::uint32_t slot = newest.slot;
  shorten(bounds_.of_slot,
          [&](const Life& life) { return life.slot == slot && life.pool == pool; });
  shorten(bounds_.of_pool, [&](const Life& life) { return life.pool == pool; });
  shorten(bounds_.of_all, [](const Life&) { return true; });
}

// Forgets the oldest of those that belong together; those that live are few.
template <typename Belongs>
void SlotHistory::shorten(std::size_t at_most, Belongs belongs) {
  if (static_cast<std::size_t>(std::count_if(lives_.begin(), lives_.end(), belongs)) <= at_most)
    return;
  const auto oldest = std::find_if(lives_.begin(), lives_.end(),
                                   [&](const Life& life) { return life.ended && belongs(life); });
  if (oldest != lives_.end()) lives_.erase(oldest);
}

std::vector<Life> SlotHistory::find(const std::string& pool, std::optional<std::uint32_t> slot,
                                    std::size_t at_most) const {
  std::vector<Life> found;
  std::lock_guard lock(mutex_);
  for (auto life = lives_.rbegin(); life != lives_.rend() && found.size() < at_most; ++life) {
    if (life->pool == pool && (!slot || life->slot == *slot)) found.push_back(*life);
  }
  return found;
}

std::optional<Life> SlotHistory::of_certificate(std::uint64_t number) const {
  std::lock_guard lock(mutex_);
  const auto found = std::find_if(lives_.rbegin(), lives_.rend(),
                                  [&](const Life& life) { return life.certificate == number; });
  return found == lives_.rend() ? std::nullopt : std::optional(*found);
}

}  // namespace poolwarden::journal
