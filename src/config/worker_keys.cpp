// The keys of a pool that say what each of its workers is.

#include "config/key_table.h"
#include "config/plain_formats.h"
#include "config/worker_formats.h"

namespace poolwarden::config {
namespace {

using pool::PoolSettings;
using worker::ConnectMode;
using worker::Containment;
using worker::CpuAction;
using Keys = KeyTable<PoolSettings>;
using enum Applies;

#define FIELD(member) \
  [](auto& owner) -> auto& { return owner.worker.member; }

template <typename T, typename Field>
void add(Keys& keys, const std::string& path, const Format<T>& format, Field field, Applies applies,
         const std::string& description, Effect effect = Effect::Now) {
  keys.push_back(bind<PoolSettings>(path, format, field, applies, description, effect));
}

void add_command(Keys& keys) {
  add(keys, "command", command_line("[gunicorn, \"app:app\"]", false), FIELD(command), ToNewWorkers,
      "The program: an argument list, run without a shell; or one text, run by /bin/sh -c. "
      "${NAME} becomes the value of that variable of the worker, $$ a dollar sign.");
  add(keys, "directory", optional(absolute_path("/srv/app")), FIELD(directory), ToNewWorkers,
      "The working directory; without it, that of the supervisor.");
  add(keys, "environment", variables(), FIELD(environment), ToNewWorkers,
      "Variables added to what the supervisor itself was given.");
}

void add_identity(Keys& keys) {
  add(keys, "identity.user", optional(word("user", "a user name such as www-data, or a number")),
      FIELD(identity.user), ToNewWorkers,
      "Who the worker runs as, with that user's own group; without it, as the supervisor.");
  add(keys, "identity.groups",
      list_of(word("groups", "a group name such as poolworkers, or a number"), "[poolworkers]"),
      FIELD(identity.groups), ToNewWorkers, "Supplementary groups.");
  add(keys, "identity.umask", optional(file_mode_mask()), FIELD(identity.umask), ToNewWorkers,
      "The file mode mask, in octal; without it, that of the supervisor.");
  add(keys, "identity.no_new_privileges", boolean(), FIELD(identity.no_new_privileges),
      ToNewWorkers, "Whether setuid programs and file capabilities give the worker nothing.");
  add(keys, "identity.capabilities",
      optional(list_of(capability(), "[CAP_NET_BIND_SERVICE], or [] for none")),
      FIELD(identity.capabilities), ToNewWorkers,
      "The capabilities that the worker keeps; [] for none; without it, as the user has them.");
}

void add_life(Keys& keys) {
  add(keys, "connect",
      choice<ConnectMode>({{"unix", ConnectMode::Unix},
                           {"tcp", ConnectMode::Tcp},
                           {"inherit", ConnectMode::Inherit}}),
      FIELD(connect), ToNewWorkers,
      "How the gateway reaches a worker: it binds the Unix socket POOLWARDEN_SOCKET, or the TCP "
      "address HOST and PORT, or inherits a listening socket as descriptor 3 (LISTEN_FDS).");
  add(keys, "threads.worker", whole(1, 100000), FIELD(threads.worker), ToNewWorkers,
      "Told to the worker as POOLWARDEN_WORKER_THREADS.");
  add(keys, "threads.io", whole(1, 100000), FIELD(threads.io), ToNewWorkers,
      "Told to the worker as POOLWARDEN_IO_THREADS.");
  add(keys, "ready.when", ready_when(), FIELD(ready.when), Live,
      "When a worker counts as ready: its socket takes connections, it sends READY=1 "
      "(sd_notify), it answers GET of a path with a status below 400, or exec succeeded. A pool "
      "without routes has started by default.");
  // A shorter way to write {when: {http: /path}}; what is written back is the longer one.
  const Format<std::string> path = url_path("/healthz");
  keys.push_back({"ready.http", path.kind, "The same as when: {http: /path}.", Live, Effect::Now,
                  path.schema,
                  [path](const Cell& cell, PoolSettings& pool) {
                    const std::optional<std::string> value = path.read(cell);
                    if (value) pool.worker.ready.when = worker::WhenHttp{*value};
                  },
                  [](const PoolSettings&) { return NodePtr(); }});
  add(keys, "ready.timeout", time_limit(), FIELD(ready.timeout), Live,
      "A worker that is not ready by then is killed, and counts as a failure.");
  add(keys, "stop.signal", catchable_signal(), FIELD(stop.signal), Live,
      "What asks a worker to end; sent when it has no request left.");
  add(keys, "stop.timeout", time_limit(), FIELD(stop.timeout), Live,
      "From the stop signal to the kill of the worker and everything it started.");
  add(keys, "stop.drain", time_limit(), FIELD(stop.drain), Live,
      "How long a stop or shutdown waits for requests in flight before the stop signal; a "
      "recycle waits without limit.");
  add(keys, "stop.tunnels", time_limit(), FIELD(stop.tunnels), Live,
      "How long tunnels (WebSockets) alone hold up a worker that is recycled; then they are cut.");
}

void add_limits(Keys& keys) {
  add(keys, "limits.memory", size_limit(), FIELD(limits.memory), ToNewWorkers,
      "Memory of each worker with all its processes; beyond it the kernel kills inside of this "
      "worker only.");
  add(keys, "limits.memory_high", size_limit(), FIELD(limits.memory_high), ToNewWorkers,
      "From here on the kernel slows the worker down and takes memory back.");
  add(keys, "limits.cpu", cpu_limit(), FIELD(limits.cpu), ToNewWorkers,
      "CPU time of each worker; 150% is one and a half CPUs.");
  add(keys, "limits.cpu_action",
      choice<CpuAction>(
          {{"throttle", CpuAction::Throttle}, {"kill", CpuAction::Kill}, {"log", CpuAction::Log}}),
      FIELD(limits.cpu_action), ToNewWorkers,
      "What happens at limits.cpu: throttle holds the worker at it; kill replaces a worker that "
      "has "
      "used more within limits.cpu_window; log only tells of it.");
  add(keys, "limits.cpu_window", time_span(), FIELD(limits.cpu_window), Live,
      "The time in which limits.cpu is counted by kill and log; throttle tells when a worker was "
      "held back for a fourth of it.");
  add(keys, "limits.cpu_weight", or_off(whole(1, 10000, ", or 0 for 100")),
      FIELD(limits.cpu_weight), ToNewWorkers,
      "Share of CPU time while all CPUs are busy: 200 has twice as much as another pool with 100, "
      "which is what a pool without it has.");
  add(keys, "limits.pids", large_count_limit(), FIELD(limits.pids), ToNewWorkers,
      "Processes and threads of each worker.");
  add(keys, "limits.open_files", large_count_limit(), FIELD(limits.open_files), ToNewWorkers,
      "Open descriptors of each process; 0 leaves them as they are.");
  add(keys, "limits.core", core_size(), FIELD(limits.core), ToNewWorkers,
      "Largest core file; 0 for none, infinite for any size.");
  add(keys, "limits.affinity", optional(cpu_list()), FIELD(limits.affinity), ToNewWorkers,
      "The CPUs that a worker may run on; without it, all.");
  add(keys, "limits.affinity_each", count_limit(), FIELD(limits.affinity_each), ToNewWorkers,
      "Each worker is bound to so many CPUs of limits.affinity, or of all, slot by slot; 0 leaves "
      "all of them to each.");
  add(keys, "containment",
      choice<Containment>(
          {{"required", Containment::Required}, {"best_effort", Containment::BestEffort}}),
      FIELD(containment), ToNewWorkers,
      "Whether a pool whose limits cannot be enforced here is refused, or runs without them.");
}

#undef FIELD

}  // namespace

KeyTable<PoolSettings> worker_keys() {
  Keys keys;
  add_command(keys);
  add_identity(keys);
  add_life(keys);
  add_limits(keys);
  return keys;
}

}  // namespace poolwarden::config
