// eat_memory MIB: takes and touches that much memory, prints "full", and stays.

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

int main(int argc, char** argv) {
  const std::size_t mebibytes = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1;
  for (std::size_t i = 0; i < mebibytes; ++i) {
    void* block = std::malloc(1 << 20);
    if (!block) return 1;
    std::memset(block, 1, 1 << 20);
    asm volatile("" : : "r"(block) : "memory");  // clang leaves out memory that nobody looks at
  }
  std::puts("full");
  std::fflush(stdout);
  for (;;) ::pause();
}
