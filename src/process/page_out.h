// Has the kernel take memory back from processes that stand still, in a child of its own: the
// system calls for it last as long as they like, and one may want to break off.

#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <vector>

#include "cgroup/leaf.h"
#include "process/service_process.h"

namespace poolwarden::process {

// First the pages that only these processes have mapped, whoever they are counted for, then
// (`order`) all that their cgroup holds. Best effort: it frees clean page cache and mapped files,
// and what was written to memory only as far as there is swap. Null when no child could be made.
// It may be destroyed at any time, and breaks off then.
std::unique_ptr<ServiceProcess> start_page_out(boost::asio::io_context& io, const KnownPids& known,
                                               const std::vector<pid_t>& pids,
                                               const std::optional<cgroup::KernelWrite>& order);

}  // namespace poolwarden::process
