// many_threads MOST: starts threads until no more can be had, MOST at most; std::thread throws when
// the kernel refuses one, and nobody catches it.

#include <unistd.h>

#include <cstdlib>
#include <thread>

int main(int argc, char** argv) {
  const int most = argc > 1 ? std::atoi(argv[1]) : 1;
  for (int i = 0; i < most; ++i) std::thread([] { ::pause(); }).detach();
  return 0;
}
