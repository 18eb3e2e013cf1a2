// without_ptrace [--kill] COMMAND WORD...: becomes the command, under a seccomp filter that denies
// ptrace(2) as a container's does, or kills whoever calls it.

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>

int main(int argc, char** argv) {
  const bool kills = argc > 1 && std::strcmp(argv[1], "--kill") == 0;
  const unsigned answer = kills ? SECCOMP_RET_KILL_PROCESS : SECCOMP_RET_ERRNO | EPERM;
  char** const command = argv + (kills ? 2 : 1);
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ptrace, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, answer),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{sizeof filter / sizeof *filter, filter};
  if (argc < 2 || !*command || ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
      ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0) {
    std::perror("prctl");
    return 9;
  }
  ::setenv("ASAN_OPTIONS", "detect_leaks=0", 1);  // LeakSanitizer traces, too
  ::execv(*command, command);
  std::perror(*command);
  return 9;
}
