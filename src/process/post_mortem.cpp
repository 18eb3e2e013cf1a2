#include "process/post_mortem.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>

#include "base/units.h"
#include "loop/rethrow.h"
#include "loop/unique_fd.h"
#include "process/child_process.h"
#include "process/core_pattern.h"
#include "process/library_search.h"
#include "process/listeners_in_proc.h"
#include "process/post_mortem_text.h"
#include "process/syscall_names.h"
#include "process/worker_environment.h"

namespace poolwarden::process {
namespace asio = boost::asio;

namespace {

using diagnosis::Evidence;
using namespace std::chrono_literals;

constexpr Duration kDiagnosisPatience = 300ms;  // of the diagnosis
constexpr Duration kFileLimit = 5s;             // for what the hand reads itself
constexpr Duration kDebuggerLimit = 30s;
constexpr std::size_t kMostReport = 64 * 1024;
constexpr std::size_t kHands = 4, kMostWaitingForHands = 64;
constexpr std::size_t kDebuggers = 1, kMostWaitingForDebuggers = 8;
constexpr const char* kTooMany = "too many workers ended at the same time";
constexpr int kReport = 3;
constexpr int kEndFirst = 1000;  // the OOM killer's order: nobody needs it

constexpr std::array kCoreSignals = {SIGQUIT, SIGILL,  SIGTRAP, SIGABRT, SIGBUS,
                                     SIGFPE,  SIGSEGV, SIGXCPU, SIGXFSZ, SIGSYS};

const diagnosis::Signaled* core_signal(const Evidence& evidence) {
  const auto* struck = std::get_if<diagnosis::Signaled>(&evidence.status);
  const bool dumps = struck && std::find(kCoreSignals.begin(), kCoreSignals.end(),
                                         struck->signal) != kCoreSignals.end();
  return dumps ? struck : nullptr;
}

bool is_wrong_format(const Evidence& evidence) {
  const auto* failed = std::get_if<diagnosis::NotStarted>(&evidence.status);
  return failed && failed->stage == diagnosis::SpawnStage::Exec && failed->error == ENOEXEC;
}

bool exited(const Evidence& evidence, int code) {
  return evidence.status == diagnosis::ExitStatus(diagnosis::Exited{code});
}

void name_syscall(Evidence& evidence) {
  if (evidence.fault && evidence.fault->syscall_number)
    evidence.fault->syscall_name = syscall_name(*evidence.fault->syscall_number);
}

void take(Evidence& evidence, const Evidence& found) {
  if (found.fault) evidence.fault = found.fault;
  if (found.core) evidence.core = found.core;
  if (!found.loader.empty()) evidence.loader = found.loader;
  name_syscall(evidence);
}

}  // namespace

// An answer that may come after nobody waits for it any more.
struct PostMortem::Inquiry {
  explicit Inquiry(asio::io_context& io) : answered(io) {}
  asio::steady_timer answered;  // cancelled then
  std::optional<Evidence> answer;
};

Coroner::Coroner(asio::io_context& io, KnownPids known, std::vector<std::string> hand)
    : io_(io),
      known_(std::move(known)),
      hand_(std::move(hand)),
      log_(KernelLog::open()),
      hands_(io, kHands, kMostWaitingForHands),
      debuggers_(io, kDebuggers, kMostWaitingForDebuggers) {}

LaunchPlan Coroner::plan_of(std::vector<std::string> words,
                            std::optional<Credentials> identity) const {
  LaunchPlan plan;
  plan.program = hand_.front();
  plan.arguments = hand_;
  plan.arguments.emplace_back("--");
  plan.arguments.insert(plan.arguments.end(), words.begin(), words.end());
  plan.environment = inherited_environment();
  plan.identity = std::move(identity);
  plan.capabilities = 0;
  plan.no_new_privileges = true;
  plan.oom_score_adj = kEndFirst;
  return plan;
}

asio::awaitable<Result<Evidence>> Coroner::ask(std::vector<std::string> words,
                                               std::optional<Credentials> identity) {
  const bool is_my_turn = co_await hands_.begin();
  if (!is_my_turn) co_return failure(kTooMany);
  LaunchPlan plan = plan_of(std::move(words), std::move(identity));
  Result<Evidence> answer = co_await run(std::move(plan), kFileLimit);
  hands_.end();
  co_return answer;
}

asio::awaitable<Result<Evidence>> Coroner::ask_debugger(std::vector<std::string> words,
                                                        std::optional<Credentials> identity) {
  const bool is_my_turn = co_await debuggers_.begin();
  if (!is_my_turn) co_return failure(kTooMany);
  LaunchPlan plan = plan_of(std::move(words), std::move(identity));
  Result<Evidence> answer = co_await run(std::move(plan), kDebuggerLimit);
  debuggers_.end();
  co_return answer;
}

asio::awaitable<Result<Evidence>> Coroner::run(LaunchPlan plan, Duration limit) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) co_return errno_error(errno, "cannot make a pipe");
  asio::posix::stream_descriptor reading(io_, ends[0]);
  loop::UniqueFd writing(ends[1]);
  plan.descriptors = {{writing.get(), kReport}};
  auto begun = ChildProcess::start(io_, known_, plan);
  writing.reset();
  if (!begun) co_return begun.error();
  const std::shared_ptr<ChildProcess> child = std::move(*begun);
  const auto is_late = std::make_shared<bool>(false);
  asio::steady_timer timer(io_, Clock::now() + limit);
  timer.async_wait([child, is_late](const boost::system::error_code& error) {
    if (error) return;
    *is_late = true;
    child->signal_group(SIGKILL);  // a debugger is in it, too
    child->signal(SIGKILL);
  });
  const auto not_started = co_await child->started();
  std::string text(kMostReport, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const auto rest = asio::buffer(text.data() + size, text.size() - size);
    const auto [error, count] =
        co_await reading.async_read_some(rest, asio::as_tuple(asio::use_awaitable));
    if (error) break;
    size += count;
  }
  reading.close();
  const diagnosis::ExitStatus status = co_await child->ended();
  timer.cancel();
  text.resize(size);
  if (*is_late) co_return failure("it took longer than " + describe_duration(limit));
  if (not_started) co_return failure("who looks " + diagnosis::describe(*not_started));
  if (status != diagnosis::ExitStatus(diagnosis::Exited{0}))
    co_return failure("who looked " + diagnosis::describe(status));
  co_return read_post_mortem(text);
}

