// The child's side between clone and exec. Other threads of the parent may have held any lock when
// it was cloned: so nothing here allocates, logs, or calls more of libc than raw system calls.

#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "process/child_step.h"
#include "process/launch_plan.h"

namespace poolwarden::process {

// Everything that the child needs, laid out in memory before the clone.
class ChildImage {
 public:
  // `plan` must outlive it. `report` is the writing end of the report pipe.
  ChildImage(const LaunchPlan& plan, int report);

  // In the child only. `born_in_cgroup`: clone3(2) has put it into the v2 cgroup already.
  [[noreturn]] void run(bool born_in_cgroup);

 private:
  void enter_cgroups(bool born_in_cgroup);
  void start_session();
  void tie_to_parent();
  void reset_signals();
  void place_descriptors();
  void close_others();
  [[noreturn]] void do_task();
  void limit();
  void change_identity();
  void drop_bounding_set();
  void set_capabilities();
  void tell_pid();
  void check(long outcome, ChildStep step);
  void check_limit(long outcome, ChildStep step);
  [[noreturn]] void fail(ChildStep step, int error);

  const LaunchPlan& plan_;
  int report_;
  pid_t parent_;
  int first_free_;            // above all numbers that the child is to find
  std::vector<int> parked_;   // room for one descriptor each
  std::vector<char> passed_;  // whether number i is one of those
  std::string oom_score_adj_;
  std::vector<std::string> environment_;
  std::vector<char*> argv_, envp_;
  std::vector<char*> pid_places_;  // where its digits go
};

}  // namespace poolwarden::process
