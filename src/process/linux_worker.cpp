#include "process/linux_worker.h"

#include <fcntl.h>

#include <filesystem>

#include "process/leaf_use.h"

namespace poolwarden::process {
using diagnosis::NotStarted;
using diagnosis::SpawnStage;
using worker::ConnectMode;

namespace {

constexpr int kListenFd = 3;  // SD_LISTEN_FDS_START

}  // namespace

LinuxWorker::LinuxWorker(std::shared_ptr<const Surroundings> around, worker::Assignment assignment,
                         worker::WorkerSettings settings, worker::WorkerCallbacks callbacks)
    : around_(std::move(around)),
      assignment_(std::move(assignment)),
      settings_(std::move(settings)),
      callbacks_(std::move(callbacks)),
      suspension_(around_->io, around_->known),
      ready_timer_(around_->io),
      dump_timer_(around_->io) {}

void LinuxWorker::launch(std::uint16_t port) {
  place_.port = port;
  refused_ = prepare();
}

std::optional<NotStarted> LinuxWorker::prepare() {
  const auto account = find_account(settings_.identity);
  if (!account) return not_started(SpawnStage::Identity, account.error());
  if (auto failed = make_place(*account)) return failed;
  const HostSettings& host = around_->settings;
  auto plan = plan_worker(
      settings_, assignment_.slot, *account,
      worker_environment(around_->environment, *account, assignment_, settings_, place_),
      host.available_memory, assignment_.wrapper);
  if (!plan) return plan.error();
  plan->oom_score_adj = around_->oom_score_adj;
  if (place_.passed) plan->pid_variables.push_back("LISTEN_PID");
  if (assignment_.watch.watchdog) plan->pid_variables.push_back("WATCHDOG_PID");

  auto leaf = around_->tree.make_leaf(
      assignment_.pool, cgroup::leaf_name(assignment_.slot, assignment_.generation),
      cgroup_limits(settings_.limits, host.available_memory, plan->affinity),
      settings_.containment);
  if (!leaf) return not_started(SpawnStage::Cgroup, leaf.error());
  leaf_ = std::move(*leaf);
  limit_hits_above_ = leaf_.limit_hits_above();
  if (!leaf_.unenforced().empty() && host.on_unenforced)
    host.on_unenforced(assignment_.pool, leaf_.unenforced());
  if (auto failed = watch_output(*plan)) return failed;
  return clone(std::move(*plan));
}

std::optional<NotStarted> LinuxWorker::make_place(const Account& account) {
  const bool inherits = assignment_.speaks_http && settings_.connect == ConnectMode::Inherit;
  const WorkerDirectory::Owner owner{account.credentials.uid, around_->settings.gateway_group};
  auto made =
      WorkerDirectory::make(around_->settings.runtime_directory, assignment_.id, owner, inherits);
  if (!made) return not_started(SpawnStage::Stdio, made.error());
  directory_.emplace(std::move(*made));
  place_.notify_socket = directory_->notify_socket();
  if (has_unix_socket()) place_.socket = directory_->socket();
  place_.passed = inherits;
  auto notify = NotifySocket::make(around_->io, directory_->take_notify());
  if (!notify) return not_started(SpawnStage::Stdio, notify.error());
  notify_ = std::move(*notify);
  return std::nullopt;
}

std::optional<NotStarted> LinuxWorker::watch_output(LaunchPlan& plan) {
  auto output = OutputCapture::make(around_->io, [this](bool is_stderr, std::string text) {
    tell_line(is_stderr, std::move(text));
  });
  if (!output) return not_started(SpawnStage::Stdio, output.error());
  output_ = std::move(*output);
  plan.descriptors = {{output_->child_stdout(), 1}, {output_->child_stderr(), 2}};
  if (place_.passed) plan.descriptors.push_back({directory_->listener(), kListenFd});
  return std::nullopt;
}

std::optional<NotStarted> LinuxWorker::clone(LaunchPlan plan) {
  const loop::UniqueFd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!nothing) return NotStarted{SpawnStage::Stdio, errno, "/dev/null"};
  plan.descriptors.push_back({nothing.get(), 0});
  const auto entry = leaf_.open_entry();
  if (!entry) return not_started(SpawnStage::Cgroup, entry.error());
  enter_leaf(plan, *entry);

  departed_.program = plan.program;
  std::error_code gone;  // ours may have been removed
  departed_.directory = plan.directory.value_or(std::filesystem::current_path(gone));
  if (const auto found = plan.environment.find("LD_LIBRARY_PATH"); found != plan.environment.end())
    departed_.library_path = found->second;
  departed_.identity = plan.identity;
  departed_.capabilities = plan.capabilities;
  departed_.started = WallClock::now();
  departed_.log_end = around_->coroner->log().end();
  auto child = ChildProcess::start(around_->io, around_->known, plan);
  output_->close_child_ends();
  directory_->close_listener();
  if (!child) return not_started(SpawnStage::Clone, child.error());
  child_ = std::move(*child);
  tree_ = WorkerTree(
      leaf_, {child_->pid(), false, "NOTIFY_SOCKET=" + place_.notify_socket, around_->known});
  return std::nullopt;
}

void LinuxWorker::tell_line(bool is_stderr, std::string text) {
  const auto& on_output = around_->settings.on_output;
  if (!on_output) return;
  on_output({assignment_.pool, assignment_.slot, assignment_.generation, child_ ? child_->pid() : 0,
             is_stderr, std::move(text)});
}

bool LinuxWorker::has_unix_socket() const {
  return assignment_.speaks_http && settings_.connect != ConnectMode::Tcp;
}

worker::Endpoint LinuxWorker::endpoint() const {
  if (place_.port != 0) return worker::TcpEndpoint{"127.0.0.1", place_.port};
  return worker::UnixEndpoint{place_.socket};
}

}  // namespace poolwarden::process
