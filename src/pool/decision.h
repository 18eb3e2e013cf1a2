// What a pool answers when it is told what happened: things to do, and things to tell.

#pragma once

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "pool/event.h"

namespace poolwarden::pool {

// Whether and how requests for the pool are taken.
enum class Availability {
  Open,
  Restarting,  // a worker crashed and none serves: few requests may wait
  Stopped,
  RapidFail,
  StartFailure,
};

struct SpawnWorker {
  WorkerName name;
  // When its start is debugged: see DebugStart.
  std::vector<std::string> wrapper = {};
  std::map<std::string, std::string> extra_environment = {};
};
struct PublishWorker {  // it is ready: hand requests to it
  WorkerId id;
};
struct DrainWorker {  // no new request; tell worker_drained() when none is in flight
  WorkerId id;
  diagnosis::Intent why;
  std::optional<Duration> tunnel_limit;  // how long tunnels alone may hold it up
  std::uint32_t mark = 0;                // to be answered with
};
struct StopWorker {  // the stop signal
  WorkerId id;
};
struct SignalWorker {  // any signal, to itself
  WorkerId id;
  int signal;
};
struct ExamineWorker {  // it does not answer: note what its threads do, before it is ended
  WorkerId id;
};
struct KillWorker {  // its whole tree
  WorkerId id;
};
struct SuspendWorker {  // freeze it; tell suspend_failed() when that cannot be
  WorkerId id;
};
struct ResumeWorker {
  WorkerId id;
};
struct AbandonWorker {  // out of service at once: what it has in flight is cut
  WorkerId id;
};
struct RetireWorker {  // a published worker has ended, or is suspended
  WorkerId id;
};
struct SetAvailability {
  Availability availability;
};
struct RunHook {
  std::string name;  // "rapid_fail.action"
  std::vector<std::string> command;
  std::map<std::string, std::string> environment;
};
using Action = std::variant<SpawnWorker, PublishWorker, DrainWorker, StopWorker, SignalWorker,
                            ExamineWorker, KillWorker, SuspendWorker, ResumeWorker, AbandonWorker,
                            RetireWorker, SetAvailability, RunHook>;

struct Decision {
  std::vector<Action> actions;  // in the order in which they are to be done
  std::vector<Event> events;
};

}  // namespace poolwarden::pool
