// Where workers run: the seam between deciding and doing. process/linux_worker_host.h is the real
// one, tests/fakes/fake_worker_host.h the other.

#pragma once

#include <functional>
#include <string>

#include "diagnosis/diagnosis.h"
#include "worker/worker_settings.h"
#include "worker/worker_state.h"

namespace poolwarden::worker {

// Which worker of which pool.
struct Assignment {
  WorkerId id{};
  std::string pool;
  std::uint32_t slot = 0;        // 0 … workers-1, stable over replacements
  std::uint64_t generation = 0;  // counts the workers that had this slot
  bool speaks_http = true;       // its pool has routes: give it a socket
};

// What happens to a worker, each told on the supervision thread and never from within a call to
// the host. Order: started?, then ready?, then any number of status, then exited exactly once.
struct WorkerCallbacks {
  std::function<void(int pid)> started;
  std::function<void(const Endpoint&)> ready;
  std::function<void(const std::string&)> status;  // STATUS= of sd_notify(3)
  // The whole tree is gone, confirmed as far as the containment can tell.
  std::function<void(const diagnosis::Evidence&)> exited;
};

class WorkerHost {
 public:
  virtual ~WorkerHost() = default;

  // Exactly one `exited` follows, also when the worker could not be started.
  virtual void spawn(const Assignment& assignment, const WorkerSettings& settings,
                     WorkerCallbacks callbacks) = 0;

  // The stop signal of its settings, to the worker itself; its descendants are its own business
  // until kill() or its end. Unknown ids are ignored: the worker may just have ended.
  virtual void ask_to_stop(WorkerId id) = 0;

  // Kills the whole tree.
  virtual void kill(WorkerId id) = 0;
};

}  // namespace poolwarden::worker
