// Exit codes of Windows that operators of IIS know, and what the same trouble looks like on Linux.

#include "diagnosis/status_rows.h"

namespace poolwarden::diagnosis {
namespace {

constexpr std::string_view kSplit =
    "Run the command once as root and once as the pool's user (`poolwarden doctor` does it): where "
    "only root succeeds a right is missing, else the program or a library is.";
constexpr std::string_view kWhoExits =
    "See who exits: `poolwarden debug POOL --with strace`, or a breakpoint on exit_group in gdb.";
constexpr std::string_view kCoreFile =
    "Set limits.core; the certificate shows the stack when gdb or eu-stack is installed.";
constexpr std::string_view kLoader =
    "`poolwarden debug POOL --with loader` names the object: it does what loader snaps do.";
constexpr std::string_view kRights =
    "Check the way to the file as the pool's user: `namei -l PATH`; for system calls `poolwarden "
    "debug POOL --with strace` shows what is refused.";

constexpr WindowsRow kWindows[] = {
    {0x0, "ERROR_SUCCESS", "The worker left with success, though nobody had asked it to.",
     "it was configured to start under a debugger that never said go; a debugger that "
     "ended took it along",
     "exit code 0 without a stop request: exit_zero. A debug tool left in place, or a "
     "program that puts itself into the background",
     "Look for a debug tool in the pool's command; switch off the program's daemon mode.",
     Cause::ExitZero},
    {0x1, "ERROR_INVALID_FUNCTION", "A code of the application's own.",
     "whatever it exits with 1 for", "exit code 1: exit_nonzero", kWhoExits, Cause::ExitNonzero},
    {0x2, "ERROR_FILE_NOT_FOUND", "Something that it depends on was not found.",
     "a dependency that cannot be loaded; a damaged configuration store",
     "ENOENT at start: exec_failed; or exit code 2", kSplit, Cause::Unknown},
    {0x3, "ERROR_PATH_NOT_FOUND", "A path was not found; abort() of the C runtime gives it too.",
     "a third party's filter or module", "ENOENT for a directory; abort() is SIGABRT here",
     "Take modules out one by one.", Cause::Unknown},
    {0x5, "ERROR_ACCESS_DENIED", "Access denied.", "a right of the pool's identity",
     "EACCES or EPERM", kRights, Cause::Unknown},
    {0x80, "ERROR_WAIT_NO_CHILDREN",
     "Nobody could tell its exit code: typically it never started at all.",
     "the pool's identity may not log on; it may not read the program or a library; very many "
     "pools with identities of their own",
     "a failed start with its stage and errno: exec_failed (EACCES, EPERM, ENOENT), setuid "
     "refused, or EAGAIN from limits of processes (pids.max, RLIMIT_NPROC)",
     kSplit, Cause::ExecFailed},
    {0xff, "", "It was shut down \"gracefully\": somebody called ExitProcess or TerminateProcess.",
     "the application or a module of it exits", "exit code 255: exit_255", kWhoExits,
     Cause::Exit255},
    {0x102, "WAIT_TIMEOUT", "A wait timed out.", "whatever it waited for",
     "startup_timeout, ping_timeout or request_timeout of poolwarden",
     "The certificate shows what its threads waited for.", Cause::Unknown},
    {0x103, "STILL_ACTIVE", "It had not ended when its code was asked for.",
     "a tool that looks too "
     "early",
     "the worker is still running", "Look at `poolwarden status`.", Cause::Unknown},
    {0x40010004, "DBG_TERMINATE_PROCESS", "A debugger ended it.",
     "the debugger was closed while attached",
     "SIGKILL from a tracer that ended (PTRACE_O_EXITKILL): killed_external",
     "Detach before the debugger ends.", Cause::KilledExternal},
    {0x80000003, "STATUS_BREAKPOINT", "A breakpoint without a debugger.", "a deliberate trap",
     "SIGTRAP", kCoreFile, Cause::Unknown},
    {0x80004005, "E_FAIL", "Unspecified failure.", "anything", "exit code 1: exit_nonzero",
     kWhoExits, Cause::ExitNonzero},
    {0x80070002, "HRESULT of ERROR_FILE_NOT_FOUND", "A file was not found.",
     "a program, module or configuration file that is not there", "ENOENT: exec_failed", kRights,
     Cause::ExecFailed},
    {0x80070003, "HRESULT of ERROR_PATH_NOT_FOUND", "A path was not found.",
     "the application's directory does not exist", "ENOENT at chdir: exec_failed, stage directory",
     "Correct the pool's directory.", Cause::ExecFailed},
    {0x80070005, "E_ACCESSDENIED", "Access denied.",
     "the pool's identity lacks a right on a file, on the configuration or to launch a component",
     "EACCES or EPERM: of a file, a socket's mode, D-Bus or polkit, a capability", kRights,
     Cause::ExecFailed},
    {0x80070008, "HRESULT of ERROR_NOT_ENOUGH_MEMORY", "Not enough memory.", "a full machine",
     "ENOMEM, or oom_killed", "Compare limits.memory with the memory peak in the certificate.",
     Cause::Unknown},
    {0x8007000d, "HRESULT of ERROR_INVALID_DATA", "The configuration cannot be read.",
     "a syntax error; a section whose module is not installed",
     "config_error (78), or `poolwarden check` of the supervisor's own file",
     "Correct the worker's own configuration.", Cause::ConfigError},
    {0x8007000e, "E_OUTOFMEMORY", "Out of memory.", "a leak; a limit that is too low",
     "ENOMEM within the limit, or oom_killed at it",
     "Compare limits.memory with the memory peak in the certificate.", Cause::Unknown},
    {0x80070020, "HRESULT of ERROR_SHARING_VIOLATION",
     "Something is in use by another process; of http.sys: the address is taken.",
     "another server on the port", "EADDRINUSE: port_in_use",
     "The certificate names who holds the port; let the worker listen where it is told.",
     Cause::PortInUse},
    {0x80070021, "HRESULT of ERROR_LOCK_VIOLATION", "The section of the configuration is locked.",
     "a setting that only the server's administrator may make", "config_error",
     "Correct the worker's own configuration.", Cause::ConfigError},
    {0x8007007e, "HRESULT of ERROR_MOD_NOT_FOUND", "A module was not found.",
     "a DLL, or one that it needs itself, is not installed",
     "exit code 127, \"cannot open shared object file\": loader_failed", kLoader,
     Cause::LoaderFailed},
    {0x8007007f, "HRESULT of ERROR_PROC_NOT_FOUND", "A module lacks a function.",
     "modules of versions that do not fit together",
     "exit code 127, \"symbol lookup error\" or \"version not found\": loader_failed", kLoader,
     Cause::LoaderFailed},
    {0x800700b7, "HRESULT of ERROR_ALREADY_EXISTS", "It exists already: two sites on one binding.",
     "an address that is given out twice",
     "EADDRINUSE: port_in_use; or a finding of `poolwarden "
     "check`",
     "Give each its own address.", Cause::PortInUse},
    {0x800700c1, "HRESULT of ERROR_BAD_EXE_FORMAT", "Not a program or module for this processor.",
     "a 32-bit module in a 64-bit worker, or the other way round",
     "ENOEXEC: exec_failed; a library of another architecture: loader_failed (the loader passes it "
     "over and says that there is none)",
     "`file PATH` shows what it was built for; install the one for this architecture.",
     Cause::ExecFailed},
    {0x800703e9, "HRESULT of ERROR_STACK_OVERFLOW", "The stack overflowed (.NET).",
     "endless recursion", "SIGSEGV right below the stack: stack_overflow; .NET aborts: SIGABRT",
     "Find the recursion in the stack.", Cause::StackOverflow},
    {0x8007042b, "HRESULT of ERROR_PROCESS_ABORTED", "The process ended unexpectedly.", "a crash",
     "any worker.exited: its diagnosis says more", kCoreFile, Cause::Unknown},
    {0x8007045a, "HRESULT of ERROR_DLL_INIT_FAILED", "The start-up code of a module failed.",
     "a module that aborts in its constructor", "SIGABRT or SIGSEGV before it is ready", kCoreFile,
     Cause::Unknown},
    {0x8007052e, "HRESULT of ERROR_LOGON_FAILURE", "The pool's identity cannot log on.",
     "a wrong user or password", "stage identity: exec_failed, there is no such user",
     "Correct the pool's identity.", Cause::ExecFailed},
    {0x80070569, "HRESULT of ERROR_LOGON_TYPE_NOT_GRANTED",
     "The pool's identity lacks the right to log on as a batch job.", "a user right was taken away",
     "EPERM at stage identity: exec_failed",
     "Run poolwarden as a user who may become it (root, or CAP_SETUID and CAP_SETGID).",
     Cause::ExecFailed},
    {0x800705aa, "HRESULT of ERROR_NO_SYSTEM_RESOURCES", "A resource of the system ran out.",
     "too many pools or workers", "EAGAIN, ENFILE or ENOMEM at stage clone: exec_failed",
     "Look at pids.max, RLIMIT_NPROC and fs.file-max.", Cause::ExecFailed},
    {0x80131506, "COR_E_EXECUTIONENGINE", "A fatal error within the .NET runtime.",
     "native code that damaged memory", "SIGSEGV or SIGABRT", kCoreFile, Cause::Unknown},
    {0x80131623, "COR_E_FAILFAST", "The application called Environment.FailFast.",
     "it found its own state unsound", "SIGABRT: abort",
     "Read the end of its output for its reason.", Cause::Abort},
    {0xc0000005, "STATUS_ACCESS_VIOLATION", "An access violation: a crash.",
     "a null or dangling pointer in native code",
     "SIGSEGV (11): segfault; for memory without backing SIGBUS (7): bus_error. A shell says 139 "
     "or "
     "135",
     kCoreFile, Cause::Segfault},
    {0xc0000006, "STATUS_IN_PAGE_ERROR", "A page of a file could not be read.",
     "a network drive or disk that failed", "SIGBUS: bus_error",
     "Look at the disk and at files that were truncated while mapped.", Cause::BusError},
    {0xc0000017, "STATUS_NO_MEMORY", "Out of memory.", "a leak; a limit that is too low",
     "ENOMEM within the limit, or oom_killed at it",
     "Compare limits.memory with the memory peak in the certificate.", Cause::Unknown},
    {0xc000001d, "STATUS_ILLEGAL_INSTRUCTION", "An instruction that this processor does not have.",
     "built for a newer processor", "SIGILL: illegal_instruction",
     "Build for a baseline of the processors that run it.", Cause::IllegalInstruction},
    {0xc0000022, "STATUS_ACCESS_DENIED", "Access denied.", "a right of the pool's identity",
     "EACCES or EPERM", kRights, Cause::ExecFailed},
    {0xc000007b, "STATUS_INVALID_IMAGE_FORMAT", "A module is not for this processor.",
     "a 32-bit module in a 64-bit worker, or the other way round",
     "ENOEXEC: exec_failed; of a library: loader_failed",
     "`file PATH` shows what it was built for.", Cause::LoaderFailed},
    {0xc0000094, "STATUS_INTEGER_DIVIDE_BY_ZERO", "An integer division by zero.", "a defect",
     "SIGFPE: arithmetic", kCoreFile, Cause::Arithmetic},
    {0xc00000fd, "STATUS_STACK_OVERFLOW", "The stack overflowed.", "endless recursion",
     "SIGSEGV right below the stack: stack_overflow", "Find the recursion in the stack.",
     Cause::StackOverflow},
    {0xc000012d, "STATUS_COMMITMENT_LIMIT", "The machine's memory was used up.",
     "a leak, here or elsewhere", "oom_killed", "See what uses the memory of the machine.",
     Cause::OomKilled},
    {0xc0000135, "STATUS_DLL_NOT_FOUND", "A DLL was not found.", "a DLL that is not installed",
     "exit code 127, \"cannot open shared object file\": loader_failed", kLoader,
     Cause::LoaderFailed},
    {0xc0000139, "STATUS_ENTRYPOINT_NOT_FOUND", "A DLL lacks a function.",
     "DLLs of versions that do not fit together",
     "exit code 127, \"symbol lookup error\": "
     "loader_failed",
     kLoader, Cause::LoaderFailed},
    {0xc000013a, "STATUS_CONTROL_C_EXIT", "Ended by Ctrl-C.", "a console", "SIGINT",
     "Look for who interrupts it.", Cause::KilledExternal},
    {0xc0000142, "STATUS_DLL_INIT_FAILED", "The start-up code of a DLL failed.",
     "a desktop heap that is used up by many identities; a DLL that aborts in its constructor",
     "SIGABRT or SIGSEGV before it is ready; EAGAIN from limits of processes", kCoreFile,
     Cause::Unknown},
    {0xc0000374, "STATUS_HEAP_CORRUPTION", "The heap is damaged.",
     "a double free; a write beyond an allocation",
     "SIGABRT, \"free(): invalid pointer\" or \"malloc(): corrupted …\" in its output: abort",
     "Run it under AddressSanitizer or valgrind.", Cause::Abort},
    {0xc0000409, "STATUS_STACK_BUFFER_OVERRUN", "The stack is damaged, or it failed fast.",
     "a write beyond a buffer on the stack; abort() in newer C runtimes",
     "SIGABRT, \"*** stack smashing detected ***\" in its output: abort", kCoreFile, Cause::Abort},
    {0xc0000417, "STATUS_INVALID_CRUNTIME_PARAMETER", "A C function was given a value it refuses.",
     "a defect", "SIGABRT", kCoreFile, Cause::Abort},
    {0xe0434352, "CLR exception", "An exception of .NET (CLR 4 on) that nobody caught.",
     "the exception that its log names",
     "an uncaught exception: .NET and C++ end with SIGABRT (abort), Python, Node and Java with "
     "exit "
     "code 1",
     "Read the exception at the end of its output.", Cause::Abort},
    {0xe0434f4d, "COM+ exception", "An exception of .NET (before CLR 4) that nobody caught.",
     "the exception that its log names; a stack overflow; an exception in a background thread",
     "an uncaught exception: .NET and C++ end with SIGABRT (abort), Python, Node and Java with "
     "exit "
     "code 1",
     "Read the exception at the end of its output.", Cause::Abort},
    {0xe06d7363, "Visual C++ exception", "A C++ exception that nobody caught.", "a defect",
     "\"terminate called after throwing …\" and SIGABRT: abort",
     "Read the exception at the end of its output.", Cause::Abort},
    {0xffffffff, "", "It started in part, but something that it depends on could not be loaded.",
     "the pool's identity may not read it; a module that is missing or of another version; a "
     "service pack that was applied by half",
     "exit code 127 with the loader's text: loader_failed; or exit code 255, which exit(-1) gives",
     kSplit, Cause::LoaderFailed},
};

}  // namespace

std::span<const WindowsRow> windows_rows() { return kWindows; }

}  // namespace poolwarden::diagnosis
