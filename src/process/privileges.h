// What this process may do to others: root's rights, as far as they were not taken from it.

#pragma once

#include <sys/types.h>

#include <cstdint>

namespace poolwarden::process {

struct Privileges {
  uid_t uid = 0;                   // effective
  std::uint64_t capabilities = 0;  // permitted, as bits; see capabilities(7)
  int oom_score_adj = 0;           // of ourselves
  std::uint64_t open_files = 0;    // the hard limit
  std::uint64_t core = 0;          // the hard limit, bytes; RLIM_INFINITY for any size

  bool is_root() const { return uid == 0; }
  // Those of `wanted` that are missing.
  std::uint64_t lacks(std::uint64_t wanted) const { return wanted & ~capabilities; }
};

// Of this process, now.
Privileges own_privileges();

// What root needs to run a process as another user without rights (the gateway): to become it, to
// end it, and to give it what it is to reach.
std::uint64_t capabilities_to_run_others();
// And to give it a folder of its own, and look after what it makes there (workers).
std::uint64_t capabilities_to_look_after_others();

// Whether a process of ours can run as another user.
bool may_run_others(const Privileges& ours);

}  // namespace poolwarden::process
