// die HOW: ends by its own fault, in the way that HOW names; see kWays. What the kernel or the C
// library does about it is the real thing: no signal is sent by hand.

#undef NDEBUG
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include <cassert>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string_view>

namespace {

// Nobody, the optimizer included, knows what comes out of it.
template <typename Value>
Value unknown(Value value) {
  asm volatile("" : "+r"(value) : : "memory");
  return value;
}

void limit(int resource, rlim_t soft, rlim_t hard) {
  const rlimit both{soft, hard};
  if (::setrlimit(static_cast<__rlimit_resource>(resource), &both) < 0) std::exit(9);
}

[[noreturn]] void burn() {
  for (volatile unsigned turns = 0;;) turns = turns + 1;
}

void touch_nothing() { *unknown(reinterpret_cast<volatile int*>(16)) = 1; }

// A page a call, so that none of them jumps over the guard page.
int fall(int depth) {
  volatile char page[4096] = {};
  page[depth % 4096] = 1;
  return unknown(depth) < 0 ? 0 : fall(depth + 1) + page[0];
}
void use_up_the_stack() { std::exit(fall(0)); }

void* fall_in_thread(void*) { std::exit(fall(0)); }
void use_up_the_stack_of_a_thread() {
  pthread_t thread;
  pthread_create(&thread, nullptr, fall_in_thread, nullptr);
  pthread_join(thread, nullptr);
}

void throw_what_nobody_catches() { throw std::runtime_error("no luck today"); }

void fail_an_assertion() {
  const int answer = unknown(41);
  assert(answer == 42);
}

void free_twice() {
  void* block = std::malloc(32);
  std::free(unknown(block));
  std::free(unknown(block));
}

void write_past_an_array() {
  char small[8];
  std::memset(unknown(static_cast<char*>(small)), 'x', unknown(std::size_t{64}));
}

void divide_by_zero() { std::exit(unknown(42) / unknown(0)); }

[[noreturn]] void trap() { __builtin_trap(); }

void read_past_the_end_of_a_file() {
  const int file = ::memfd_create("empty", MFD_CLOEXEC);
  void* page = ::mmap(nullptr, 4096, PROT_READ, MAP_SHARED, file, 0);
  std::exit(page == MAP_FAILED ? 9 : *static_cast<volatile char*>(page));
}

void write_to_nobody() {
  int ends[2];
  if (::pipe(ends) < 0 || ::dup2(ends[1], STDOUT_FILENO) < 0) std::exit(9);
  ::close(ends[0]);
  std::puts("is anybody there?");
  std::fflush(stdout);
}

void sleep_through_the_alarm() {
  const itimerval soon{{}, {0, 10'000}};
  ::setitimer(ITIMER_REAL, &soon, nullptr);
  ::pause();
}

void burn_to_the_soft_limit() {
  limit(RLIMIT_CPU, 1, RLIM_INFINITY);
  burn();
}

void burn_to_the_hard_limit() {
  limit(RLIMIT_CPU, 1, 1);
  burn();
}

void write_too_large_a_file() {
  limit(RLIMIT_FSIZE, 4096, RLIM_INFINITY);
  const int file = ::memfd_create("large", MFD_CLOEXEC);
  const char page[4096] = {};
  while (::write(file, page, sizeof page) > 0) {
  }
}

void take_more_than_there_is() {
  limit(RLIMIT_AS, 256 << 20, RLIM_INFINITY);
  for (;;) std::memset(unknown(new char[16 << 20]), 1, 16 << 20);
}

struct Way {
  std::string_view name;
  void (*die)();
};

constexpr Way kWays[] = {
    {"segfault", touch_nothing},
    {"stack_overflow", use_up_the_stack},
    {"stack_overflow_in_thread", use_up_the_stack_of_a_thread},
    {"abort", std::abort},
    {"exception", throw_what_nobody_catches},
    {"assertion", fail_an_assertion},
    {"double_free", free_twice},
    {"smashed_stack", write_past_an_array},
    {"division", divide_by_zero},
    {"trap", trap},
    {"bus_error", read_past_the_end_of_a_file},
    {"broken_pipe", write_to_nobody},
    {"alarm", sleep_through_the_alarm},
    {"cpu_soft", burn_to_the_soft_limit},
    {"cpu_hard", burn_to_the_hard_limit},
    {"file_size", write_too_large_a_file},
    {"bad_alloc", take_more_than_there_is},
};

}  // namespace

int main(int argc, char** argv) {
  for (const Way& way : kWays) {
    if (argc > 1 && way.name == argv[1]) way.die();
  }
  std::fprintf(stderr, "die: it knows no such way, or lives on\n");
  return 9;
}
