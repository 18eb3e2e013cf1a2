#include "cli/supervision.h"

#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <iostream>
#include <memory>
#include <set>

#include "admin/admin_server.h"
#include "base/match.h"
#include "cgroup/tree.h"
#include "cli/commands.h"
#include "cli/companions.h"
#include "cli/orders.h"
#include "cli/runtime_directory.h"
#include "cli/telling.h"
#include "cli/termination_log.h"
#include "cli/this_machine.h"
#include "control/control_server.h"
#include "loop/notifier.h"
#include "loop/published.h"
#include "metrics/status_report.h"
#include "process/hook.h"
#include "process/linux_worker_host.h"
#include "process/process_table.h"
#include "process/reaper.h"
#include "supervisor/supervisor.h"

namespace poolwarden::cli {
namespace {

namespace asio = boost::asio;
using pool::EventKind;

constexpr std::chrono::seconds kSnapshotEvery{1};

class Supervision {
 public:
  explicit Supervision(const config::Settings& settings)
      : settings_(settings),
        name_(instance_name(settings.control)),
        changes_(io_),
        signals_(io_),
        refresh_(io_),
        companions_(io_, known_, settings.gateway.user),
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
  Result<void> open_host();
  Result<void> open_admin();
  Result<void> open_supervisor(link::ScoreboardMap scoreboard);
  supervisor::Seams seams();
  void complete(pool::Snapshot& shot);
  void run_hook(const pool::RunHook& hook);
  void hook_ended(const std::string& pool, const std::string& hook,
                  const Result<diagnosis::ExitStatus>& ended);
  void end_when_hooks_have();
  void limits_unenforced(const std::string& pool, const std::vector<std::string>& sentences);
  void tell_containment();
  void await_signals();
  void keep_snapshot_fresh();
  bool speaks_http() const;
  boost::json::object report(const pool::Snapshot& shot) const;
  std::optional<cgroup::Usage> worker_usage(const pool::WorkerSnapshot& worker) const;

  const config::Settings& settings_;
  const std::string name_;
  std::string runtime_directory_;
  std::unique_ptr<cgroup::Tree> tree_;  // outlives io_: workers that are left need it
  loop::Published<pool::Snapshot> snapshots_;
  process::KnownPids known_;
  asio::io_context io_{1};
  loop::Notifier changes_;
  asio::signal_set signals_;
  asio::steady_timer refresh_;
  std::unique_ptr<control::ControlServer> control_;
  Companions companions_;
  process::Reaper reaper_;
  std::vector<supervisor::ListeningSocket> sockets_;
  Addresses addresses_;
  std::unique_ptr<Telling> telling_;
  std::unique_ptr<process::LinuxWorkerHost> host_;
  std::unique_ptr<supervisor::Supervisor> supervisor_;
  std::unique_ptr<Orders> orders_;
  std::unique_ptr<admin::AdminServer> admin_;
  std::set<std::string> unenforced_;  // pools
  std::size_t leftovers_ = 0;
  bool is_pid1_ = ::getpid() == 1;
  bool is_subreaper_ = false;
  int hooks_running_ = 0;
  bool ended_ = false;
  int exit_code_ = 0;
};

// In the order in which one needs the other; whatever fails, nothing was started yet.
Result<void> Supervision::open() {
  ::signal(SIGPIPE, SIG_IGN);
  // From here on they are kept until the loop runs, also as PID 1.
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) signals_.add(number);
  if (auto opened = open_control(); !opened) return opened;
  if (auto opened = open_containment(); !opened) return opened;
  if (speaks_http()) {
    for (const config::Address& address : settings_.listen) {
      auto socket = supervisor::open_listening_socket(address);
      if (!socket) return socket.error();
      addresses_.listeners.push_back(socket->name);
      sockets_.push_back(std::move(*socket));
    }
  }
  auto scoreboard = link::ScoreboardMap::create();
  if (!scoreboard) return scoreboard.error();
  telling_ = std::make_unique<Telling>(
      settings_, snapshots_, scoreboard->board(),
      [this](const std::string& pool) { return tree_->pool_usage(pool); });
  if (auto opened = open_host(); !opened) return opened;
  if (auto opened = open_supervisor(std::move(*scoreboard)); !opened) return opened;
  return open_admin();
}

Result<void> Supervision::open_control() {
  addresses_.control = settings_.control;
  auto server =
      control::ControlServer::open(io_, settings_.control,
                                   [this](const boost::json::object& request,
                                          control::Conversation& client) -> asio::awaitable<void> {
                                     co_await orders_->carry_out(request, client);
                                   });
  if (!server) return server.error();
  control_ = std::move(*server);
  return {};
}

Result<void> Supervision::open_containment() {
  tree_ = std::make_unique<cgroup::Tree>(cgroup::Tree::open({}, name_));
  leftovers_ = tree_->remove_leftovers();
  auto directory = make_runtime_directory(name_);
  if (!directory) return directory.error();
  runtime_directory_ = std::move(*directory);
  leftovers_ += process::kill_marked(process::marker_prefix(runtime_directory_));
  if (is_pid1_) return {};
  is_subreaper_ = process::become_subreaper().has_value();
  return companions_.start_keeper(name_, runtime_directory_, control_->lock_fd());
}

Result<void> Supervision::open_host() {
  process::HostSettings host;
  host.runtime_directory = runtime_directory_;
  host.available_memory = tree_->available_memory();
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
    limits_unenforced(pool, sentences);
  };
  if (::geteuid() == 0) {
    worker::Identity gateway;
    gateway.user = settings_.gateway.user;
    const auto account = process::find_account(gateway);
    if (!account) return account.error().because("gateway.user");
    host.gateway_group = account->credentials.gid;
  }
  host_ = std::make_unique<process::LinuxWorkerHost>(io_, std::move(host), *tree_, known_);
  return host_->prepare();
}

