// flood LINES: writes that many lines as fast as it can (0: for ever), then "done", and stays.

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv) {
  const long lines = argc > 1 ? std::atol(argv[1]) : 0;
  for (long i = 0; lines == 0 || i < lines; ++i) std::printf("line %ld of a flood\n", i);
  std::puts("done");
  std::fflush(stdout);
  for (;;) ::pause();
}
