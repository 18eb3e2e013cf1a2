// Looks at a pool's workers from time to time: at the scoreboard for their requests, at the host
// for what they use.

#pragma once

#include <functional>
#include <map>

#include "link/scoreboard.h"
#include "pool/pool.h"
#include "worker/worker_host.h"

namespace poolwarden::supervisor {

// Memory that this container may use, and of it what is in use and cannot be taken back at no cost
// (bytes; `used` absent where it is not known).
struct Memory {
  std::uint64_t total = 0;
  std::optional<std::uint64_t> used;
};

class PoolObserver {
 public:
  PoolObserver(const link::Scoreboard& board, std::uint32_t pool_row, worker::WorkerHost& host,
               std::function<Memory()> memory)
      : board_(board), pool_row_(pool_row), host_(host), memory_(std::move(memory)) {}

  // What workers use costs a few system calls each: it is looked at once a second, and at once
  // after look_closely().
  pool::Observation observe(const std::vector<worker::WorkerId>& workers,
                            const std::map<worker::WorkerId, std::uint32_t>& rows, TimePoint now);
  void look_closely() { next_usage_ = TimePoint{}; }

 private:
  pool::WorkerObservation of_worker(std::uint32_t row, TimePoint now) const;

  const link::Scoreboard& board_;
  std::uint32_t pool_row_;
  worker::WorkerHost& host_;
  std::function<Memory()> memory_;
  TimePoint next_usage_{};
  Memory seen_;
};

}  // namespace poolwarden::supervisor
