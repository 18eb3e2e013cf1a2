// daemonize: what an old daemon does: forks twice, the last of them in a session of its own, says
// that one's pid, and leaves with 0.

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

int main() {
  const pid_t child = ::fork();
  if (child == 0) {
    ::setsid();
    const pid_t daemon = ::fork();
    while (daemon == 0) ::pause();
    std::printf("daemon %d\n", daemon);
    std::fflush(stdout);
    ::_exit(0);
  }
  ::waitpid(child, nullptr, 0);
  return 0;
}
