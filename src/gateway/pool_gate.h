// One pool as the gateway has it: carries out what PoolDispatch decides, for requests that want a
// worker, and keeps the pool's row of the scoreboard.

#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "dispatch/pool_dispatch.h"
#include "gateway/io.h"
#include "gateway/tell.h"
#include "gateway/upstream.h"
#include "link/messages.h"
#include "link/scoreboard.h"

namespace poolwarden::gateway {

// A request in the queue. Exactly one of these is called, once, unless it calls abandon() itself;
// never from within a call of its own to the gate.
class Waiter {
 public:
  virtual void handed_over(dispatch::Lease lease) = 0;
  virtual void refused(const dispatch::Refused& refused) = 0;
  virtual void client_left() = 0;

  // Asked before a worker is given to a request that has waited for long.
  virtual bool client_has_left() const = 0;

 protected:
  ~Waiter() = default;
};

class PoolGate {
 public:
  PoolGate(asio::io_context& io, const link::PoolAdded& pool, link::PoolRow& row, Tell tell);
  PoolGate(const PoolGate&) = delete;
  PoolGate& operator=(const PoolGate&) = delete;

  // Held by whoever works with the gate for longer than a call: it stays until then.
  class Use {
   public:
    explicit Use(PoolGate& gate) : gate_(gate) { ++gate_.users_; }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    ~Use() { --gate_.users_; }

   private:
    PoolGate& gate_;
  };

  // Waits: `waiter` is told later.
  dispatch::Admission admit(dispatch::Ticket ticket, Waiter& waiter);
  dispatch::Admission put_back(dispatch::Ticket ticket, dispatch::Lease lease, Waiter& waiter);
  void abandon(dispatch::TicketId ticket);
  void give_back(dispatch::Lease lease, bool answered);

  Upstream& upstream(const dispatch::Lease& lease) { return *upstreams_.at(lease.worker()); }
  void reached(dispatch::WorkerId id);
  void unreachable(const dispatch::Lease& lease);
  // A request that `upstream` had ended without an answer.
  void count_lost(const Upstream& upstream);
  // The same; told to the supervisor when `upstream` is being drained, whoever gets the request
  // now.
  void report_drain_broken(Upstream& upstream);
  // A request took longer than it may: the supervisor is told once of each worker.
  void report_timeout(Upstream& upstream);
  // A request whose answer `upstream` owes: told if its worker turns out to have ended.
  void note_cut(Upstream& upstream, link::RequestCutShort cut);
  void begin_tunnel(Upstream& upstream);
  void end_tunnel(Upstream& upstream);

  // What the supervisor says. Row and mode stay, whatever `pool` says of them.
  void change_settings(const link::PoolAdded& pool);
  void set_mode(link::PoolMode mode, std::optional<std::uint32_t> retry_after_seconds);
  void add_worker(const link::WorkerReady& worker, link::WorkerRow& row);
  void drain(const link::DrainWorker& mark);
  void remove(dispatch::WorkerId id);
  void abandon_worker(dispatch::WorkerId id);  // and its connections
  void refuse_as_shutting_down();
  void retire();           // no request comes here any more
  bool is_unused() const;  // retired, and nobody knows it

  void sweep(TimePoint now);
  void close();  // no timer is left behind

  link::PoolRow& row() { return row_; }
  const std::string& name() const { return name_; }
  std::optional<Duration> request_timeout() const { return request_timeout_; }
  std::optional<std::uint32_t> retry_after_seconds() const { return retry_after_seconds_; }
  bool resets_when_open() const { return when_open_ == pool::WhenOpen::Reset; }
  bool has_serving_worker() const { return dispatch_.has_serving_worker(); }

 private:
  dispatch::Admission settle(dispatch::Admission admission, dispatch::TicketId ticket,
                             Waiter& waiter);
  void begin_lease(dispatch::WorkerId id);
  void end_lease(dispatch::WorkerId id);
  void after_lease(dispatch::WorkerId id);
  void deliver(dispatch::Handovers handovers);
  Waiter* take_waiter(dispatch::TicketId ticket);
  void refuse_all(const std::vector<dispatch::TicketId>& tickets, const dispatch::Refused& refused);
  void queue_changed();
  void publish_queue();
  void set_timer();
  void tick();
  void ask_for_worker();
  void set_dispatch_mode(dispatch::Mode mode);

  Timer timer_;
  std::optional<TimePoint> timer_at_;
  unsigned timer_waits_ = 0;  // those that were cancelled too, until they are told
  std::string name_;
  link::PoolRow& row_;
  Tell tell_;
  pool::WhenOpen when_open_ = pool::WhenOpen::Respond503;
  std::optional<Duration> request_timeout_;
  std::optional<Duration> client_check_;
  std::uint32_t concurrency_ = 1;
  std::optional<std::uint32_t> retry_after_seconds_;
  dispatch::PoolDispatch dispatch_;
  std::map<dispatch::WorkerId, std::unique_ptr<Upstream>> upstreams_;
  std::unordered_map<dispatch::TicketId, Waiter*> waiters_;
  std::uint64_t published_length_ = 0;
  TimePoint last_demand_{};
  bool demand_due_ = false;
  TimePoint last_stale_check_{};
  bool retired_ = false;
  unsigned users_ = 0;
};

}  // namespace poolwarden::gateway
