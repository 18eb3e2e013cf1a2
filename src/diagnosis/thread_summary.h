// What the threads of a worker that does not answer do, in a few words, and what that suggests.

#pragma once

#include <string>
#include <vector>

#include "diagnosis/evidence.h"

namespace poolwarden::diagnosis {

// "2 of 8 threads wait in futex_wait_queue, 1 in state D in nfs_wait_bit_killable"; empty: there
// are none. At most three groups, the largest first, after those in state D.
std::string summary_of(const std::vector<ThreadState>& threads);

// What to look at first; empty: the threads suggest nothing.
std::string suggestion_of(const std::vector<ThreadState>& threads);

}  // namespace poolwarden::diagnosis
