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
};
struct PublishWorker {  // it is ready: hand requests to it
  WorkerId id;
};
struct DrainWorker {  // no new request; tell worker_drained() when none is in flight
  WorkerId id;
  diagnosis::Intent why;
};
struct StopWorker {  // the stop signal
  WorkerId id;
};
struct KillWorker {  // its whole tree
  WorkerId id;
};
struct RetireWorker {  // a published worker has ended
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
using Action = std::variant<SpawnWorker, PublishWorker, DrainWorker, StopWorker, KillWorker,
                            RetireWorker, SetAvailability, RunHook>;

struct Decision {
  std::vector<Action> actions;  // in the order in which they are to be done
  std::vector<Event> events;
};

}  // namespace poolwarden::pool
