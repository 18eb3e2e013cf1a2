// Our launcher for Boost.Process v2. Those that come with it (1.81) leave a zombie when exec fails,
// tell only an errno, and wait for the exec; this one clones straight into a cgroup, closes the
// race between pid and pidfd, and returns at once: how the exec went is read from the report pipe.
//
// To be used on one thread only, which must outlive the children: PR_SET_PDEATHSIG follows the
// death of the thread that cloned, not of its process.

#pragma once

#include <boost/process/v2/posix/default_launcher.hpp>
#include <boost/process/v2/process.hpp>

#include "base/result.h"
#include "loop/unique_fd.h"
#include "process/launch_plan.h"

namespace poolwarden::process {

class Launcher : public boost::process::v2::posix::default_launcher {
 public:
  explicit Launcher(const LaunchPlan& plan) : plan_(plan) {}

  template <typename Executor>
  Result<boost::process::v2::basic_process<Executor>> operator()(Executor executor) {
    Result<loop::UniqueFd> pidfd = clone();
    if (!pidfd) return pidfd.error();
    return boost::process::v2::basic_process<Executor>(executor, pid, pidfd->release());
  }

  // A ChildReport, or nothing but its end once exec has succeeded.
  loop::UniqueFd take_report() { return std::move(report_); }

 private:
  // Sets `pid`, and returns its pidfd.
  Result<loop::UniqueFd> clone();

  const LaunchPlan& plan_;
  loop::UniqueFd report_;
};

}  // namespace poolwarden::process
