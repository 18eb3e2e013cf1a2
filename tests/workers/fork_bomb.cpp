// fork_bomb MOST: starts children until no more can be had, MOST at most, and exits with 1 when the
// kernel refuses one, else with 0. The children stay.

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv) {
  const int most = argc > 1 ? std::atoi(argv[1]) : 1;
  for (int i = 0; i < most; ++i) {
    const pid_t child = ::fork();
    if (child < 0) {
      std::perror("fork");
      return 1;
    }
    while (child == 0) ::pause();
  }
  return 0;
}
