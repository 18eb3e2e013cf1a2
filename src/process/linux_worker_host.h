// The real WorkerHost: workers as contained processes of this machine. To be used on the
// supervision thread only.

#pragma once

#include <boost/asio/io_context.hpp>
#include <map>
#include <memory>

#include "cgroup/tree.h"
#include "process/host_settings.h"
#include "process/known_pids.h"
#include "process/linux_worker.h"
#include "worker/worker_host.h"

namespace poolwarden::process {

class LinuxWorkerHost final : public worker::WorkerHost {
 public:
  // `io` and `tree` must outlive the workers: destroy `io` before `tree`.
  LinuxWorkerHost(boost::asio::io_context& io, HostSettings settings, cgroup::Tree& tree,
                  KnownPids known);

  // Makes <runtime_directory>/w and clears what a former supervisor left there. To be called first.
  Result<void> prepare();

  // To be called about once a second; see process/oom_ledger.h and process/recent_trouble.h.
  void look_for_trouble();

  void spawn(const worker::Assignment& assignment, const worker::WorkerSettings& settings,
             worker::WorkerCallbacks callbacks) override;
  void ask_to_stop(worker::WorkerId id) override;
  void signal(worker::WorkerId id, int number) override;
  void examine(worker::WorkerId id) override;
  void kill(worker::WorkerId id) override;
  void hurry() override;
  void stop_watching(worker::WorkerId id) override;
  Result<void> suspend(worker::WorkerId id) override;
  void resume(worker::WorkerId id) override;
  worker::Usage usage(worker::WorkerId id) override;
  bool is_traced(worker::WorkerId id) override;

 private:
  LinuxWorker* find(worker::WorkerId id) const;  // null when there is none any more
  Result<std::uint16_t> port_for(const worker::Assignment& assignment,
                                 const worker::WorkerSettings& settings) const;

  std::shared_ptr<const LinuxWorker::Surroundings> around_;
  std::shared_ptr<std::map<worker::WorkerId, std::shared_ptr<LinuxWorker>>> workers_;
};

}  // namespace poolwarden::process
