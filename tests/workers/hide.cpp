// hide environment|first_thread: leaves a grandchild behind in a session of its own, and stays. The
// grandchild prints its pid, waits for SIGUSR1, and then takes away what tells whose it is: it
// writes over its environment, or its first thread ends before another one.

#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>

namespace {

void* wait_forever(void*) {
  for (;;) ::pause();
}

void write_over_environment() {
  for (char** each = environ; *each != nullptr; ++each) std::memset(*each, 0, std::strlen(*each));
}

[[noreturn]] void leave_another_thread() {
  pthread_t thread{};
  ::pthread_create(&thread, nullptr, wait_forever, nullptr);
  ::pthread_exit(nullptr);
}

[[noreturn]] void hide(bool by_environment) {
  sigset_t awaited;
  sigemptyset(&awaited);
  sigaddset(&awaited, SIGUSR1);
  ::sigprocmask(SIG_BLOCK, &awaited, nullptr);
  std::printf("%d\n", ::getpid());
  std::fflush(stdout);
  int signal = 0;
  ::sigwait(&awaited, &signal);
  if (!by_environment) leave_another_thread();
  write_over_environment();
  std::puts("hidden");
  std::fflush(stdout);
  wait_forever(nullptr);
  ::_exit(0);
}

}  // namespace

int main(int argc, char** argv) {
  const bool by_environment = argc > 1 && std::strcmp(argv[1], "environment") == 0;
  if (::fork() == 0) {
    ::setsid();
    if (::fork() == 0) hide(by_environment);
    ::_exit(0);
  }
  wait_forever(nullptr);
}
