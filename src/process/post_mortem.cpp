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

constexpr Duration kPatience = 300ms;  // of the diagnosis
constexpr Duration kFileLimit = 5s;    // for what the hand reads itself
constexpr Duration kDebuggerLimit = 10s;
constexpr std::size_t kMostText = 64 * 1024;
constexpr std::size_t kMostWaiting = 8;
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

asio::awaitable<Evidence> Coroner::ask(std::vector<std::string> words,
                                       std::optional<Credentials> identity, Duration limit) {
  Evidence nothing;
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) co_return nothing;
  asio::posix::stream_descriptor reading(io_, ends[0]);
  loop::UniqueFd writing(ends[1]);
  LaunchPlan plan;
  plan.program = hand_.front();
  plan.arguments = hand_;
  plan.arguments.emplace_back("--");
  plan.arguments.insert(plan.arguments.end(), words.begin(), words.end());
  plan.environment = inherited_environment();
  plan.descriptors = {{writing.get(), kReport}};
  plan.identity = std::move(identity);
  plan.capabilities = 0;
  plan.no_new_privileges = true;
  plan.oom_score_adj = kEndFirst;
  auto started = ChildProcess::start(io_, known_, plan);
  writing.reset();
  if (!started) co_return nothing;
  const std::shared_ptr<ChildProcess> child = std::move(*started);
  asio::steady_timer timer(io_, Clock::now() + limit);
  timer.async_wait([child](const boost::system::error_code& error) {
    if (error) return;
    child->signal_group(SIGKILL);  // a debugger is in it, too
    child->signal(SIGKILL);
  });
  (void)co_await child->started();
  std::string text(kMostText, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const auto rest = asio::buffer(text.data() + size, text.size() - size);
    const auto [error, count] =
        co_await reading.async_read_some(rest, asio::as_tuple(asio::use_awaitable));
    if (error) break;
    size += count;
  }
  reading.close();
  (void)co_await child->ended();
  timer.cancel();
  text.resize(size);
  co_return read_post_mortem(text);
}

asio::awaitable<bool> Coroner::take_turn() {
  if (!std::exchange(busy_, true)) co_return true;
  if (waiting_.size() >= kMostWaiting) co_return false;
  const auto turn = std::make_shared<asio::steady_timer>(io_, TimePoint::max());
  waiting_.push_back(turn);
  co_await turn->async_wait(asio::as_tuple(asio::use_awaitable));
  co_return true;
}

void Coroner::end_turn() {
  busy_ = !waiting_.empty();  // the next one's
  if (waiting_.empty()) return;
  waiting_.front()->cancel();
  waiting_.pop_front();
}

asio::awaitable<void> PostMortem::look(Evidence& evidence) {
  read_kernel_log(evidence);
  find_holder(evidence);
  auto words = question(evidence);
  if (!words || !coroner_->has_hand()) co_return;
  inquiry_ = std::make_shared<Inquiry>(coroner_->io());
  inquiry_->answered.expires_after(kPatience);
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
  inquiry->answer = co_await coroner_->ask(std::move(words), departed_.identity, kFileLimit);
  inquiry->answered.cancel();
}

asio::awaitable<std::optional<Evidence>> PostMortem::look_longer() {
  if (!inquiry_) co_return std::nullopt;
  Evidence found;
  if (!inquiry_->answer) {
    inquiry_->answered.expires_after(kFileLimit + kPatience);
    co_await inquiry_->answered.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  if (!inquiry_->answer) co_return std::nullopt;
  if (!was_told_) take(found, *inquiry_->answer);
  const auto& core = inquiry_->answer->core;
  if (core && !core->path.empty()) found.backtrace = co_await ask_debugger();
  const bool is_anything =
      found.fault || found.core || !found.loader.empty() || !found.backtrace.empty();
  std::optional<Evidence> answer;
  if (is_anything) answer = std::move(found);
  co_return answer;
}

asio::awaitable<std::vector<std::string>> PostMortem::ask_debugger() {
  Evidence found;
  const bool is_my_turn = co_await coroner_->take_turn();
  if (!is_my_turn) co_return found.backtrace;
  std::vector<std::string> words = core_words_;
  words.front() = "backtrace";
  found = co_await coroner_->ask(words, departed_.identity, kDebuggerLimit);
  coroner_->end_turn();
  co_return found.backtrace;
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
    const std::string receiver = describe_core_receiver(read_core_pattern());
    const auto& limit = departed_.last.core_limit;
    if (!receiver.empty() || (limit && limit->soft == 0)) {
      evidence.core.emplace();
      evidence.core->why_none = receiver.empty() ? "limits.core is 0" : receiver;
      return std::nullopt;
    }
    core_words_ = {"core",
                   std::to_string(departed_.pid),
                   std::to_string(struck->signal),
                   struck->dumped_core ? "dumped" : "failed",
                   std::to_string(WallClock::to_time_t(departed_.started)),
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

}  // namespace poolwarden::process
