// Which worker of a pool starts under a debugger, a tracer or loader tracing: the next one that is
// started after the order, in the slot that it names or in any, and only that one.

#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "worker/worker_state.h"

namespace poolwarden::pool {

struct DebugStart {
  std::string tool;                                // "gdb"
  std::vector<std::string> wrapper;                // put before the worker's command
  std::map<std::string, std::string> environment;  // added to the worker's
  std::optional<std::uint32_t> patience = 10;      // times ready.timeout; absent: no limit
};

// How long a worker that starts so may take to become ready; absent: as long as it takes.
std::optional<Duration> ready_limit(const std::optional<DebugStart>& start,
                                    std::optional<Duration> ready_timeout);

enum class DebugId : std::uint64_t { None = 0 };

//   Waiting --a worker is started--> Carried --it ends--> Ended
//      |
//      +--withdrawn, or ordered anew--> Withdrawn
enum class DebugStage { Waiting, Carried, Ended, Withdrawn };

class Debugging {
 public:
  // In place of an order that waits. `slot`: whose worker it is for; absent: any.
  DebugId order(DebugStart start, std::optional<std::uint32_t> slot = std::nullopt);
  bool withdraw();  // false: none waits
  bool is_waiting() const { return waiting_.has_value(); }

  // This worker of `slot` is being started: it takes the order that waits, if there is one for it.
  std::optional<DebugStart> taken_by(worker::WorkerId worker, std::uint32_t slot);
  void worker_ended(worker::WorkerId worker);

  struct Standing {
    DebugId id{};
    DebugStage stage = DebugStage::Waiting;
    worker::WorkerId worker{};  // that carries or carried it
  };
  // Absent when it is over for so long that it was forgotten.
  std::optional<Standing> standing(DebugId id) const;
  bool is_over(DebugId id) const;  // it does not wait, and no worker carries it

 private:
  std::uint64_t last_ = 0;
  std::optional<DebugStart> waiting_;  // the order at the end of standings_
  std::optional<std::uint32_t> slot_;  // that it is for
  std::deque<Standing> standings_;     // the last few, and all that are not over
};

}  // namespace poolwarden::pool
