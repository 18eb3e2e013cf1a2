// Which worker of a pool gets which request, and who waits: the one place where handing over and
// draining are decided, so no request can be handed to a worker after its drain mark.
//
//   Serving --drain--> Draining     a worker that is gone is forgotten when its last lease ends
//     ^ |                  | |
//     | +-----> Gone <-----+ |
//     +---add-----+----------+      one that was suspended comes back

#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "dispatch/lease.h"
#include "dispatch/request_queue.h"
#include "dispatch/words.h"

namespace poolwarden::dispatch {

// Whether and how a pool takes requests. Only Open and Restarting queue them.
enum class Mode { Open, Restarting, Stopped, RapidFail, StartFailure, ShuttingDown };

struct QueueRules {
  std::size_t limit = 1000;  // 0: none
  std::optional<Duration> timeout;
  std::optional<std::size_t> restart_limit;
};

// Answers to a request that wants a worker.
struct Waits {};
struct Refused {
  Reason reason;
  Rejection rejection;
  bool operator==(const Refused&) const = default;
};
using Admission = std::variant<Lease, Waits, Refused>;

struct Handover {
  TicketId ticket{};
  Lease lease;
  Duration waited{};
};
using Handovers = std::vector<Handover>;

class PoolDispatch {
 public:
  explicit PoolDispatch(QueueRules rules) : rules_(rules) {}
  void set_rules(QueueRules rules) { rules_ = rules; }

  Admission admit(TicketId ticket, TimePoint now);

  // Gives back the lease of a request that no worker ran, and asks for another. `since` is when
  // it was first admitted: it goes ahead of all that came later.
  Admission put_back(Ticket ticket, Lease lease, TimePoint now);

  // Each of these may free capacity: what is returned must be handed over.
  Handovers release(Lease lease, TimePoint now);
  // One that is known already serves again, whatever became of it.
  Handovers add_worker(WorkerId id, std::uint32_t limit, TimePoint now);
  // Of every worker. One that has more than it may have now gets nothing until it has less.
  Handovers set_limit(std::uint32_t limit, TimePoint now);
  Handovers worker_reached(WorkerId id, TimePoint now);  // it could be connected to
  Handovers retry_unreachable(TimePoint now);

  // Could not be connected to: gets nothing for a while, then one request to try with.
  void worker_unreachable(WorkerId id, TimePoint now);

  // No request is handed to it from here on. Ids that are not known are ignored.
  void drain_worker(WorkerId id);
  void remove_worker(WorkerId id);
  bool is_drained(WorkerId id) const;  // marked, and no lease is out; true for ids not known

  void abandon(TicketId ticket) { queue_.remove(ticket); }
  std::vector<TicketId> expire(TimePoint now);  // those that waited too long

  // Those that waited and are refused now, as `refusal()` says.
  std::vector<TicketId> set_mode(Mode mode);
  Mode mode() const { return mode_; }
  std::optional<Refused> refusal() const;  // of every request; none while the pool takes them

  std::optional<TimePoint> next_deadline() const;

  // Somebody waits, and no worker serves.
  bool needs_worker() const;
  bool has_serving_worker() const;
  const RequestQueue& queue() const { return queue_; }

 private:
  enum class State { Serving, Draining, Gone };
  struct Worker {
    WorkerId id{};
    std::uint32_t limit = 0;
    std::uint32_t in_flight = 0;
    State state = State::Serving;
    unsigned misses = 0;    // connects that failed since one succeeded
    bool on_trial = false;  // one request is out to see whether it can be reached again
    TimePoint retry_at{};
  };

  Worker* find(WorkerId id);
  static bool can_take(const Worker& worker, TimePoint now);
  Worker* choose(TimePoint now);
  Lease lend(Worker& worker, TimePoint now);
  void take_back(Lease lease);
  Handovers serve_queue(TimePoint now);
  std::optional<Refused> no_room() const;

  QueueRules rules_;
  Mode mode_ = Mode::Open;
  std::vector<Worker> workers_;
  std::size_t first_choice_ = 0;  // where choosing starts: ties rotate
  RequestQueue queue_;
};

}  // namespace poolwarden::dispatch