Result<void> Supervision::open_supervisor(link::ScoreboardMap scoreboard) {
  supervisor_ = std::make_unique<supervisor::Supervisor>(io_, settings_, this_machine().cpus,
                                                         std::move(scoreboard), std::move(sockets_),
                                                         seams(), snapshots_);
  supervisor_->on_end([this](int exit_code) {
    exit_code_ = exit_code;
    ended_ = true;
    end_when_hooks_have();
  });
  orders_ = std::make_unique<Orders>(io_, *supervisor_, telling_->journal(), changes_,
                                     [this] { return report(*supervisor_->snapshot()); });
  return {};
}

Result<void> Supervision::open_admin() {
  auto published_status = [this] {
    const auto shot = snapshots_.read();
    return shot ? report(*shot) : boost::json::object();
  };
  auto server = admin::AdminServer::start(
      {settings_.admin.host, settings_.admin.port, settings_.admin.unix_path},
      {snapshots_, telling_->exposition(), published_status, telling_->journal()});
  if (!server) return server.error();
  admin_ = std::move(*server);
  config::Address bound = settings_.admin;
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
          [this](const pool::RunHook& hook) { run_hook(hook); },
          [this](const pool::Event& event) { telling_->tell(event); },
          write_termination_log,
          [this](pool::Snapshot& shot) { complete(shot); }};
}

void Supervision::complete(pool::Snapshot& shot) {
  shot.containment = {tree_->report().cgroup, is_subreaper_, is_pid1_, tree_->report().missing};
  shot.orphans_reaped = reaper_.strangers();
  const std::uint64_t available = tree_->available_memory();
  for (pool::PoolSnapshot& pool : shot.pools) {
    const worker::Limits& limits = pool.settings->worker.limits;
    pool.limits_enforced = !unenforced_.contains(pool.settings->name);
    if (limits.memory) pool.memory_limit = resolve(*limits.memory, available);
    if (limits.memory_high) pool.memory_high = resolve(*limits.memory_high, available);
    for (pool::WorkerSnapshot& worker : pool.workers) {
      worker.cgroup_path =
          pool.settings->name + "/" + cgroup::leaf_name(worker.name.slot, worker.name.generation);
    }
  }
  changes_.notify();
}

