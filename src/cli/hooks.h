// Runs the commands that are configured for events, such as rapid_fail.action, and tells of them.

#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <string>

#include "cli/telling.h"
#include "diagnosis/exit_status.h"
#include "pool/decision.h"
#include "process/known_pids.h"

namespace poolwarden::cli {

class Hooks {
 public:
  // `ended` is called whenever none runs any more.
  Hooks(boost::asio::io_context& io, process::KnownPids known, Telling& telling,
        std::function<void()> ended)
      : io_(io), known_(known), telling_(telling), ended_(std::move(ended)) {}

  void run(const pool::RunHook& hook);
  bool running() const { return running_ > 0; }

 private:
  void has_ended(const std::string& pool, const std::string& hook,
                 const Result<diagnosis::ExitStatus>& ended);

  boost::asio::io_context& io_;
  process::KnownPids known_;
  Telling& telling_;
  std::function<void()> ended_;
  int running_ = 0;
};

}  // namespace poolwarden::cli
