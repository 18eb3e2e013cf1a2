#include "process/linux_worker_host.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>

#include "cgroup/kernel_files.h"
#include "loop/rethrow.h"
#include "process/free_port.h"

namespace poolwarden::process {
namespace asio = boost::asio;

namespace {

constexpr int kWorkersAbove = 500;
constexpr int kHighest = 1000;
constexpr const char* kHandsGroup = "post.mortem";  // no pool's name has a point
constexpr std::uint64_t kMostHandMemory = std::uint64_t{4} << 30;
constexpr std::uint64_t kMostHandProcesses = 512;  // a debugger may have a thread for each CPU

// Where the kernel chooses whom to kill, it shall be a worker: PID 1 must live.
std::optional<int> oom_score_adj_of_workers() {
  const auto words =
      cgroup::split_words(cgroup::read_text("/proc/self/oom_score_adj").value_or(""));
  if (words.empty()) return std::nullopt;
  return std::min(std::stoi(words.front()) + kWorkersAbove, kHighest);
}

std::shared_ptr<const LinuxWorker::Surroundings> surroundings(asio::io_context& io,
                                                              HostSettings settings,
                                                              cgroup::Tree& tree,
                                                              const KnownPids& known) {
  const auto ledger = std::make_shared<OomLedger>([&tree] { return tree.own_oom_kills(); });
  Hand hand{settings.post_mortem_hand, settings.runtime_directory};
  hand.make_leaf = [&tree, room = settings.available_memory](const std::string& name) {
    const cgroup::LimitValues limits{.memory = std::min(kMostHandMemory, room / 2),
                                     .pids = kMostHandProcesses};
    auto leaf = tree.make_leaf(kHandsGroup, name, limits, worker::Containment::BestEffort);
    return leaf ? std::move(*leaf) : cgroup::Leaf();
  };
  // Where each cgroup counts its own, the ledger is not asked; it forgets by itself.
  hand.on_oom_kill = [ledger] { ledger->claim(Clock::now()); };
  auto coroner = std::make_shared<Coroner>(io, known, std::move(hand));
  return std::make_shared<LinuxWorker::Surroundings>(
      LinuxWorker::Surroundings{io, tree, known, std::move(settings), inherited_environment(),
                                oom_score_adj_of_workers(), ledger, std::move(coroner)});
}

}  // namespace

LinuxWorkerHost::LinuxWorkerHost(asio::io_context& io, HostSettings settings, cgroup::Tree& tree,
                                 KnownPids known)
    : around_(surroundings(io, std::move(settings), tree, known)),
      workers_(std::make_shared<std::map<worker::WorkerId, std::shared_ptr<LinuxWorker>>>()) {}

Result<void> LinuxWorkerHost::prepare() {
  return WorkerDirectory::prepare(around_->settings.runtime_directory);
}

Result<std::uint16_t> LinuxWorkerHost::port_for(const worker::Assignment& assignment,
                                                const worker::WorkerSettings& settings) const {
  if (!assignment.speaks_http || settings.connect != worker::ConnectMode::Tcp)
    return std::uint16_t{0};
  std::set<std::uint16_t> taken;
  for (const auto& [id, other] : *workers_) taken.insert(other->port());
  return find_free_port(taken);
}

void LinuxWorkerHost::spawn(const worker::Assignment& assignment,
                            const worker::WorkerSettings& settings,
                            worker::WorkerCallbacks callbacks) {
  auto port = port_for(assignment, settings);
  auto made = std::make_shared<LinuxWorker>(around_, assignment, settings, std::move(callbacks));
  if (port) {
    made->launch(*port);
  } else {
    made->refuse(not_started(diagnosis::SpawnStage::Stdio, port.error()));
  }
  (*workers_)[assignment.id] = made;
  // The map is shared with the coroutine, which may go down with the loop after this host.
  asio::co_spawn(around_->io,
                 made->live([workers = workers_, id = assignment.id] { workers->erase(id); }),
                 loop::rethrow);
}

LinuxWorker* LinuxWorkerHost::find(worker::WorkerId id) const {
  const auto found = workers_->find(id);
  return found == workers_->end() ? nullptr : found->second.get();
}

void LinuxWorkerHost::ask_to_stop(worker::WorkerId id) {
  if (auto* worker = find(id)) worker->ask_to_stop();
}

void LinuxWorkerHost::signal(worker::WorkerId id, int number) {
  if (auto* worker = find(id)) worker->signal(number);
}

void LinuxWorkerHost::stop_watching(worker::WorkerId id) {
  if (const auto found = workers_->find(id); found != workers_->end())
    found->second->stop_watching();
}

void LinuxWorkerHost::examine(worker::WorkerId id) {
  if (auto* worker = find(id)) worker->examine();
}

void LinuxWorkerHost::kill(worker::WorkerId id) {
  if (auto* worker = find(id)) worker->kill();
}

void LinuxWorkerHost::hurry() {
  *around_->is_ending = true;
  for (const auto& [id, worker] : *workers_) worker->wait_no_longer();
}

void LinuxWorkerHost::look_for_trouble() {
  around_->oom_ledger->look(Clock::now());
  for (const auto& [id, worker] : *workers_) worker->look_for_trouble();
}

Result<void> LinuxWorkerHost::suspend(worker::WorkerId id) {
  if (auto* worker = find(id)) return worker->suspend();
  return failure("cannot suspend a worker that does not run");
}

void LinuxWorkerHost::resume(worker::WorkerId id) {
  if (auto* worker = find(id)) worker->resume();
}

worker::Usage LinuxWorkerHost::usage(worker::WorkerId id) {
  const auto* worker = find(id);
  return worker ? worker->usage() : worker::Usage{};
}

bool LinuxWorkerHost::is_traced(worker::WorkerId id) {
  const auto* worker = find(id);
  return worker && worker->is_traced();
}

}  // namespace poolwarden::process
