// What this process has of the kernel: the facts that containment_checks judges.

#pragma once

#include <cstdint>
#include <string>

#include "process/privileges.h"

namespace poolwarden::doctor {

struct KernelFacts {
  process::Privileges privileges;
  std::uint64_t known_capabilities = 0;  // how many the kernel knows
  bool is_first_process = false;         // PID 1
  bool can_be_subreaper = false;
  bool no_new_privileges = false;
  int seccomp_mode = 0;      // proc(5): 0 off, 1 strict, 2 filter
  int pidfd_error = 0;       // errno of pidfd_open(2); 0: it works
  std::uint64_t swap = 0;    // bytes, of the machine
  std::string core_pattern;  // core(5)
  int ptrace_scope = 0;      // of Yama; 0 also where there is no Yama
  int kernel_log_error = 0;  // errno of opening /dev/kmsg; 0: it can be read
};

KernelFacts read_kernel_facts();

}  // namespace poolwarden::doctor
