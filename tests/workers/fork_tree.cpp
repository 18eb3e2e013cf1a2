// fork_tree COUNT stay|leave: starts COUNT grandchildren, every other one in a session of its own
// and orphaned; prints their pids; then stays or exits with 3.

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

[[noreturn]] void wait_forever() {
  for (;;) ::pause();
}

void start_descendant(bool leave_session) {
  int ends[2];
  if (::pipe(ends) < 0) std::exit(1);
  if (::fork() == 0) {
    if (leave_session) ::setsid();
    const pid_t grandchild = ::fork();
    if (grandchild == 0) wait_forever();
    if (::write(ends[1], &grandchild, sizeof grandchild) < 0) ::_exit(1);
    if (leave_session) ::_exit(0);
    wait_forever();
  }
  pid_t grandchild = 0;
  if (::read(ends[0], &grandchild, sizeof grandchild) < 0) std::exit(1);
  ::close(ends[0]);
  ::close(ends[1]);
  std::printf("%d\n", grandchild);
}

}  // namespace

int main(int argc, char** argv) {
  const int count = argc > 1 ? std::atoi(argv[1]) : 1;
  for (int i = 0; i < count; ++i) start_descendant(i % 2 == 0);
  std::printf("all started\n");
  std::fflush(stdout);
  if (argc > 2 && std::strcmp(argv[2], "leave") == 0) ::_exit(3);
  wait_forever();
}
