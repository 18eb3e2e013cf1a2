#include "cli/supervision.h"

#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <iostream>
#include <memory>

#include "admin/admin_server.h"
#include "cli/commands.h"
#include "cli/companions.h"
#include "cli/containment.h"
#include "cli/hooks.h"
#include "cli/lost_privileges.h"
#include "cli/orders.h"
#include "cli/reloading.h"
#include "cli/runtime_directory.h"
#include "cli/service_reports.h"
#include "cli/telling.h"
#include "cli/termination_log.h"
#include "cli/this_machine.h"
#include "cli/worker_processes.h"
#include "control/control_server.h"
#include "loop/heartbeat.h"
#include "loop/notifier.h"
#include "loop/published.h"
#include "process/linux_worker_host.h"
#include "process/process_table.h"
#include "process/reaper.h"
#include "supervisor/supervisor.h"

namespace poolwarden::cli {
namespace {

namespace asio = boost::asio;
using pool::EventKind;

constexpr std::chrono::seconds kSnapshotEvery{1};
constexpr const char* kNoSubreaper =
    "cannot become a subreaper (prctl(2)): processes that workers leave behind are out of reach; "
    "start poolwarden as the first process of its container";

class Supervision {
 public:
  explicit Supervision(SettingsSource source)
      : source_(std::move(source)),
        name_(instance_name(source_.settings.control)),
        changes_(io_),
        signals_(io_),
        refresh_(io_),
        heartbeat_(io_, [this](Duration late) { telling_->loop().record(late); }),
        companions_(io_, known_, source_.settings.gateway.user),
        reaper_(io_, known_) {}

  ~Supervision();
  Supervision(const Supervision&) = delete;
  Supervision& operator=(const Supervision&) = delete;

  Result<void> open();
  Result<void> begin();
  int run();
  const Addresses& addresses() const { return addresses_; }

 private:
  Result<void> open_control();
  Result<void> open_containment();
  Result<void> open_listeners();
  Result<void> open_host();
  Result<void> open_admin();
  void open_supervisor(link::ScoreboardMap scoreboard);
  supervisor::Seams seams();
  DrillTools drill_tools();
  DebugMeans debug_means();
  void tell(const pool::Event& event);
  void complete(pool::Snapshot& shot);
  void tell_leftovers();
  void end_when_hooks_have();
  void await_signals();
  void keep_snapshot_fresh();

