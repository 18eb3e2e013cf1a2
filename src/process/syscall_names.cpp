#include "process/syscall_names.h"

#include <sys/syscall.h>

#include <algorithm>
#include <array>

namespace poolwarden::process {
namespace {

struct Call {
  long number;
  std::string_view name;
};

constexpr auto kCalls = std::to_array<Call>({
    {SYS_read, "read"},
    {SYS_write, "write"},
    {SYS_readv, "readv"},
    {SYS_writev, "writev"},
    {SYS_pread64, "pread64"},
    {SYS_pwrite64, "pwrite64"},
    {SYS_openat, "openat"},
    {SYS_close, "close"},
    {SYS_fsync, "fsync"},
    {SYS_fdatasync, "fdatasync"},
    {SYS_sync, "sync"},
    {SYS_flock, "flock"},
    {SYS_fcntl, "fcntl"},
    {SYS_ioctl, "ioctl"},
    {SYS_sendfile, "sendfile"},
    {SYS_splice, "splice"},
    {SYS_futex, "futex"},
    {SYS_ppoll, "ppoll"},
    {SYS_pselect6, "pselect6"},
    {SYS_epoll_pwait, "epoll_pwait"},
    {SYS_accept, "accept"},
    {SYS_accept4, "accept4"},
    {SYS_connect, "connect"},
    {SYS_recvfrom, "recvfrom"},
    {SYS_recvmsg, "recvmsg"},
    {SYS_sendto, "sendto"},
    {SYS_sendmsg, "sendmsg"},
    {SYS_wait4, "wait4"},
    {SYS_waitid, "waitid"},
    {SYS_nanosleep, "nanosleep"},
    {SYS_clock_nanosleep, "clock_nanosleep"},
    {SYS_rt_sigsuspend, "rt_sigsuspend"},
    {SYS_rt_sigtimedwait, "rt_sigtimedwait"},
    {SYS_restart_syscall, "restart_syscall"},
    {SYS_semop, "semop"},
    {SYS_semtimedop, "semtimedop"},
    {SYS_msgrcv, "msgrcv"},
    {SYS_msgsnd, "msgsnd"},
    {SYS_mq_timedreceive, "mq_timedreceive"},
    {SYS_io_getevents, "io_getevents"},
    {SYS_execve, "execve"},
    {SYS_munmap, "munmap"},
    {SYS_madvise, "madvise"},
    {SYS_unlinkat, "unlinkat"},
    {SYS_ftruncate, "ftruncate"},
    {SYS_exit_group, "exit_group"},
    {SYS_io_uring_enter, "io_uring_enter"},
#ifdef SYS_open  // from here on those that only older architectures have
    {SYS_open, "open"},
    {SYS_poll, "poll"},
    {SYS_select, "select"},
    {SYS_epoll_wait, "epoll_wait"},
    {SYS_pause, "pause"},
    {SYS_unlink, "unlink"},
#endif
});

}  // namespace

std::string_view syscall_name(long number) {
  const auto found = std::find_if(kCalls.begin(), kCalls.end(),
                                  [number](const Call& call) { return call.number == number; });
  return found == kCalls.end() ? std::string_view() : found->name;
}

}  // namespace poolwarden::process
