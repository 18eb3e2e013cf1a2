// The right to send one request to one worker. Only PoolDispatch makes leases and takes them back;
// a lease can be moved but neither copied nor forgotten, so it ends exactly once.

#pragma once

#include <cassert>
#include <utility>

#include "worker/worker_state.h"

namespace poolwarden::dispatch {

using worker::WorkerId;

class [[nodiscard]] Lease {
 public:
  Lease() = default;  // none
  Lease(Lease&& other) noexcept
      : worker_(other.worker_), held_(std::exchange(other.held_, false)) {}
  Lease& operator=(Lease&& other) noexcept {
    assert(!held_ && "a lease was overwritten before it was given back");
    worker_ = other.worker_;
    held_ = std::exchange(other.held_, false);
    return *this;
  }
  ~Lease() { assert(!held_ && "a lease was never given back"); }

  explicit operator bool() const { return held_; }
  WorkerId worker() const { return worker_; }

 private:
  friend class PoolDispatch;
  explicit Lease(WorkerId worker) : worker_(worker), held_(true) {}

  WorkerId worker_{};
  bool held_ = false;
};

}  // namespace poolwarden::dispatch
