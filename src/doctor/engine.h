// All that `doctor` looks at, in order: each pool as its workers will find things, and then what
// holds them.

#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "cgroup/tree.h"
#include "config/finding.h"
#include "doctor/check.h"
#include "doctor/host.h"
#include "doctor/kernel_facts.h"
#include "pool/pool_settings.h"

namespace poolwarden::doctor {

// What only who starts supervisors knows.
struct Surroundings {
  const cgroup::Tree& tree;  // one to try limits in; made for that
  Host host;
  KernelFacts kernel;
  std::string runtime_directory;  // where workers' sockets will be; empty: nowhere
  // Why poolwarden would not give a pool its identity; empty: it would.
  std::function<std::string(const pool::PoolSettings& pool)> refusal;
  std::vector<config::Finding> lint;   // of the whole file
  std::chrono::milliseconds patience;  // with what does not answer
};

Section examine_pool(const pool::PoolSettings& pool, const Surroundings& around);

Section examine_containment(const Surroundings& around);

}  // namespace poolwarden::doctor
