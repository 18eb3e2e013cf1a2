// The commands that only the supervisor gives: `gateway` and `sample-worker`. Both find their
// descriptors where cli/own_processes and process/linux_worker_host put them.

#include "cli/command_entries.h"
#include "cli/command_line.h"
#include "gateway/gateway.h"
#include "sample/sample_worker.h"

namespace poolwarden::cli {

int gateway_entry(const Words&) {
  constexpr int kLink = 3;
  constexpr int kScoreboard = 4;
  return gateway::run_gateway(kLink, kScoreboard);
}

int sample_worker_entry(const Words&) { return sample::run_sample_worker(); }

}  // namespace poolwarden::cli
