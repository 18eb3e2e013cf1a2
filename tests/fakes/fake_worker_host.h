// A WorkerHost without processes: a test lets its workers start, become ready and end, and reads
// what was asked of the host. Keeps the contract of worker/worker_host.h: it tells nothing from
// within a call, and one end a worker.

#pragma once

#include <functional>
#include <map>
#include <set>
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
  void signal(worker::WorkerId id, int number) override {
    note("signal", id, " " + std::to_string(number));
  }
  void examine(worker::WorkerId id) override { note("examine", id); }
  void kill(worker::WorkerId id) override { note("kill", id); }
  void hurry() override { hurried = true; }
  void stop_watching(worker::WorkerId id) override { note("stop_watching", id); }
  Result<void> suspend(worker::WorkerId id) override {
    note("suspend", id);
    if (cannot_suspend.contains(id)) return failure("cannot suspend a worker: a test says so");
    return {};
  }
  void resume(worker::WorkerId id) override { note("resume", id); }
  worker::Usage usage(worker::WorkerId id) override {
    const auto found = usages.find(id);
    return found == usages.end() ? worker::Usage{} : found->second;
  }
  bool is_traced(worker::WorkerId id) override { return traced.contains(id); }

  void let_start(worker::WorkerId id, int pid) { callbacks_.at(id).started(pid); }
  void let_be_ready(worker::WorkerId id, const worker::Endpoint& endpoint) {
    callbacks_.at(id).ready(endpoint);
  }
  void let_say(worker::WorkerId id, const std::string& text) { callbacks_.at(id).status(text); }
  void let_be_unhealthy(worker::WorkerId id, const std::string& reason) {
    callbacks_.at(id).unhealthy(reason);
  }
  void let_send_ping(worker::WorkerId id) { callbacks_.at(id).ping_sent(); }
  void let_ping(worker::WorkerId id, worker::PingResult result, Duration took = {}) {
    callbacks_.at(id).pinged({result, took});
  }
  void let_memory_grow(worker::WorkerId id) { callbacks_.at(id).memory_high(); }
  void let_end(worker::WorkerId id, const diagnosis::Evidence& evidence) {
    auto callbacks = callbacks_.extract(id);
    if (callbacks.empty()) throw std::logic_error("this worker does not run");
    post_mortems_[id] = callbacks.mapped().post_mortem;
    callbacks.mapped().exited(evidence);
  }
  void let_find_later(worker::WorkerId id, const diagnosis::Evidence& found) {
    const auto tell = post_mortems_.extract(id);
    if (tell.empty()) throw std::logic_error("this worker has not ended, or more was told of it");
    tell.mapped()(found);
  }

  // "spawn 1", "stop 1", "signal 1 6", "kill 1", "suspend 1", "resume 1"
  std::function<void(const std::string&)> on_call;
  std::map<worker::WorkerId, worker::Assignment> assignments;

  // What a test says of its workers.
  std::map<worker::WorkerId, worker::Usage> usages;
  std::set<worker::WorkerId> traced;
  std::set<worker::WorkerId> cannot_suspend;

  bool hurried = false;  // it was asked to

 private:
  void note(const std::string& what, worker::WorkerId id, const std::string& more = "") {
    if (on_call) on_call(what + " " + std::to_string(worker::number(id)) + more);
  }

  std::map<worker::WorkerId, worker::WorkerCallbacks> callbacks_;
  std::map<worker::WorkerId, std::function<void(const diagnosis::Evidence&)>> post_mortems_;
};

}  // namespace poolwarden::fakes