std::optional<cgroup::Usage> Supervision::worker_usage(const pool::WorkerSnapshot& worker) const {
  const auto slash = worker.cgroup_path.find('/');
  if (slash == std::string::npos) return std::nullopt;
  return tree_->leaf_usage(worker.cgroup_path.substr(0, slash),
                           worker.cgroup_path.substr(slash + 1));
}

boost::json::object Supervision::report(const pool::Snapshot& shot) const {
  return metrics::status_report(
      shot, supervisor_->board(),
      [this](const pool::WorkerSnapshot& worker) { return worker_usage(worker); },
      WallClock::now());
}

void Supervision::run_hook(const pool::RunHook& hook) {
  const std::string pool = hook.environment.at("POOLWARDEN_POOL");
  telling_->tell({EventKind::HookStarted, pool, std::nullopt, hook.name + " is run",
                  pool::HookDetails{hook.name}});
  process::HookCommand command{hook.command, hook.environment};
  command.on_output = [this, name = hook.name](bool, const std::string& line) {
    telling_->journal().log(pool::Level::Info, name + ": " + line);
  };
  ++hooks_running_;
  process::run_hook(io_, known_, std::move(command),
                    [this, pool, name = hook.name](const Result<diagnosis::ExitStatus>& ended) {
                      hook_ended(pool, name, ended);
                      --hooks_running_;
                      end_when_hooks_have();
                    });
}

void Supervision::hook_ended(const std::string& pool, const std::string& hook,
                             const Result<diagnosis::ExitStatus>& ended) {
  if (ended && *ended == diagnosis::ExitStatus(diagnosis::Exited{0})) return;
  const std::string how = ended ? describe(*ended) : ended.error().message;
  telling_->tell(
      {EventKind::HookFailed, pool, std::nullopt, hook + " " + how, pool::HookDetails{hook}});
}

void Supervision::limits_unenforced(const std::string& pool,
                                    const std::vector<std::string>& sentences) {
  if (!unenforced_.insert(pool).second) return;  // told once
  for (const std::string& sentence : sentences)
    telling_->tell({EventKind::ContainmentDegraded, pool, std::nullopt, sentence});
}

void Supervision::tell_containment() {
  if (leftovers_ > 0) {
    telling_->tell({EventKind::LeftoversRemoved, "", std::nullopt,
                    "killed " + std::to_string(leftovers_) +
                        " processes that an earlier supervisor had left"});
  }
  for (const std::string& sentence : tree_->report().missing)
    telling_->tell({EventKind::ContainmentDegraded, "", std::nullopt, sentence});
}

// Whom an action was to page must hear of it, also when an essential pool takes everything with it.
void Supervision::end_when_hooks_have() {
  if (ended_ && hooks_running_ == 0) io_.stop();
}

Result<void> Supervision::begin() {
  tell_containment();
  reaper_.start();
  await_signals();
  keep_snapshot_fresh();
  return supervisor_->begin();
}

// A snapshot is made at every change, but some of it changes with time alone: the failures within
// the window, the strangers reaped.
void Supervision::keep_snapshot_fresh() {
  refresh_.expires_after(kSnapshotEvery);
  refresh_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    supervisor_->snapshot();
    keep_snapshot_fresh();
  });
}

void Supervision::await_signals() {
  signals_.async_wait([this](const boost::system::error_code& error, int number) {
    if (error) return;
    if (number == SIGHUP) {
      telling_->journal().log(pool::Level::Warning,
                              "SIGHUP is reserved for reloading the configuration, which is not in "
                              "effect yet; nothing was changed");
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
  if (tree_) tree_->remove();
  if (!runtime_directory_.empty()) remove_runtime_directory(runtime_directory_);
}

bool Supervision::speaks_http() const {
  return std::any_of(settings_.pools.begin(), settings_.pools.end(),
                     [](const pool::PoolSettings& pool) { return pool.speaks_http(); });
}

}  // namespace

int supervise(const config::Settings& settings,
              const std::function<void(const Addresses&)>& on_begun) {
  Supervision supervision(settings);
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