asio::awaitable<void> PostMortem::look(Evidence& evidence) {
  read_kernel_log(evidence);
  find_holder(evidence);
  auto words = question(evidence);
  if (!words || !coroner_->has_hand()) co_return;
  inquiry_ = std::make_shared<Inquiry>(coroner_->io());
  inquiry_->answered.expires_after(kDiagnosisPatience);
  asio::co_spawn(coroner_->io(), ask(inquiry_, std::move(*words)), loop::rethrow);
  if (!inquiry_->answer)
    co_await inquiry_->answered.async_wait(asio::as_tuple(asio::use_awaitable));
  if (!inquiry_->answer) co_return;
  was_told_ = true;
  take(evidence, *inquiry_->answer);
}

asio::awaitable<void> PostMortem::ask(std::shared_ptr<Inquiry> inquiry,
                                      std::vector<std::string> words) {
  const auto self = shared_from_this();
  const auto answer = co_await coroner_->ask(std::move(words), departed_.identity);
  inquiry->answer = answer ? *answer : Evidence();
  if (!answer && !core_words_.empty()) {
    inquiry->answer->core.emplace();
    inquiry->answer->core->why_none = "it could not be looked for: " + answer.error().message;
  }
  inquiry->answered.cancel();
}

asio::awaitable<std::optional<Evidence>> PostMortem::look_longer() {
  if (!inquiry_) co_return std::nullopt;
  Evidence found;
  if (!inquiry_->answer) {
    inquiry_->answered.expires_at(TimePoint::max());
    co_await inquiry_->answered.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  if (!inquiry_->answer) co_return std::nullopt;
  if (!was_told_) take(found, *inquiry_->answer);
  const auto& core = inquiry_->answer->core;
  if (core && !core->path.empty()) co_await ask_debugger(found);
  const bool is_anything = found.fault || found.core || !found.loader.empty() ||
                           !found.backtrace.empty() || !found.why_no_backtrace.empty();
  std::optional<Evidence> answer;
  if (is_anything) answer = std::move(found);
  co_return answer;
}

asio::awaitable<void> PostMortem::ask_debugger(Evidence& found) {
  std::vector<std::string> words = core_words_;
  words.front() = "backtrace";
  const auto answer = co_await coroner_->ask_debugger(std::move(words), departed_.identity);
  if (answer) {
    found.backtrace = answer->backtrace;
    found.why_no_backtrace = answer->why_no_backtrace;
  } else {
    found.why_no_backtrace = answer.error().message;
  }
}

void PostMortem::read_kernel_log(Evidence& evidence) const {
  if (!core_signal(evidence)) return;
  evidence.fault = coroner_->log().take(departed_.pid);
  name_syscall(evidence);
}

void PostMortem::find_holder(Evidence& evidence) const {
  if (!std::holds_alternative<diagnosis::Exited>(evidence.status)) return;
  auto ports = ports_in_use(evidence.output);
  if (!ports) return;
  if (departed_.port != 0) ports->insert(ports->begin(), departed_.port);
  for (const std::uint16_t port : *ports) {
    evidence.port_holder = find_port_holder(port);
    if (evidence.port_holder) return;
  }
  if (!departed_.socket.empty()) evidence.port_holder = find_socket_holder(departed_.socket);
}

// What the hand is to be asked; what needs no asking is entered.
std::optional<std::vector<std::string>> PostMortem::question(Evidence& evidence) {
  if (const auto* struck = core_signal(evidence)) {
    if (std::string why = why_no_core(); !why.empty()) {
      evidence.core.emplace();
      evidence.core->why_none = std::move(why);
      return std::nullopt;
    }
    const auto& limit = departed_.last.core_limit;
    core_words_ = {"core",
                   std::to_string(departed_.pid),
                   std::to_string(struck->signal),
                   struck->dumped_core ? "dumped" : "failed",
                   std::to_string(WallClock::to_time_t(departed_.started)),
                   limit && limit->soft ? std::to_string(*limit->soft) : "unlimited",
                   departed_.directory};
    return core_words_;
  }
  if (exited(evidence, 127)) {
    evidence.loader = read_loader_complaint(evidence.last_output);
    if (evidence.loader.empty()) return std::nullopt;
  } else if (!is_wrong_format(evidence)) {
    return std::nullopt;
  }
  return std::vector<std::string>{"libraries", departed_.program, departed_.directory,
                                  departed_.library_path};
}

// Where that can be told without looking.
std::string PostMortem::why_no_core() const {
  std::string receiver = describe_core_receiver(read_core_pattern());
  if (!receiver.empty()) return receiver;
  const auto& limit = departed_.last.core_limit;
  if (limit && limit->soft == 0) return "limits.core is 0";
  if (departed_.was_dump_cut)
    return "poolwarden killed it when the kernel had written at it for " +
           describe_duration(kLongestDump);
  return "";
}

}  // namespace poolwarden::process
