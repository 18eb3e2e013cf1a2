// A worker that is put to sleep and woken: its whole tree stands still, and the kernel takes back
// what memory it can.

#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>

#include "base/result.h"
#include "process/known_pids.h"
#include "process/service_process.h"
#include "process/worker_tree.h"

namespace poolwarden::process {

class Suspension {
 public:
  Suspension(boost::asio::io_context& io, KnownPids known) : io_(io), known_(std::move(known)) {}

  // Asks for both and returns. Errors: it cannot be frozen, and runs on.
  Result<void> begin(WorkerTree& tree);
  // It runs again when this returns, or a moment later. No harm when it is not suspended.
  void end(WorkerTree& tree);
  // Its tree is gone.
  void forget() { page_out_.reset(); }

  bool is_on() const { return on_; }

 private:
  boost::asio::io_context& io_;
  KnownPids known_;
  bool on_ = false;
  std::unique_ptr<ServiceProcess> page_out_;
};

}  // namespace poolwarden::process
