// diagnose() over any status, circumstances and evidence: it always has an answer, and its parts
// never contradict each other.

#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>

#include "base/clean_text.h"
#include "diagnosis/certificate.h"
#include "unit/diagnosis/deaths.h"
#include "unit/seeds.h"

namespace poolwarden::diagnosis {
namespace {

constexpr std::uint32_t kSeeds = 30000;
constexpr int kIntents = static_cast<int>(Intent::Deadlock) + 1;

class Maker {
 public:
  explicit Maker(std::uint32_t seed) : random_(seed) {}

  ExitStatus status() {
    if (below(3) == 0) return Exited{below(256)};
    if (below(2) == 0) return Signaled{1 + below(64), coin()};
    return NotStarted{static_cast<SpawnStage>(below(8)), below(134), below(2) ? "subject" : "",
                      static_cast<Obstacle>(below(8))};
  }

  Circumstances circumstances() {
    Circumstances made;
    made.intent = static_cast<Intent>(below(kIntents));
    made.was_ready = coin();
    made.kill_sent = coin();
    made.recycle_reason = pick({"", "memory", "cpu", "time"});
    made.debug_tool = pick({"", "", "gdb"});
    made.drill = pick({"", "", "", "segfault"});
    made.awaited = static_cast<Awaited>(below(4));
    made.inherits_socket = coin();
    if (coin()) made.limit = std::chrono::seconds(below(100));
    made.pool = pick({"web", "POOLS"});
    return made;
  }

  Evidence evidence() {
    Evidence made;
    made.status = status();
    made.last_output =
        pick({"", "sh: 1: x: not found",
              "x: error while loading shared libraries: l.so: cannot open "
              "shared object file",
              "Address already in use", "Traceback (most recent call last):\nE: x",
              "free(): invalid pointer", "MemoryError", "\xff\xfe", "\x1b[2J went wrong",
              "fork: Resource temporarily unavailable", "Connection in use: ('h', 80)"});
    made.oom_kills = few();
    made.memory = {few(), few(), few(), static_cast<OomScope>(below(4)), few()};
    made.memory_peak = few() << 20;
    made.pids_limit_hits = few();
    made.recent_pids_limit_hits = few();
    made.cpu_user = std::chrono::seconds(below(3));
    for (std::uint64_t i = few(); i > 0; --i)
      made.threads.push_back({1,
                              pick({"R", "S", "D", "T", "?"})[0],
                              "t",
                              pick({"", "futex_wait_queue", "ep_poll"}),
                              {}});
    for (std::uint64_t i = few(); i > 0; --i) made.left_behind.push_back("12 s\x1bh");
    if (coin()) made.port_holder = PortHolder{80, below(2), pick({"", "nginx"})};
    if (coin())
      made.loader.push_back(
          {"app", pick({"", "l.so"}), pick({"", "/l.so"}), pick({"", "aarch64"})});
    made.protocol_breach = pick({"", "", "SSH"});
    if (coin())
      made.probe = ProbeAnswer{"/", below(2) * 503, pick({"", "Connection refused"}), coin()};
    made.has_file_size_rlimit = coin();
    made.is_over_cpu_rlimit = coin();
    made.was_cgroup_removed = coin();
    if (coin()) made.fault = fault();
    return made;
  }

 private:
  FaultSite fault() {
    FaultSite made;
    if (coin())
      made.si_code =
          one_of({SI_TKILL, SI_QUEUE, SI_USER, SI_TIMER, SEGV_MAPERR, SEGV_ACCERR, SI_KERNEL});
    if (made.si_code != SI_KERNEL && coin()) made.address = few() * 4000;
    made.stack_pointer = few();
    made.is_stack_exhausted = coin();
    if (made.si_code && *made.si_code <= 0 && coin()) made.sender_pid = 5 * below(2);
    if (coin()) made.syscall_number = 101;
    return made;
  }
  int one_of(std::initializer_list<int> all) {
    return *(all.begin() + below(static_cast<int>(all.size())));
  }
  int below(int end) { return static_cast<int>(random_.below(static_cast<std::uint32_t>(end))); }
  bool coin() { return random_.chance(50); }
  std::uint64_t few() { return coin() ? 0 : static_cast<std::uint64_t>(below(4)); }
  std::string pick(std::initializer_list<const char*> all) { return random_.one_of(all); }

