// A worker whose every move the test writes: a listening socket, and a script that is run for each
// connection in a thread of its own.

#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "integration/gateway/http_text.h"
#include "worker/worker_state.h"

namespace poolwarden::testing {

class ScriptedWorker {
 public:
  using Script = std::function<void(TextSocket&)>;

  enum class At { Unix, Tcp };
  explicit ScriptedWorker(Script script, At at = At::Unix);
  ~ScriptedWorker();

  worker::Endpoint endpoint() const { return endpoint_; }
  int connections() const { return connections_; }

  // Accepts nothing more, and closes what it has: as when the process ends.
  void die();

 private:
  void accept_all();

  Script script_;
  worker::Endpoint endpoint_;
  loop::UniqueFd listener_;
  std::atomic<int> connections_ = 0;
  std::atomic<bool> dead_ = false;
  std::mutex mutex_;
  std::vector<int> open_;
  std::vector<std::thread> threads_;
  std::thread accepting_;
};

// Answers every request with 200 and a text that names it.
void answer_all(TextSocket& socket);

}  // namespace poolwarden::testing
