// Reaps the orphans that end up with us, as PID 1 or subreaper. They are nobody's worker: they are
// counted, and change no state.

#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <cstdint>
#include <functional>

#include "base/result.h"
#include "diagnosis/exit_status.h"
#include "process/known_pids.h"

namespace poolwarden::process {

class Reaper {
 public:
  using OnStranger = std::function<void(pid_t pid, const diagnosis::ExitStatus& status)>;

  Reaper(boost::asio::io_context& io, KnownPids known, OnStranger on_stranger = {});
  ~Reaper();
  Reaper(const Reaper&) = delete;
  Reaper& operator=(const Reaper&) = delete;

  void start();

  // Reaps every stranger that has ended, up to the first known child that waits to be reaped by
  // its own: when that is done, this is called again.
  void sweep();

  std::uint64_t strangers() const { return strangers_; }

 private:
  boost::asio::awaitable<void> follow();

  boost::asio::io_context& io_;
  boost::asio::signal_set signals_;
  KnownPids known_;
  OnStranger on_stranger_;
  std::uint64_t strangers_ = 0;
};

// Has orphans of our workers come to us rather than to PID 1. PID 1 needs no such thing.
Result<void> become_subreaper();

}  // namespace poolwarden::process
