// What supervisor and gateway say to each other over the control link. Plain values; link/codec
// turns them into JSON text, one message a packet, and back.
//
//   supervisor                                gateway
//      | -- Welcome (+ listening sockets) ------> |   once, first
//      | -- PoolAdded, WorkerReady … -----------> |   the state as it is, then every change
//      | -- RoutesChanged ----------------------> |   routes of pools added, removed: from here on
//      | <- Hello ------------------------------- |   it listens
//      | <- Demand {pool} ----------------------- |   requests wait and no worker can take them
//      | -- DrainWorker {id, cause} ------------> |   no new request from here on
//      | <- WorkerDrained {id} ------------------ |   in flight 0, idle connections closed
//      | -- WorkerGone {id} --------------------> |
//      | <- DrainBroken {id} -------------------- |   one that is drained broke off a request
//      | <- RequestTimedOut {id} ---------------- |   health.request_timeout; once of each worker
//      | <- RequestCutShort {id, path…} --------- |   that its worker's end cut; a few of each
//      | -- AbandonWorker {id} -----------------> |   gone, and what it has in flight is cut
//      | -- LastCall ---------------------------> |   serve on, and close after each answer
//      | -- Quiesce ----------------------------> |   accept nothing more, finish what is here
//      | <- Quiesced ---------------------------- |
//
// Each side ends when the link does.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "dispatch/words.h"
#include "pool/pool_settings.h"
#include "worker/worker_state.h"

namespace poolwarden::link {

using worker::Endpoint;
using worker::WorkerId;

// Whether and how a pool takes requests; only Open and Restarting queue them.
enum class PoolMode {
  Open,
  Restarting,  // a worker crashed and its replacement is not ready: queue.restart_limit holds
  Stopped,     // by an administrator, or not started yet (start: manual)
  RapidFail,
  StartFailure,
};
std::string_view name(PoolMode mode);

// To the gateway.
struct Welcome {
  std::vector<std::string> listeners;  // names, in the order of the sockets that come with it
};
// Also of a pool that is known: its settings and routes change, its mode and row stay.
struct PoolAdded {
  std::string pool;
  std::uint32_t board_slot = 0;
  std::vector<pool::Route> routes;
  std::uint32_t concurrency = 32;
  pool::Queue queue;
  pool::WhenOpen when_open = pool::WhenOpen::Respond503;
  std::optional<Duration> request_timeout;
  PoolMode mode = PoolMode::Open;
};
struct PoolModeChanged {
  std::string pool;
  PoolMode mode = PoolMode::Open;
  std::optional<std::uint32_t> retry_after_seconds;
};
// From RoutesChanged on, those who wait for it go to the pool that has their route, or are refused;
// what is in flight is finished. Its workers are drained and gone as those of any other pool.
struct PoolRemoved {
  std::string pool;
};
// Routes of PoolAdded and PoolRemoved hold from here on, all at once: between two messages no
// request may find neither the old route nor the new one.
struct RoutesChanged {};
struct WorkerReady {
  std::string pool;
  WorkerId id{};
  std::uint32_t board_slot = 0;
  Endpoint endpoint;
  bool is_new = true;  // no gateway has counted anything for it: its row begins at 0
};
struct DrainWorker {
  WorkerId id{};
  dispatch::LossCause cause = dispatch::LossCause::Recycle;  // whose fault a loss would be
  // When only tunnels are left, they are cut after this long, counted from the first mark.
  std::optional<Duration> tunnel_limit;
  std::uint32_t mark = 0;  // told back by WorkerDrained
};
// A worker that hangs and is kept for inspection: requests in flight end as if it had died.
struct AbandonWorker {
  WorkerId id{};
};
struct WorkerGone {
  WorkerId id{};
};
struct LastCall {};
struct Quiesce {};

// To the supervisor.
struct Hello {
  int pid = 0;
};
struct Demand {
  std::string pool;
};
struct WorkerDrained {
  WorkerId id{};
  std::uint32_t mark = 0;  // of the DrainWorker that this answers: a worker may be marked again
};
// While it was drained, so that nobody had asked it to end yet: it failed by itself. Once a mark,
// before WorkerDrained.
struct DrainBroken {
  WorkerId id{};
};
struct Quiesced {};       // but for tunnels, which end with their workers
struct RequestTimedOut {  // its client is answered with 504
  WorkerId id{};
};
struct RequestCutShort {  // by the end of its worker, or for it took too long
  WorkerId id{};
  std::string method;
  std::string path;  // without the query, cut to kLongestPath, fit for a log
  Duration age{};    // since its first byte came
};
inline constexpr std::size_t kLongestPath = 200;
inline constexpr std::size_t kLongestMethod = 20;

using ToGateway =
    std::variant<Welcome, PoolAdded, PoolModeChanged, PoolRemoved, RoutesChanged, WorkerReady,
                 DrainWorker, WorkerGone, AbandonWorker, LastCall, Quiesce>;
using ToSupervisor = std::variant<Hello, Demand, WorkerDrained, DrainBroken, Quiesced,
                                  RequestTimedOut, RequestCutShort>;

}  // namespace poolwarden::link
