// Carries out what a new configuration changes, pool by pool, while requests come in.
//
//   live, recycle  the pool takes its new settings; a recycle replaces its workers one by one
//   add            the pool begins
//   remove         no new requests from here on; those that wait are answered; then it is stopped
//   restart        the same, and then it begins anew; what is asked of it meanwhile waits
//
// All routes change at one instant, for the gateway is told so last.

#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/compare_settings.h"
#include "link/scoreboard.h"
#include "loop/notifier.h"
#include "supervisor/pools.h"

namespace poolwarden::supervisor {

// What a reload did to one pool; how it is getting on: see standing().
struct PoolOutcome {
  config::PoolChange change;
  Pools::Runner runner;
  pool::BatchId batch{};  // of a recycle
};

struct Standing {
  enum class Stage { Pending, Done, Failed };
  Stage stage = Stage::Done;
  std::string sentence;  // "pool web: 1 of 2 workers recycled"
  std::string holdup;    // who keeps it from being done
};

class Reload {
 public:
  struct Around {
    boost::asio::io_context& io;
    Pools& pools;
    const link::Scoreboard& board;
    loop::Notifier& changes;
    std::function<void(const link::ToGateway&)> to_gateway;
    std::function<void(const pool::Event&)> publish;
    std::function<void()> changed;
    std::function<bool()> is_stopping;
  };
  explicit Reload(Around around) : around_(std::move(around)) {}

  // Why it cannot be carried out; nothing has changed then.
  Result<void> check(const config::Comparison& comparison) const;
  // A comparison that passed check(), with the settings that are wanted.
  std::vector<PoolOutcome> carry_out(const config::Comparison& comparison,
                                     const config::Settings& wanted);
  Standing standing(const PoolOutcome& outcome, TimePoint now) const;

 private:
  PoolOutcome apply(const config::PoolChange& change, const pool::PoolSettings* settings);
  void begin(const Pools::Runner& runner);
  void take_out(const std::string& name);
  boost::asio::awaitable<void> leave(Pools::Runner runner);
  boost::asio::awaitable<void> wait_for_requests(Pools::Runner runner);
  boost::asio::awaitable<bool> wait_until(std::function<bool()> condition);
  void has_left(const Pools::Runner& runner);
  void tell_gateway(const std::vector<link::ToGateway>& messages);
  Standing standing_of_recycle(const PoolOutcome& outcome, TimePoint now) const;
  Standing standing_of_start(const PoolOutcome& outcome, TimePoint now) const;

  Around around_;
  std::vector<Pools::Runner> just_taken_out_;
};

// "live change of stop.timeout and workers"; "added".
std::string describe(const config::PoolChange& change);
// Of keys at the top of the file: "live change of shutdown.delay".
std::string describe_live(const std::vector<std::string>& keys);

}  // namespace poolwarden::supervisor
