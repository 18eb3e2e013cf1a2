// ignore_term: prints "ready", ignores SIGTERM, and stays.

#include <unistd.h>

#include <csignal>
#include <cstdio>

int main() {
  std::signal(SIGTERM, SIG_IGN);
  std::puts("ready");
  std::fflush(stdout);
  for (;;) ::pause();
}
