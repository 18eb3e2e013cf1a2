// What the threads of a worker that does not answer are doing, from /proc/PID/task/TID (proc(5)).
// Files that wait for the lock of its memory map (environ, cmdline, maps) are not touched: whoever
// hangs may hold it.

#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <vector>

#include "base/clock.h"
#include "diagnosis/evidence.h"

namespace poolwarden::process {

inline constexpr std::size_t kMostThreads = 64;

// Of these processes, one after the other; threads beyond kMostThreads, and those that are not
// reached within `patience`, are left out. What may not be read is empty.
std::vector<diagnosis::ThreadState> thread_states(
    const std::vector<pid_t>& pids, Duration patience = std::chrono::milliseconds(20));

// Whether the kernel writes its core file at this moment: it ends when that is done (proc(5)).
bool is_dumping_core(pid_t pid);

// The signal for which it does so, for the status of whoever is killed meanwhile has SIGKILL in its
// place; 0 where the kernel does not tell (exit_code of stat in proc(5)).
int signal_of_dump(pid_t pid);

// What a process calls itself (comm of proc(5)), fit for a log; empty when it has ended.
std::string name_of_process(pid_t pid);

// The texts of its files: stat, wchan, syscall and stack.
diagnosis::ThreadState read_thread(int tid, const std::string& stat, const std::string& wchan,
                                   const std::string& syscall, const std::string& stack);

}  // namespace poolwarden::process
