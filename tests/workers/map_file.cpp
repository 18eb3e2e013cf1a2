// map_file MIB: writes a file of that size, maps and touches all of it, prints "full", and stays.

#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

int main(int argc, char** argv) {
  const std::size_t mebibytes = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1;
  std::FILE* file = std::tmpfile();
  const std::string block(1 << 20, 'x');
  for (std::size_t i = 0; i < mebibytes; ++i) std::fwrite(block.data(), block.size(), 1, file);
  if (std::fflush(file) != 0 || ::fsync(::fileno(file)) != 0) return 1;
  const std::size_t size = mebibytes << 20;
  void* mapped = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, ::fileno(file), 0);
  if (mapped == MAP_FAILED) return 2;
  for (std::size_t at = 0; at < size; at += 4096)
    (void)static_cast<volatile const char*>(mapped)[at];
  std::puts("full");
  std::fflush(stdout);
  for (;;) ::pause();
}
