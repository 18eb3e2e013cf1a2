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

#define FIELD(member) \
  [](auto& owner) -> auto& { return owner.worker.member; }

template <typename T, typename Field>
void add(Keys& keys, const std::string& path, const Format<T>& format, Field field,
         const std::string& description, Effect effect = Effect::Now) {
  keys.push_back(bind<PoolSettings>(path, format, field, description, effect));
}

void add_command(Keys& keys) {
  add(keys, "command", command_line("[gunicorn, \"app:app\"]", false), FIELD(command),
      "The program: an argument list, run without a shell; or one text, run by /bin/sh -c. "
      "${NAME} becomes the value of that variable of the worker, $$ a dollar sign.");
  add(keys, "directory", optional(absolute_path("/srv/app")), FIELD(directory),
      "The working directory; without it, that of the supervisor.");
  add(keys, "environment", variables(), FIELD(environment),
      "Variables added to what the supervisor itself was given.");
}

void add_identity(Keys& keys) {
  add(keys, "identity.user", optional(word("user", "a user name such as www-data, or a number")),
      FIELD(identity.user),
      "Who the worker runs as, with that user's own group; without it, as the supervisor.");
  add(keys, "identity.groups",
      list_of(word("groups", "a group name such as poolworkers, or a number"), "[poolworkers]"),
      FIELD(identity.groups), "Supplementary groups.");
  add(keys, "identity.umask", optional(file_mode_mask()), FIELD(identity.umask),
      "The file mode mask, in octal; without it, that of the supervisor.");
  add(keys, "identity.no_new_privileges", boolean(), FIELD(identity.no_new_privileges),
      "Whether setuid programs and file capabilities give the worker nothing.");
  add(keys, "identity.capabilities",
      optional(list_of(capability(), "[CAP_NET_BIND_SERVICE], or [] for none")),
      FIELD(identity.capabilities),
      "The capabilities that the worker keeps; [] for none; without it, as the user has them.");
}

void add_life(Keys& keys) {
  add(keys, "connect",
      choice<ConnectMode>({{"unix", ConnectMode::Unix},
                           {"tcp", ConnectMode::Tcp},
                           {"inherit", ConnectMode::Inherit}}),
      FIELD(connect),
      "How the gateway reaches a worker: it binds the Unix socket POOLWARDEN_SOCKET, or the TCP "
      "address HOST and PORT, or inherits a listening socket as descriptor 3 (LISTEN_FDS).");
  add(keys, "threads.worker", whole(1, 100000), FIELD(threads.worker),
      "Told to the worker as POOLWARDEN_WORKER_THREADS.");
  add(keys, "threads.io", whole(1, 100000), FIELD(threads.io),
      "Told to the worker as POOLWARDEN_IO_THREADS.");
  add(keys, "ready.when", ready_when(), FIELD(ready.when),
      "When a worker counts as ready: its socket takes connections, it sends READY=1 "
      "(sd_notify), it answers GET of a path with a status below 400, or exec succeeded. A pool "
      "without routes has started by default.");
  // A shorter way to write {when: {http: /path}}; what is written back is the longer one.
  const Format<std::string> path = url_path("/healthz");
  keys.push_back({"ready.http", path.kind, "The same as when: {http: /path}.", Effect::Now,
                  path.schema,
                  [path](const Cell& cell, PoolSettings& pool) {
                    const std::optional<std::string> value = path.read(cell);
                    if (value) pool.worker.ready.when = worker::WhenHttp{*value};
                  },
                  [](const PoolSettings&) { return NodePtr(); }});
  add(keys, "ready.timeout", time_limit(), FIELD(ready.timeout),
      "A worker that is not ready by then is killed, and counts as a failure.");
  add(keys, "stop.signal", stop_signal(), FIELD(stop.signal),
      "What asks a worker to end; sent when it has no request left.");
  add(keys, "stop.timeout", time_limit(), FIELD(stop.timeout),
      "From the stop signal to the kill of the worker and everything it started.");
  add(keys, "stop.drain", time_limit(), FIELD(stop.drain),
      "How long a stop or shutdown waits for requests in flight before the stop signal; a "
      "recycle waits without limit.");
}

void add_limits(Keys& keys) {
  add(keys, "limits.memory", size_limit(), FIELD(limits.memory),
      "Memory of each worker with all its processes; beyond it the kernel kills inside of this "
      "worker only.");
  add(keys, "limits.memory_high", size_limit(), FIELD(limits.memory_high),
      "From here on the kernel slows the worker down and takes memory back.");
  add(keys, "limits.cpu", cpu_limit(), FIELD(limits.cpu),
      "CPU time of each worker; 150% is one and a half CPUs.");
  add(keys, "limits.cpu_action",
      choice<CpuAction>(
          {{"throttle", CpuAction::Throttle}, {"kill", CpuAction::Kill}, {"log", CpuAction::Log}}),
      FIELD(limits.cpu_action), "What happens at limits.cpu.", Effect::OnlyDefault);
  add(keys, "limits.pids", large_count_limit(), FIELD(limits.pids),
      "Processes and threads of each worker.");
  add(keys, "limits.open_files", large_count_limit(), FIELD(limits.open_files),
      "Open descriptors of each process; 0 leaves them as they are.");
  add(keys, "limits.core", core_size(), FIELD(limits.core),
      "Largest core file; 0 for none, infinite for any size.");
  add(keys, "limits.affinity", optional(cpu_list()), FIELD(limits.affinity),
      "The CPUs that a worker may run on; without it, all.");
  add(keys, "containment",
      choice<Containment>(
          {{"required", Containment::Required}, {"best_effort", Containment::BestEffort}}),
      FIELD(containment),
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
