// One worker as a process of this machine, from its preparation to the end of its whole tree. What
// happens to it is told in one order, by one coroutine.

#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>

#include "cgroup/tree.h"
#include "process/child_process.h"
#include "process/host_settings.h"
#include "process/memory_alarm.h"
#include "process/notify_socket.h"
#include "process/oom_ledger.h"
#include "process/output_capture.h"
#include "process/pinger.h"
#include "process/post_mortem.h"
#include "process/readiness.h"
#include "process/recent_trouble.h"
#include "process/suspension.h"
#include "process/tree_usage.h"
#include "process/worker_directory.h"
#include "process/worker_plan.h"
#include "process/worker_tree.h"
#include "worker/worker_host.h"

namespace poolwarden::process {

class LinuxWorker : public std::enable_shared_from_this<LinuxWorker> {
 public:
  // What a host lends to its workers. A worker may be taken down after its host, with the loop.
  struct Surroundings {
    boost::asio::io_context& io;
    const cgroup::Tree& tree;
    KnownPids known;
    HostSettings settings;
    Environment environment;           // what workers inherit
    std::optional<int> oom_score_adj;  // above the supervisor's own
    std::shared_ptr<OomLedger> oom_ledger;
    std::shared_ptr<Coroner> coroner;
    std::shared_ptr<RecentProcesses> processes = std::make_shared<RecentProcesses>();
    std::shared_ptr<bool> is_ending = std::make_shared<bool>(false);  // no kill waits for a core
  };

  LinuxWorker(std::shared_ptr<const Surroundings> around, worker::Assignment assignment,
              worker::WorkerSettings settings, worker::WorkerCallbacks callbacks);

  // Prepares and clones; a failure is told by `exited` like any other end. `port`: for Tcp.
  void launch(std::uint16_t port);
  // In place of launch(), when what it needs cannot be had.
  void refuse(diagnosis::NotStarted why) { refused_ = std::move(why); }

  // To be spawned once, after launch(). `forget` is called just before `exited`.
  boost::asio::awaitable<void> live(std::function<void()> forget);

  void ask_to_stop();
  void signal(int number);
  void examine();
  void kill();
  void wait_no_longer();  // for a core file
  Result<void> suspend();
  void resume();
  worker::Usage usage() const;
  void look_for_trouble();  // see process/recent_trouble.h
  bool is_traced() const;
  void stop_watching();
  std::uint16_t port() const { return place_.port; }

 private:
  std::optional<diagnosis::NotStarted> prepare();
  std::optional<diagnosis::NotStarted> make_place(const Account& account);
  std::optional<diagnosis::NotStarted> watch_output(LaunchPlan& plan);
  std::optional<diagnosis::NotStarted> clone(LaunchPlan plan);
  void tell_line(bool is_stderr, std::string text);
  void take_notification(const Notification& notification);
  void tell_status(const std::string& text);
  void start_watching();
  void watch_memory(std::uint64_t mark);
  void leave();
  std::vector<pid_t> members() const;
  diagnosis::Evidence gather(diagnosis::ExitStatus status) const;
  bool is_cgroup_gone() const;
  diagnosis::MemoryTrouble memory_trouble(std::uint64_t oom_kills, const cgroup::LeafTrouble& all,
                                          const cgroup::LeafTrouble& recent) const;
  std::vector<std::string> left_behind() const;
  std::shared_ptr<PostMortem> post_mortem() const;
  boost::asio::awaitable<void> kill_after_core();
  void kill_now();
  void kill_others() const;

  boost::asio::awaitable<diagnosis::ExitStatus> run();
  void start_readiness();
  boost::asio::awaitable<void> become_ready();
  boost::asio::awaitable<bool> probe();
  boost::asio::awaitable<bool> asks_http(std::string path);
  bool open_socket();
  boost::asio::awaitable<void> pause(std::chrono::milliseconds& delay);
  boost::asio::awaitable<void> clean_up();
  std::uint64_t oom_kills(const diagnosis::ExitStatus& status) const;
  bool has_unix_socket() const;
  worker::Endpoint endpoint() const;

  std::shared_ptr<const Surroundings> around_;
  worker::Assignment assignment_;
  worker::WorkerSettings settings_;
  worker::WorkerCallbacks callbacks_;
  Place place_;
  std::optional<WorkerDirectory> directory_;
  std::shared_ptr<OutputCapture> output_;
  std::shared_ptr<NotifySocket> notify_;
  cgroup::Leaf leaf_;
  std::uint64_t limit_hits_above_ = 0;  // of the cgroups above, before it came
  WorkerTree tree_;
  std::unique_ptr<ChildProcess> child_;
  std::optional<diagnosis::NotStarted> refused_;  // before the clone

  bool leaving_ = false;  // it was asked to stop, or killed
  bool kill_sent_ = false;
  std::optional<Pinger> pinger_;  // from ready until then
  std::shared_ptr<MemoryAlarm> alarm_;
  Suspension suspension_;
  bool suspended_ = false;  // as the pool has it

  boost::asio::steady_timer ready_timer_, dump_timer_;
  boost::asio::cancellation_signal readiness_over_;
  bool said_ready_ = false;  // READY=1
  bool ended_ = false;
  std::string told_status_;
  ProbeRecord probes_;
  RecentTrouble recent_;
  std::vector<diagnosis::ThreadState> threads_;  // when it was examined
  Departed departed_;                            // as far as it is known at its start
  bool kill_awaits_core_ = false;
  int cut_dump_signal_ = 0;  // whose core our kill has cut off; 0: none
};

}  // namespace poolwarden::process
