#include "sample/crash.h"

#include <sys/mman.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdlib>

// The sanitizers would report these faults and exit, instead of letting the signal kill.
#define REALLY __attribute__((no_sanitize("address", "undefined", "thread"), noinline))

namespace poolwarden::sample {
namespace {

REALLY void write_to_nowhere() {
  volatile std::uintptr_t nowhere = 16;
  *reinterpret_cast<volatile int*>(nowhere) = 1;  // NOLINT: the fault is the purpose
}

REALLY void read_past_the_end_of_a_file() {
  const int file = ::memfd_create("empty", MFD_CLOEXEC);
  void* page = ::mmap(nullptr, 4096, PROT_READ, MAP_SHARED, file, 0);
  if (page == MAP_FAILED) return;
  static_cast<void>(*static_cast<volatile char*>(page));
}

REALLY int divide_by_zero() {
  volatile int zero = 0;
  volatile int quotient = 1 / zero;  // NOLINT: the fault is the purpose
  return quotient;
}

[[noreturn]] void die_by_default_of(int signal) {
  std::signal(signal, SIG_DFL);
  ::raise(signal);
  ::_exit(128 + signal);  // the signal was blocked
}

}  // namespace

void die_of(const std::string& signal) {
  for (const int fatal : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL}) std::signal(fatal, SIG_DFL);
  if (signal == "ABRT") std::abort();
  if (signal == "BUS") {
    read_past_the_end_of_a_file();
    die_by_default_of(SIGBUS);
  }
  if (signal == "FPE") {
    divide_by_zero();
    die_by_default_of(SIGFPE);  // not every processor minds
  }
  if (signal == "ILL") {
    __builtin_trap();
  }
  write_to_nowhere();
  die_by_default_of(SIGSEGV);
}

}  // namespace poolwarden::sample
