// What is known of the end of a worker, as it was found: nothing in here is a guess. What could not
// be had is absent, empty or 0.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "diagnosis/exit_status.h"

namespace poolwarden::diagnosis {

// What the kernel noted down when a signal ended it, in the core file (NT_SIGINFO and NT_PRSTATUS
// of core(5)) or in its own log.
struct FaultSite {
  // sigaction(2): SEGV_MAPERR, SI_USER, SYS_SECCOMP…; absent where the log alone tells of it.
  std::optional<int> si_code = {};
  // That it touched: SIGSEGV, SIGBUS. Absent where it is not told, as with SI_KERNEL, a general
  // protection fault.
  std::optional<std::uint64_t> address = {};
  std::uint64_t stack_pointer = 0;
  std::uint64_t program_counter = 0;
  bool is_stack_exhausted = false;  // it touched what lies right below its stack
  // Of another process that sent the signal; 0: one outside of its pid namespace. Absent with an
  // si_code of 0 or less: the process itself sent it.
  std::optional<int> sender_pid = {};
  std::optional<int> syscall_number = {};  // SIGSYS
  std::string syscall_name = {};           // of it, where it is known: "ptrace"
};

struct CoreFile {
  std::string path;  // empty: there is none that could be found
  std::uint64_t bytes = 0;
  std::string why_none;  // "limits.core is 0"; "core_pattern pipes it to …"
};

// One thread of a worker that did not answer, proc(5).
struct ThreadState {
  int tid = 0;
  char state = '?';  // R, S, D…
  std::string name;
  std::string waits_in;                   // wchan, or the system call's name
  std::vector<std::string> kernel_stack;  // innermost first
};

// Whose limit was met when the OOM killer struck.
enum class OomScope { None, OwnLimit, Container, Unknown };

struct MemoryTrouble {
  std::uint64_t oom_kills = 0;       // how often the kernel's OOM killer struck in its cgroup
  std::uint64_t own_limit_hits = 0;  // of them, or near them: at the limit of this very cgroup
  std::uint64_t group_kills = 0;     // memory.oom.group: all of it ended together
  OomScope scope = OomScope::None;   // of those shortly before its end
  // Of oom_kills, those shortly before its end: older ones cannot explain it.
  std::uint64_t recent_oom_kills = 0;
};

// A request that its end cut short.
struct CutRequest {
  std::string method;
  std::string path;  // without the query
  Duration age{};
};

// Who listens where the worker wanted to.
struct PortHolder {
  std::uint16_t port = 0;
  int pid = 0;  // 0: not to be found out
  std::string name;
};

// What ELF headers tell of a program or library that cannot be loaded.
struct LoaderFinding {
  std::string object;   // that needs it
  std::string needed;   // "libfoo.so.1"
  std::string found;    // a file of that name that does not fit; empty: none
  std::string machine;  // what `found` was made for: "aarch64"
};

// What came of asking it over HTTP whether it serves: the probes of its start, then its pings.
struct ProbeAnswer {
  std::string path = {};
  int status = 0;             // of the last answer; 0: none had one
  std::string error = {};     // why the last try got no answer: "Connection refused"; empty: it did
  bool was_answered = false;  // at least one byte came, by any of the tries
};

struct WrittenLine {
  bool is_stderr = false;
  std::string text;
};

struct Evidence {
  ExitStatus status;
  std::uint64_t oom_kills = 0;    // how often the kernel's OOM killer struck in its cgroup
  std::string last_output;        // the end of what it wrote, stdout and stderr, as it came
  std::uint64_t memory_peak = 0;  // bytes; 0 where it is not known
  std::uint64_t requests_served = 0;

  // Found before its end is told.
  MemoryTrouble memory;
  std::uint64_t pids_limit_hits = 0;         // forks that limits.pids refused
  std::uint64_t recent_pids_limit_hits = 0;  // of them, those shortly before its end
  Duration cpu_user{}, cpu_system{};
  std::vector<WrittenLine> output;       // the lines of last_output
  std::vector<ThreadState> threads;      // of one that did not answer
  std::vector<std::string> left_behind;  // "1234 gunicorn": what lived on in its tree
  std::optional<PortHolder> port_holder;
  std::vector<LoaderFinding> loader;
  std::string protocol_breach = {};  // what it said where the protocol wants something else
  std::optional<ProbeAnswer> probe = {};
  bool was_cgroup_removed = false;  // by somebody else: what it counted is lost
  // The limit of RLIMIT_CPU that its signal stands for: the hard one, which kills with SIGKILL, or
  // the soft one of SIGXCPU.
  bool is_over_cpu_rlimit = false;
  bool has_file_size_rlimit = false;  // RLIMIT_FSIZE, of one that SIGXFSZ ended
  std::optional<FaultSite> fault;

  // Found later, if at all: Event worker.post_mortem.
  bool is_more_to_come = false;  // somebody looks for it, and will tell even that there is nothing
  std::optional<CoreFile> core;
  std::vector<std::string> backtrace;    // innermost first
  std::string why_no_backtrace = {};     // of a core file: "neither gdb nor eu-stack is installed"
  std::vector<CutRequest> cut_requests;  // as the gateway tells
};

}  // namespace poolwarden::diagnosis
