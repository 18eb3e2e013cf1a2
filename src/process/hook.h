// Commands that the supervisor runs at an event, such as rapid_fail.action: with its own identity,
// in a process group of their own, for a limited time.

#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "diagnosis/exit_status.h"
#include "process/known_pids.h"
#include "process/worker_environment.h"

namespace poolwarden::process {

struct HookCommand {
  std::vector<std::string> arguments;
  Environment environment;                      // in addition to our own
  Duration timeout = std::chrono::seconds(30);  // then the whole process group is killed
  std::function<void(bool is_stderr, std::string line)> on_output = {};
};

// `done` is called once, never from within this call. A command that could not be started is a
// status too (NotStarted); an error means that not even a child came to be.
void run_hook(boost::asio::io_context& io, const KnownPids& known, HookCommand command,
              std::function<void(Result<diagnosis::ExitStatus>)> done);

}  // namespace poolwarden::process
