// Where workers run: the seam between deciding and doing. process/linux_worker_host.h is the real
// one, tests/fakes/fake_worker_host.h the other.

#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "diagnosis/diagnosis.h"
#include "worker/usage.h"
#include "worker/worker_settings.h"
#include "worker/worker_state.h"

namespace poolwarden::worker {

// What the host keeps an eye on for as long as the worker serves.
struct Watch {
  // GET of this path, again and again; the next one follows `ping_interval` after the last ended.
  std::optional<std::string> ping_path;
  // The worker is told to send WATCHDOG=1 (WATCHDOG_USEC): at least once in `ping_timeout`.
  bool watchdog = false;
  Duration ping_interval{};
  Duration ping_timeout{};  // of one try
  // memory_high is told when the worker's memory passes this, where the kernel can tell (bytes).
  std::optional<std::uint64_t> memory;
};

// Which worker of which pool.
struct Assignment {
  WorkerId id{};
  std::string pool;
  std::uint32_t slot = 0;        // 0 … workers-1, stable over replacements
  std::uint64_t generation = 0;  // counts the workers that had this slot
  bool speaks_http = true;       // its pool has routes: give it a socket
  Watch watch = {};
  // When its start is debugged.
  std::vector<std::string> wrapper = {};  // a program and its arguments, put before the command
  std::map<std::string, std::string> extra_environment = {};
};

// What happens to a worker, each told on the supervision thread and never from within a call to
// the host. Order: started?, then ready?, then any number of status, then exited exactly once, then
// post_mortem when that said that there was more to come.
struct WorkerCallbacks {
  std::function<void(int pid)> started;
  std::function<void(const Endpoint&)> ready;
  std::function<void(const std::string&)> status;     // STATUS= of sd_notify(3)
  std::function<void(const std::string&)> unhealthy;  // X_POOLWARDEN_UNHEALTHY=reason
  std::function<void()> ping_sent;
  std::function<void(const PingAnswer&)> pinged;  // WATCHDOG=1 too: Answered, after no time
  std::function<void()> memory_high;              // see Watch::memory; may come often
  // The whole tree is gone, confirmed as far as the containment can tell.
  std::function<void(const diagnosis::Evidence&)> exited;
  // What was found after that, once, be it nothing: in Evidence's fields about what is found later,
  // and those of a fault, of what could not be loaded and of who has a port.
  std::function<void(const diagnosis::Evidence&)> post_mortem = {};
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

  // Any signal, to the worker itself.
  virtual void signal(WorkerId id, int number) = 0;

  // Looks at what its threads are doing, for the evidence of its end; before it is ended for not
  // answering.
  virtual void examine(WorkerId id) = 0;

  // Kills the whole tree. While the kernel writes a core file of the worker itself, that one is
  // left to it for some seconds.
  virtual void kill(WorkerId id) = 0;

  // The supervisor is to end: from now on nobody who is to be killed waits for a core file.
  virtual void hurry() = 0;

  // It is kept for inspection: no pings, no eye on its memory; its end is told as ever.
  virtual void stop_watching(WorkerId id) = 0;

  // Freezes the whole tree and lets the kernel take its memory back; resume() undoes it. Between
  // the two it is not pinged. Errors: it cannot be frozen; it runs on then.
  virtual Result<void> suspend(WorkerId id) = 0;
  virtual void resume(WorkerId id) = 0;

  // What it uses now; reads a few small files. Nothing of a worker that is not known.
  virtual Usage usage(WorkerId id) = 0;
  // Whether a debugger or tracer is attached to it (TracerPid of proc(5)).
  virtual bool is_traced(WorkerId id) = 0;
};

}  // namespace poolwarden::worker
