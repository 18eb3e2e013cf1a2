// The signals of signal(7): what each says of the process that it ended.

#include <csignal>

#include "diagnosis/status_rows.h"

namespace poolwarden::diagnosis {
namespace {

constexpr std::string_view kCore =
    "Set limits.core and read the backtrace in the certificate, or open the core file in gdb.";
constexpr std::string_view kSender =
    "Look for who sends it: scripts, operators, a wrapper in the pool's command.";
constexpr std::string_view kHandle = "Let the program handle or ignore it.";
constexpr std::string_view kHarmless =
    "It ends no process by default; that it did not end by it is to be expected.";

constexpr SignalRow kSignals[] = {
    {SIGHUP, "Its terminal is gone; to daemons: read the configuration again.",
     "a script that asks for a reload; a terminal that was closed", kSender, Cause::KilledExternal},
    {SIGINT, "Interrupted, as by Ctrl-C.",
     "a terminal; some runtimes' own stop signal; STOPSIGNAL of an image", kSender,
     Cause::KilledExternal},
    {SIGQUIT, "Asked to quit and leave a core; Java and Go write their stacks in place of that.",
     "Ctrl-\\ in a terminal; nginx's graceful stop; health.stack_signal", kSender,
     Cause::KilledExternal},
    {SIGILL, "An instruction that this processor does not have.",
     "built for a newer processor (-march=native); damaged code; a deliberate trap of the compiler",
     "Build for a baseline of the processors that run it (x86-64-v2), or open the core in gdb.",
     Cause::IllegalInstruction},
    {SIGTRAP, "A breakpoint without a debugger.",
     "a debugger that went away; a deliberate trap; V8", kCore, Cause::Unknown},
    {SIGABRT, "It aborted itself.",
     "an assertion; an uncaught exception (C++, .NET); a damaged heap that the allocator found; "
     "Node.js out of heap",
     "Read the end of its output: it says which. limits.core adds the stack.", Cause::Abort},
    {SIGBUS, "It touched memory that has no backing.",
     "a mapped file that was truncated; a full /dev/shm or tmpfs; a failing disk",
     "Look at `df /dev/shm` and at files that it maps; limits.core shows the address.",
     Cause::BusError},
    {SIGFPE, "An arithmetic error.", "an integer division by zero; an overflow of a division",
     kCore, Cause::Arithmetic},
    {SIGKILL, "Killed, with nothing that it could do about it.",
     "the kernel's OOM killer; poolwarden after stop.timeout; `docker stop` after its grace "
     "period; "
     "RLIMIT_CPU's hard limit; somebody's kill -9",
     "`poolwarden why POOL` says who it was as far as it can be known; the kernel's log (dmesg) "
     "tells of the OOM killer.",
     Cause::KilledExternal},
    {SIGUSR1, "A signal of the application's own.",
     "a log rotation or debugging script for a program that does not handle it", kSender,
     Cause::KilledExternal},
    {SIGSEGV, "It touched memory that it does not have.",
     "a null or dangling pointer in native code; an endless recursion that used up the stack; two "
     "threads on one object",
     kCore, Cause::Segfault},
    {SIGUSR2, "A signal of the application's own.",
     "a log rotation or upgrade script for a program that does not handle it", kSender,
     Cause::KilledExternal},
    {SIGPIPE, "It wrote to a pipe or connection whose other end was closed.",
     "a client or log reader that went away", "Let it ignore SIGPIPE, as servers do.",
     Cause::Unknown},
    {SIGALRM, "A timer of its own, alarm(2), that it does not handle.",
     "a time-out in the program or in a library", kHandle, Cause::Unknown},
    {SIGTERM, "Asked to end.",
     "poolwarden's stop signal; `docker stop`, Kubernetes or systemd; an operator",
     "Nothing, where a stop was asked for. Else look for who sends it.", Cause::KilledExternal},
    {SIGSTKFLT, "A signal that the kernel does not use.", "a kill command", kSender,
     Cause::KilledExternal},
    {SIGCHLD, "A child process changed its state.", "the usual end of a child", kHarmless,
     Cause::Unknown},
    {SIGCONT, "Go on after a stop.", "a drill, a debugger, a shell's job control", kHarmless,
     Cause::Unknown},
    {SIGSTOP, "Stopped where it stands; it has not ended.",
     "a debugger; `kill -STOP`; `poolwarden drill hang`", "Let it go on: kill -CONT PID.",
     Cause::Unknown},
    {SIGTSTP, "Stopped from the terminal; it has not ended.", "Ctrl-Z",
     "Let it go on: kill -CONT PID.", Cause::Unknown},
    {SIGTTIN, "Stopped, for it read from a terminal in the background.",
     "an interactive program as a worker", "Give it no terminal to ask.", Cause::Unknown},
    {SIGTTOU, "Stopped, for it wrote to a terminal in the background.",
     "an interactive program as a worker", "Give it no terminal to ask.", Cause::Unknown},
    {SIGURG, "Urgent data on a socket; Go uses it to interrupt its goroutines.", "everyday use",
     kHarmless, Cause::Unknown},
    {SIGXCPU, "It used more CPU time than RLIMIT_CPU allows.",
     "an endless loop; a limit that is too low (ulimit -t, LimitCPU=)",
     "Raise RLIMIT_CPU, or find what runs in circles. At the hard limit the kernel sends SIGKILL.",
     Cause::CpuLimit},
    {SIGXFSZ, "It wrote a file larger than RLIMIT_FSIZE allows.",
     "a log file that grows without end; a limit that is too low (ulimit -f)",
     "Raise RLIMIT_FSIZE, or find what writes so much.", Cause::FileSizeLimit},
    {SIGVTALRM, "A timer of its own CPU time that it does not handle.", "a profiler", kHandle,
     Cause::Unknown},
    {SIGPROF, "A profiler's timer that it does not handle.",
     "a profiler that was switched on by the environment", "Switch the profiler off.",
     Cause::Unknown},
    {SIGWINCH, "The terminal's size changed; Apache takes it as its graceful stop.",
     "a terminal; STOPSIGNAL SIGWINCH of an image", kHarmless, Cause::Unknown},
    {SIGIO, "Input or output is possible on a descriptor that asked to be told so.",
     "F_SETOWN without a handler", kHandle, Cause::Unknown},
    {SIGPWR, "The power is failing.", "a UPS daemon; `lxc-stop`, which sends it to PID 1", kSender,
     Cause::KilledExternal},
    {SIGSYS, "A system call that a seccomp filter forbids.",
     "the container's seccomp profile; the program's own sandbox; a newer libc on an old engine",
     "The certificate names the system call: allow it in the profile (docker run --security-opt "
     "seccomp=FILE), or do without it.",
     Cause::Seccomp},
};

}  // namespace

std::span<const SignalRow> signal_rows() { return kSignals; }

}  // namespace poolwarden::diagnosis
