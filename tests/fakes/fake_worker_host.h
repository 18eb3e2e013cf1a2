// A WorkerHost without processes: a test lets its workers start, become ready and end, and reads
// what was asked of the host. Keeps the contract of worker/worker_host.h: it tells nothing from
// within a call, and one end a worker.

#pragma once

#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "worker/worker_host.h"

namespace poolwarden::fakes {

class FakeWorkerHost : public worker::WorkerHost {
 public:
  void spawn(const worker::Assignment& assignment, const worker::WorkerSettings&,
             worker::WorkerCallbacks callbacks) override {
    note("spawn", assignment.id);
    assignments[assignment.id] = assignment;
    callbacks_[assignment.id] = std::move(callbacks);
  }
  void ask_to_stop(worker::WorkerId id) override { note("stop", id); }
  void kill(worker::WorkerId id) override { note("kill", id); }

  void let_start(worker::WorkerId id, int pid) { callbacks_.at(id).started(pid); }
  void let_be_ready(worker::WorkerId id, const worker::Endpoint& endpoint) {
    callbacks_.at(id).ready(endpoint);
  }
  void let_say(worker::WorkerId id, const std::string& text) { callbacks_.at(id).status(text); }
  void let_end(worker::WorkerId id, const diagnosis::Evidence& evidence) {
    auto callbacks = callbacks_.extract(id);
    if (callbacks.empty()) throw std::logic_error("this worker does not run");
    callbacks.mapped().exited(evidence);
  }

  std::function<void(const std::string&)> on_call;  // "spawn 1", "stop 1", "kill 1"
  std::map<worker::WorkerId, worker::Assignment> assignments;

 private:
  void note(const std::string& what, worker::WorkerId id) {
    if (on_call) on_call(what + " " + std::to_string(worker::number(id)));
  }

  std::map<worker::WorkerId, worker::WorkerCallbacks> callbacks_;
};

}  // namespace poolwarden::fakes
