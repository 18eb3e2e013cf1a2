#include "process/oom_hog.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "cgroup/kernel_files.h"
#include "loop/pidfd.h"
#include "loop/unique_fd.h"

namespace poolwarden::process {
namespace {

using cgroup::read_count;
using cgroup::write_text;

constexpr std::size_t kBite = 1 << 20;
constexpr std::uint64_t kInfinite = 1ULL << 62;  // v1: about the largest number there is

std::optional<std::uint64_t> limit_of(const std::string& group) {
  auto limit = read_count(group + "/memory.max");
  if (!limit) limit = read_count(group + "/memory.limit_in_bytes");
  if (limit && *limit >= kInfinite) limit.reset();
  return limit;
}

// The kernel kills whoever has the most points: pages, and the adjustment in thousandths of all.
// A victim that lives on has its own adjustment again.
class Chosen {
 public:
  explicit Chosen(pid_t victim)
      : path_("/proc/" + std::to_string(victim) + "/oom_score_adj"),
        before_(cgroup::read_text(path_)) {
    const std::string own = "/proc/self/oom_score_adj";
    if (std::atoi(cgroup::read_text(own).value_or("0").c_str()) > 0) (void)write_text(own, "0");
    outcome_ = write_text(path_, "1000");
  }
  ~Chosen() {
    if (before_) (void)write_text(path_, *before_);
  }
  Chosen(const Chosen&) = delete;
  Chosen& operator=(const Chosen&) = delete;

  const Result<void>& outcome() const { return outcome_; }

 private:
  std::string path_;
  std::optional<std::string> before_;
  Result<void> outcome_;
};

// Over memory.high the kernel has one wait rather than die, for minutes.
class WithoutBrake {
 public:
  explicit WithoutBrake(const std::string& group)
      : path_(group + "/memory.high"), before_(cgroup::read_text(path_)) {
    if (before_) (void)write_text(path_, "max");
  }
  ~WithoutBrake() {
    if (before_) (void)write_text(path_, *before_);
  }
  WithoutBrake(const WithoutBrake&) = delete;
  WithoutBrake& operator=(const WithoutBrake&) = delete;

 private:
  std::string path_;
  std::optional<std::string> before_;
};

Result<void> eat_until_ended(const loop::UniqueFd& pidfd, std::uint64_t limit) {
  for (std::uint64_t eaten = 0; !loop::has_ended(pidfd); eaten += kBite) {
    if (eaten > 2 * limit) return failure("its memory goes to swap in place of running out");
    void* bite = ::mmap(nullptr, kBite, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (bite == MAP_FAILED) return errno_error(errno, "cannot take memory");
    std::memset(bite, 1, kBite);
    asm volatile("" : : "r"(bite) : "memory");  // for nobody looks at it
  }
  return {};
}

Result<void> provoke(const std::string& group, pid_t victim) {
  const auto limit = group.empty() ? std::nullopt : limit_of(group);
  if (!limit) return failure("it has no memory limit: limits.memory is needed");
  const loop::UniqueFd pidfd = loop::open_pidfd(victim);
  if (!pidfd) return errno_error(errno, "cannot watch it");
  const Chosen chosen(victim);
  if (!chosen.outcome()) return chosen.outcome();
  const WithoutBrake without_brake(group);
  if (auto entered = write_text(group + "/cgroup.procs", "0"); !entered) return entered;
  return eat_until_ended(pidfd, *limit);
}

}  // namespace

Result<void> provoke_oom_kill(const std::string& memory_cgroup, pid_t victim) {
  auto done = provoke(memory_cgroup, victim);
  if (done) return done;
  return done.error().because("cannot have process " + std::to_string(victim) +
                              " killed for its memory");
}

}  // namespace poolwarden::process
