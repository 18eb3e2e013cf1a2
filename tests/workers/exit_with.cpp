// exit_with CODE [TEXT]: writes TEXT to stderr, and exits.

#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv) {
  if (argc > 2) std::fprintf(stderr, "%s\n", argv[2]);
  return argc > 1 ? std::atoi(argv[1]) : 0;
}