  Random random_;
};

void expect_consistent(const Evidence& evidence, const Circumstances& circumstances,
                       const Diagnosis& told) {
  EXPECT_FALSE(told.sentence.empty());
  EXPECT_LT(told.sentence.size(), 2000u);
  EXPECT_EQ(told.sentence, escaped(told.sentence)) << "it moves the cursor of a terminal";
  EXPECT_EQ(told.next_step, escaped(told.next_step));
  EXPECT_EQ(told.next_step.find("POOL "), std::string::npos) << told.next_step;
  EXPECT_EQ(told.next_step.find("POOL`"), std::string::npos) << told.next_step;
  EXPECT_NE(name(told.cause), "");
  const bool ran = !std::holds_alternative<NotStarted>(evidence.status);
  const bool was_asked = is_expected(circumstances.intent);
  if (told.expected) {
    EXPECT_TRUE(was_asked && ran);
  } else {
    EXPECT_FALSE(told.next_step.empty()) << told.sentence;
  }
  EXPECT_EQ(told.cause == Cause::ExecFailed, !ran);
  if (ran) {
    EXPECT_FALSE(told.incurable);
  }
  if (told.incurable) {
    EXPECT_FALSE(told.expected);
  }
}

bool is_ours(Sender sender) {
  return sender == Sender::OurStop || sender == Sender::OurMemoryRule ||
         sender == Sender::OurCpuRule;
}

void expect_honest_sender(const Evidence& evidence, const Circumstances& circumstances,
                          const Diagnosis& told) {
  const auto* struck = std::get_if<Signaled>(&evidence.status);
  if (is_ours(told.sender)) {
    EXPECT_NE(circumstances.intent, Intent::None);
  }
  if (told.sender == Sender::OurKill) {
    EXPECT_TRUE(circumstances.kill_sent && struck && struck->signal == SIGKILL);
  }
  if (told.sender == Sender::OurDrill) {
    EXPECT_FALSE(circumstances.drill.empty());
    EXPECT_EQ(told.detail, Detail::Drilled);
  }
  if (told.sender == Sender::KernelOom) {
    EXPECT_GT(evidence.memory.recent_oom_kills, 0u);
  }
  const auto& fault = evidence.fault;
  const bool is_by_process = fault && fault->si_code && *fault->si_code <= 0;
  if (told.sender == Sender::KernelFault || told.sender == Sender::KernelSeccomp) {
    EXPECT_TRUE(fault && !is_by_process);
  }
  if (told.sender == Sender::KernelRlimit) {
    EXPECT_TRUE(evidence.is_over_cpu_rlimit || evidence.has_file_size_rlimit ||
                (fault && !is_by_process));
  }
  if (std::holds_alternative<NotStarted>(evidence.status)) {
    EXPECT_EQ(told.sender, Sender::Unknown);
  }
  if (told.sender == Sender::Unknown && struck) {
    EXPECT_FALSE(fault && struck->signal != SIGXFSZ) << "it says where the signal came from";
  }
  if (std::holds_alternative<Exited>(evidence.status)) {
    EXPECT_NE(told.sender, Sender::Unknown);
  }
}

void expect_grounds(const Evidence& evidence, const Diagnosis& told) {
  const auto* left = std::get_if<Exited>(&evidence.status);
  const auto* struck = std::get_if<Signaled>(&evidence.status);
  const int signal = struck ? struck->signal : 0;
  if (told.cause == Cause::OomKilled) {
    EXPECT_GT(evidence.memory.recent_oom_kills, 0u);
    EXPECT_TRUE(signal == SIGKILL || (left && left->code == 137));
  }
  if (told.cause == Cause::StackOverflow) {
    EXPECT_TRUE(evidence.fault && evidence.fault->is_stack_exhausted && signal == SIGSEGV);
  }
  if (told.cause == Cause::CpuLimit) {
    EXPECT_TRUE(signal == SIGXCPU || (signal == SIGKILL && evidence.is_over_cpu_rlimit));
  }
  if (told.detail == Detail::Daemonized) {
    EXPECT_TRUE(left && left->code == 0 && !evidence.left_behind.empty());
  }
  if (told.detail == Detail::PidsLimit) {
    EXPECT_GT(evidence.pids_limit_hits, 0u);
  }
  if (told.detail == Detail::CgroupGone) {
    EXPECT_TRUE(evidence.was_cgroup_removed || !(left || struck));
  }
  if (told.detail == Detail::SocketSilent || told.detail == Detail::SocketNotTaken) {
    EXPECT_FALSE(evidence.probe && evidence.probe->was_answered);
    EXPECT_TRUE(evidence.protocol_breach.empty());
  }
  if (told.sentence.find("null pointer") != std::string::npos) {
    EXPECT_TRUE(evidence.fault && evidence.fault->address);
  }
  if (told.cause == Cause::ProtocolError) {
    EXPECT_FALSE(evidence.protocol_breach.empty());
  }
}

TEST(AnyEnd, HasADiagnosisWhosePartsAgree) {
  for_seeds(kSeeds, [](std::uint32_t seed) {
    Maker make(seed);
    const Evidence evidence = make.evidence();
    const Circumstances circumstances = make.circumstances();
    const Diagnosis told = diagnose(evidence, circumstances);
    SCOPED_TRACE(describe(evidence.status) + ", intent " + std::string(name(circumstances.intent)) +
                 ": " + told.sentence);
    expect_consistent(evidence, circumstances, told);
    expect_honest_sender(evidence, circumstances, told);
    expect_grounds(evidence, told);
  });
}

TEST(AnyEnd, IsToldTheSameTwice) {
  for_seeds(1000, [](std::uint32_t seed) {
    Maker make(seed);
    const Evidence evidence = make.evidence();
    const Circumstances circumstances = make.circumstances();
    const Diagnosis once = diagnose(evidence, circumstances);
    const Diagnosis again = diagnose(evidence, circumstances);
    EXPECT_EQ(once.sentence, again.sentence);
    EXPECT_EQ(once.cause, again.cause);
  });
}

TEST(EveryCodeAndSignal, HasASentenceAndANextStep) {
  for (int code = 0; code < 256; ++code) {
    const Diagnosis told = unasked(left(Exited{code}));
    EXPECT_FALSE(told.sentence.empty() || told.next_step.empty()) << code;
  }
  for (int signal = 1; signal <= 64; ++signal) {
    const Diagnosis told = unasked(left(Signaled{signal}));
    EXPECT_FALSE(told.sentence.empty() || told.next_step.empty()) << signal;
  }
}

}  // namespace
}  // namespace poolwarden::diagnosis