  const SettingsSource source_;
  const std::string name_;
  const process::Privileges privileges_ = process::own_privileges();
  std::string runtime_directory_;
  std::unique_ptr<Containment> containment_;  // outlives io_: workers that are left need it
  loop::Published<pool::Snapshot> snapshots_;
  process::KnownPids known_;
  asio::io_context io_{1};
  loop::Notifier changes_;
  asio::signal_set signals_;
  asio::steady_timer refresh_;
  loop::Heartbeat heartbeat_;
  std::unique_ptr<control::ControlServer> control_;
  Companions companions_;
  process::Reaper reaper_;
  std::vector<supervisor::ListeningSocket> sockets_;
  Addresses addresses_;
  std::unique_ptr<Telling> telling_;
  std::unique_ptr<Hooks> hooks_;
  std::unique_ptr<process::LinuxWorkerHost> host_;
  std::unique_ptr<ServiceReports> service_;
  std::unique_ptr<supervisor::Supervisor> supervisor_;
  std::unique_ptr<Reloading> reloading_;
  std::unique_ptr<DrillOrder> drill_;
  std::unique_ptr<DebugOrder> debug_;
  std::unique_ptr<Orders> orders_;
  std::unique_ptr<admin::AdminServer> admin_;
  std::size_t leftovers_ = 0;
  bool is_pid1_ = ::getpid() == 1;
  bool is_subreaper_ = false;
  bool ended_ = false;
  int exit_code_ = 0;
};

// In the order in which one needs the other; whatever fails, nothing was started yet.
Result<void> Supervision::open() {
  ::signal(SIGPIPE, SIG_IGN);
  auto manager = process::ServiceManager::from_environment();
  if (!manager) std::cerr << "poolwarden: " << manager.error().message << "\n";
  service_ = std::make_unique<ServiceReports>(
      io_, manager ? std::move(*manager) : process::ServiceManager());
  // From here on they are kept until the loop runs, also as PID 1.
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) signals_.add(number);
  if (auto allowed = check_privileges(source_.settings, privileges_); !allowed) return allowed;
  if (auto opened = open_control(); !opened) return opened;
  if (auto opened = open_containment(); !opened) return opened;
  if (auto opened = open_listeners(); !opened) return opened;
  auto scoreboard = link::ScoreboardMap::create();
  if (!scoreboard) return scoreboard.error();
  telling_ = std::make_unique<Telling>(
      source_, snapshots_, scoreboard->board(),
      Sightings{[this](const std::string& pool, const std::vector<std::string>& leaves) {
                  return containment_->tree().pool_usage(pool, leaves);
                },
                [this](const pool::Snapshot& shot) {
                  return worker_processes(containment_->tree(), shot);
                }});
  control_->on_settled([this](const control::Settled& request) { telling_->settled(request); });
  hooks_ = std::make_unique<Hooks>(io_, known_, *telling_, [this] { end_when_hooks_have(); });
  if (auto opened = open_host(); !opened) return opened;
  open_supervisor(std::move(*scoreboard));
  return open_admin();
}

Result<void> Supervision::open_control() {
  addresses_.control = source_.settings.control;
  auto server =
      control::ControlServer::open(io_, addresses_.control,
                                   [this](const boost::json::object& request,
                                          control::Conversation& client) -> asio::awaitable<void> {
                                     co_await orders_->carry_out(request, client);
                                   });
  if (!server) return server.error();
  control_ = std::move(*server);
  return {};
}

Result<void> Supervision::open_containment() {
  containment_ = std::make_unique<Containment>(name_, source_.settings, privileges_);
  leftovers_ = containment_->tree().remove_leftovers();
  auto directory = make_runtime_directory(name_);
  if (!directory) return directory.error();
  runtime_directory_ = std::move(*directory);
  leftovers_ += process::kill_marked(process::marker_prefix(runtime_directory_));
  if (is_pid1_) return {};
  is_subreaper_ = process::become_subreaper().has_value();
  if (!is_subreaper_) containment_->lost(kNoSubreaper);
  return companions_.start_keeper(name_, runtime_directory_, control_->lock_fd());
}

// Without a pool that speaks HTTP nobody would answer there.
Result<void> Supervision::open_listeners() {
  if (!source_.settings.speaks_http()) return {};
  auto sockets = supervisor::open_listening_sockets(source_.settings.listen);
  if (!sockets) return sockets.error();
  sockets_ = std::move(*sockets);
  for (const supervisor::ListeningSocket& socket : sockets_)
    addresses_.listeners.push_back(socket.name);
  return {};
}

Result<void> Supervision::open_host() {
  process::HostSettings host;
  host.runtime_directory = runtime_directory_;
  host.available_memory = containment_->tree().available_memory();
  host.post_mortem_hand = {"/proc/self/exe", "post-mortem-hand"};
  host.on_output = [this](const process::OutputLine& line) {
    telling_->journal().record_output({0,
                                       {},
                                       line.pool,
                                       line.slot,
                                       line.generation,
                                       line.pid,
                                       line.is_stderr ? journal::Stream::Err : journal::Stream::Out,
                                       line.text});
  };
  host.on_unenforced = [this](const std::string& pool, const std::vector<std::string>& sentences) {
    containment_->limits_unenforced(pool, sentences, *telling_);
  };
  if (process::may_run_others(privileges_)) {
    worker::Identity gateway;
    gateway.user = source_.settings.gateway.user;
    const auto account = process::find_account(gateway);
    if (!account) return account.error().because("gateway.user");
    host.gateway_group = account->credentials.gid;
  }
  host_ = std::make_unique<process::LinuxWorkerHost>(io_, std::move(host), containment_->tree(),
                                                     known_);
  return host_->prepare();
}

void Supervision::open_supervisor(link::ScoreboardMap scoreboard) {
  supervisor_ = std::make_unique<supervisor::Supervisor>(io_, source_.settings, this_machine().cpus,
                                                         std::move(scoreboard), std::move(sockets_),
                                                         seams(), snapshots_);
  supervisor_->on_end([this](int exit_code) {
    exit_code_ = exit_code;
    ended_ = true;
    end_when_hooks_have();
  });
  reloading_ = std::make_unique<Reloading>(source_, *supervisor_, *telling_, *service_);
  drill_ = std::make_unique<DrillOrder>(io_, *supervisor_, *host_, telling_->journal(), changes_,
                                        drill_tools());
  debug_ = std::make_unique<DebugOrder>(io_, telling_->journal(), changes_, debug_means());
  orders_ = std::make_unique<Orders>(
      io_, *supervisor_, *reloading_, *drill_, *debug_, telling_->journal(), telling_->deaths(),
      changes_,
      [this] { return containment_->report(*supervisor_->snapshot(), supervisor_->board()); },
      [this] { return admin_->metrics(); });
}

Result<void> Supervision::open_admin() {
  auto published_status = [this] {
    const auto shot = snapshots_.read();
    return shot ? containment_->report(*shot, supervisor_->board()) : boost::json::object();
  };
  auto server = admin::AdminServer::start(
      {source_.settings.admin.host, source_.settings.admin.port, source_.settings.admin.unix_path},
      {snapshots_, telling_->exposition(), published_status, telling_->journal(),
       telling_->deaths()});
  if (!server) return server.error();
  admin_ = std::move(*server);
  config::Address bound = source_.settings.admin;
  bound.port = admin_->port();
  addresses_.admin = describe(bound);
  return {};
}

supervisor::Seams Supervision::seams() {
  return {*host_,
          [this](int link, int board, std::function<void(const diagnosis::ExitStatus&)> exited) {
            return companions_.launch_gateway(link, board, std::move(exited));
          },
          [this](int pid) { companions_.kill(pid); },
          [this](const pool::RunHook& hook) { hooks_->run(hook); },
          [this](const pool::Event& event) { tell(event); },
          write_termination_log,
          [this](pool::Snapshot& shot) { complete(shot); },
          [this] {
            const cgroup::MemoryRoom room = containment_->tree().memory();
            return supervisor::Memory{room.total, room.used};
          },
          [this](const std::string& pool, worker::PingResult result, Duration took) {
            telling_->pinged(pool, result, took);
          }};
}

DrillTools Supervision::drill_tools() {
  return {[this](std::vector<std::string> words, std::function<void(const std::string&)> ended) {
            return companions_.start_drill_hand(std::move(words), std::move(ended));
          },
          [this](const std::string& pool, const pool::WorkerName& worker) {
            const auto leaf = cgroup::leaf_name(worker.slot, worker.generation);
            return containment_->tree().memory_cgroup(pool, leaf);
          }};
}

DebugMeans Supervision::debug_means() {
  return {name_, runtime_directory_, containment_->tree().available_memory(),
          [this](process::LaunchPlan plan, std::function<void(const std::string&)> ended) {
            return companions_.start_hand(std::move(plan), std::move(ended));
          }};
}

void Supervision::tell(const pool::Event& event) {
  telling_->tell(event);
  if (event.kind == EventKind::PoolRemoved) containment_->pool_removed(event.pool);
}

void Supervision::complete(pool::Snapshot& shot) {
  containment_->complete(shot);
  telling_->complete(shot);
  shot.containment.subreaper = is_subreaper_;
  shot.containment.pid1 = is_pid1_;
  shot.orphans_reaped = reaper_.strangers();
  service_->look(shot);
  changes_.notify();
}

void Supervision::tell_leftovers() {
  if (leftovers_ == 0) return;
  telling_->tell(
      {EventKind::LeftoversRemoved, "", std::nullopt,
       "killed " + std::to_string(leftovers_) + " processes that an earlier supervisor had left"});
}

// Whom an action was to page must hear of it, also when an essential pool takes everything with it.
void Supervision::end_when_hooks_have() {
  if (ended_ && !hooks_->running()) io_.stop();
}

Result<void> Supervision::begin() {
  telling_->open_state(io_);
  tell_leftovers();
  containment_->tell(*telling_);
  reaper_.start();
  await_signals();
  keep_snapshot_fresh();
  heartbeat_.start();
  if (auto begun = supervisor_->begin(); !begun) return begun;
  service_->begin(*supervisor_->snapshot());
  return {};
}

// A snapshot is made at every change, but some of it changes with time alone: the failures within
// the window, the strangers reaped.
void Supervision::keep_snapshot_fresh() {
  refresh_.expires_after(kSnapshotEvery);
  refresh_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    host_->look_for_trouble();
    supervisor_->snapshot();
    keep_snapshot_fresh();
  });
}

void Supervision::await_signals() {
  signals_.async_wait([this](const boost::system::error_code& error, int number) {
    if (error) return;
    if (number == SIGHUP) {
      reloading_->reload_on_signal();
    } else {
      supervisor_->shut_down("got " + diagnosis::signal_name(number));
    }
    await_signals();
  });
}

int Supervision::run() {
  io_.run();
  return exit_code_;
}

// Also after a start that failed half-way.
Supervision::~Supervision() {
  admin_.reset();
  companions_.stop_keeper();
  if (containment_) containment_->tree().remove();
  if (!runtime_directory_.empty()) remove_runtime_directory(runtime_directory_);
}

}  // namespace

int supervise(SettingsSource source, const std::function<void(const Addresses&)>& on_begun) {
  Supervision supervision(std::move(source));
  auto begun = supervision.open();
  if (begun) begun = supervision.begin();
  if (!begun) {
    std::cerr << "poolwarden: " << begun.error().message << "\n";
    return kFailed;
  }
  if (on_begun) on_begun(supervision.addresses());
  return supervision.run();
}

}  // namespace poolwarden::cli
