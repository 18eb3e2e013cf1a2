// The scoreboard: one shared memory file of counters. Gateways write it, the supervisor maps it
// read-only, so that counts survive a gateway's death and a scrape costs the data path nothing.
//
// The reader trusts nothing in it: rows are indexed by what the supervisor itself handed out, and
// every value is only ever shown as a number. Gauges are reset by the supervisor's request
// (`Welcome` of link/messages.h) when a new gateway takes over; counters go on.

#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/result.h"
#include "dispatch/words.h"

namespace poolwarden::link {

using Cell = std::atomic<std::uint64_t>;
static_assert(Cell::is_always_lock_free, "cells are shared between processes");

inline constexpr std::size_t kMaxPools = 256;
inline constexpr std::size_t kMaxWorkers = 4096;
inline constexpr std::size_t kMaxListeners = 64;
inline constexpr std::size_t kFirstStatus = 100;
inline constexpr std::size_t kLastStatus = 599;

template <std::size_t Bounds>
struct Histogram {
  std::array<Cell, Bounds + 1> buckets;  // not cumulative; the last is +Inf
  Cell sum_nanoseconds;

  void observe(double seconds, const std::array<double, Bounds>& bounds) {
    std::size_t bucket = 0;
    while (bucket < Bounds && seconds > bounds[bucket]) ++bucket;
    buckets[bucket].fetch_add(1, std::memory_order_relaxed);
    sum_nanoseconds.fetch_add(static_cast<std::uint64_t>(seconds * 1e9), std::memory_order_relaxed);
  }
};

struct PoolRow {
  std::array<Cell, kLastStatus - kFirstStatus + 1> responses;  // by status code; see count_response
  Cell responses_other;
  Histogram<dispatch::kRequestBuckets.size()> request_seconds;
  Histogram<dispatch::kRequestBuckets.size()> upstream_seconds;
  Histogram<dispatch::kQueueWaitBuckets.size()> queue_wait_seconds;
  Cell queue_enqueued;
  std::array<Cell, dispatch::kRejections> rejected;
  std::array<Cell, dispatch::kRequestFailures> failures;
  std::array<Cell, dispatch::kLossCauses> lost;
  Cell retries;
  Cell received_bytes;  // from clients, bodies and heads
  Cell sent_bytes;      // to clients
  // Gauges.
  Cell queue_length;
  Cell oldest_waiting_since;  // steady clock, nanoseconds; 0 = nobody waits
  Cell in_flight;
  Cell tunnels;

  void clear_counters();  // gauges stay: what is counted there ends by itself

  void count_response(int status) {
    const auto code = static_cast<std::size_t>(status);
    Cell& cell = status >= 0 && code >= kFirstStatus && code <= kLastStatus
                     ? responses[code - kFirstStatus]
                     : responses_other;
    cell.fetch_add(1, std::memory_order_relaxed);
  }
};

struct WorkerRow {
  Cell requests;       // answered; counts from 0 for each worker
  Cell in_flight;      // gauge
  Cell tunnels;        // gauge; of those in flight
  Cell last_response;  // steady clock, nanoseconds: it last sent something; 0 = nothing yet
};

struct ListenerRow {
  Cell accepted;
  Cell accept_failures;  // descriptors or memory ran out
  Cell open;             // gauge
};

struct Scoreboard {
  std::uint64_t magic;
  std::uint64_t size;
  std::array<PoolRow, kMaxPools> pools;
  std::array<WorkerRow, kMaxWorkers> workers;
  std::array<ListenerRow, kMaxListeners> listeners;
  PoolRow unrouted;  // requests that belong to no pool: no_route, bad_request

  // Sets every gauge to 0; counters stay. By the one gateway that starts.
  void reset_gauges();
};

// A mapping of the scoreboard file; unmapped at its end.
class ScoreboardMap {
 public:
  // A new file of zeroes that can neither grow nor shrink (memfd_create(2), F_ADD_SEALS), mapped
  // read-only here. `fd` is to be handed to gateways.
  static Result<ScoreboardMap> create();

  // What a gateway does with the descriptor it was given: maps it for writing, checks its size and
  // seals. `fd` stays the caller's and may be closed afterwards.
  static Result<ScoreboardMap> open_for_writing(int fd);

  ScoreboardMap(ScoreboardMap&& other) noexcept;
  ScoreboardMap& operator=(ScoreboardMap&&) = delete;
  ~ScoreboardMap();

  const Scoreboard& board() const { return *board_; }
  Scoreboard& writable() const;   // only after open_for_writing
  int fd() const { return fd_; }  // -1 after open_for_writing

 private:
  ScoreboardMap(Scoreboard* board, int fd, bool writable)
      : board_(board), fd_(fd), writable_(writable) {}
  Scoreboard* board_;
  int fd_;
  bool writable_;
};

inline std::uint64_t load(const Cell& cell) { return cell.load(std::memory_order_relaxed); }

}  // namespace poolwarden::link
