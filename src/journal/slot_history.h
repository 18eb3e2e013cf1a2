// The lives of the workers of each slot: born, ready, recycled because, ended, replaced by. Taken
// from the events; any thread may read.

#pragma once

#include <boost/json/object.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "diagnosis/certificate.h"
#include "pool/event.h"

namespace poolwarden::journal {

struct Life {
  std::string pool;
  std::uint32_t slot = 0;
  std::uint64_t generation = 0;
  int pid = 0;
  WallTime born;
  std::string started_because;          // "initial", "replace"; empty: not known
  std::optional<Duration> ready_after;  // absent: it was not, or is not yet
  std::string ailment;                  // "ping": it was found unhealthy
  std::string recycled_because;         // "memory"; empty: it was not
  std::optional<WallTime> ended;        // absent: it lives
  std::uint64_t certificate = 0;        // its number
  std::string ended_because;            // "segfault"; or what was asked of it: "recycle"
  std::uint64_t replaced_by = 0;        // the generation in its slot after it; 0: none yet
  bool is_earlier = false;              // of an earlier supervisor
};

boost::json::object as_json(const Life& life);
// Of a worker of an earlier supervisor: what the certificate tells, and `noted`, what as_json()
// had told besides.
Life life_from(const diagnosis::Certificate& certificate, const boost::json::object& noted);

struct HistoryBounds {
  std::size_t of_slot = 20;
  std::size_t of_pool = 200;
  std::size_t of_all = 2000;
};

class SlotHistory {
 public:
  explicit SlotHistory(HistoryBounds bounds = {}) : bounds_(bounds) {}

  // For the end of a worker the certificate has its number.
  void record(const pool::Event& event, WallTime at);
  void restore(std::vector<Life> lives);  // oldest first; before any is recorded

  // Newest first; of all slots when none is named.
  std::vector<Life> find(const std::string& pool, std::optional<std::uint32_t> slot,
                         std::size_t at_most) const;
  // That ended with this certificate.
  std::optional<Life> of_certificate(std::uint64_t number) const;

 private:
  Life* current(const std::string& pool, const pool::WorkerName& worker);
  void begin(const pool::Event& event, WallTime at);
  void end(Life& life, const pool::ExitDetails& details, WallTime at);
  void explain(const pool::PostMortemDetails& details);
  void make_room(const Life& newest);
  template <typename Belongs>
  void shorten(std::size_t at_most, Belongs belongs);

  const HistoryBounds bounds_;
  mutable std::mutex mutex_;  // what follows
  std::deque<Life> lives_;    // oldest first
};

}  // namespace poolwarden::journal
