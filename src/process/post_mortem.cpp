#include "process/post_mortem.h"

#include <linux/capability.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>

#include "base/units.h"
#include "diagnosis/output_clues.h"
#include "loop/rethrow.h"
#include "process/core_pattern.h"
#include "process/library_search.h"
#include "process/listeners_in_proc.h"
#include "process/privileges.h"
#include "process/syscall_names.h"

namespace poolwarden::process {
namespace asio = boost::asio;

namespace {

using diagnosis::Evidence;
using namespace std::chrono_literals;

constexpr Duration kDiagnosisPatience = 300ms;  // of the diagnosis
constexpr std::uint64_t kReadAnything = std::uint64_t{1} << CAP_DAC_READ_SEARCH;
constexpr std::uint64_t kWriteAnything = std::uint64_t{1} << CAP_DAC_OVERRIDE;

constexpr int kCouldNotExecute = 126, kNotFound = 127;  // of a shell, and of ld.so(8)

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

// The file that it could not load, or a shell in its place not execute, if it named one.
std::string complained_of(const Evidence& evidence) {
  const auto* end = std::get_if<diagnosis::Exited>(&evidence.status);
  if (!end || end->code == 0) return "";
  const auto clues = diagnosis::find_clues(evidence.last_output);
  const auto* clue = diagnosis::find_clue(clues, end->code == kCouldNotExecute
                                                     ? diagnosis::ClueKind::NotExecutable
                                                     : diagnosis::ClueKind::MissingModule);
  const bool is_path = clue && clue->subject.find('/') != std::string::npos;
  return is_path ? clue->subject : "";
}

bool has_core(const Evidence& found) { return found.core && !found.core->path.empty(); }

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
  if (found.port_holder) evidence.port_holder = found.port_holder;
  name_syscall(evidence);
}

}  // namespace

// An answer that may come after nobody waits for it any more.
struct PostMortem::Inquiry {
  explicit Inquiry(asio::io_context& io) : answered(io) {}
  asio::steady_timer answered;  // cancelled then
  std::optional<Evidence> answer;
};

asio::awaitable<void> PostMortem::look(Evidence& evidence) {
  read_kernel_log(evidence);
  auto words = port_question(evidence);
  Rights as_whom;  // to look into any process takes what we may
  if (!words) {
    words = question(evidence);
    as_whom = rights();
  }
  if (!words || !coroner_->has_hand()) co_return;
  inquiry_ = std::make_shared<Inquiry>(coroner_->io());
  inquiry_->answered.expires_after(kDiagnosisPatience);
  asio::co_spawn(coroner_->io(), ask(inquiry_, std::move(*words), std::move(as_whom)),
                 loop::rethrow);
  if (!inquiry_->answer)
    co_await inquiry_->answered.async_wait(asio::as_tuple(asio::use_awaitable));
  was_told_ = inquiry_->answer.has_value();
  if (was_told_) take(evidence, *inquiry_->answer);
  evidence.is_more_to_come = !was_told_ || has_core(*inquiry_->answer);
}

asio::awaitable<void> PostMortem::ask(std::shared_ptr<Inquiry> inquiry,
                                      std::vector<std::string> words, Rights rights) {
  const auto self = shared_from_this();
  const auto answer = co_await coroner_->ask(std::move(words), std::move(rights));
  inquiry->answer = answer ? *answer : Evidence();
  if (!answer && !core_words_.empty()) {
    inquiry->answer->core.emplace();
    inquiry->answer->core->why_none = "it could not be looked for: " + answer.error().message;
  }
  inquiry->answered.cancel();
}

asio::awaitable<Evidence> PostMortem::look_longer() {
  Evidence found;
  if (!inquiry_->answer) {
    inquiry_->answered.expires_at(TimePoint::max());
    co_await inquiry_->answered.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  if (!inquiry_->answer) co_return found;
  if (!was_told_) take(found, *inquiry_->answer);
  if (has_core(*inquiry_->answer)) co_await ask_debugger(found);
  co_return found;
}

asio::awaitable<void> PostMortem::ask_debugger(Evidence& found) {
  std::vector<std::string> words = core_words_;
  words.front() = "backtrace";
  const auto answer = co_await coroner_->ask_debugger(std::move(words), rights());
  if (answer) {
    found.backtrace = answer->backtrace;
    found.why_no_backtrace = answer->why_no_backtrace;
  } else {
    found.why_no_backtrace = answer.error().message;
  }
}

void PostMortem::read_kernel_log(Evidence& evidence) const {
  if (!core_signal(evidence)) return;
  evidence.fault = coroner_->log().take(departed_.pid, departed_.log_end);
  name_syscall(evidence);
}

// What the worker had, as far as we have it.
std::uint64_t PostMortem::capabilities_of_worker() const {
  const std::uint64_t ours = own_privileges().capabilities;
  if (departed_.capabilities) return *departed_.capabilities & ours;
  return departed_.identity && departed_.identity->uid != 0 ? 0 : ours;
}

// As the worker, and without its capabilities but the one that lets it look where the worker could.
Rights PostMortem::rights() const {
  const bool looked_anywhere = (capabilities_of_worker() & (kReadAnything | kWriteAnything)) != 0;
  const std::uint64_t ours = own_privileges().capabilities;
  return {departed_.identity, looked_anywhere ? ours & kReadAnything : 0};
}

std::optional<std::vector<std::string>> PostMortem::port_question(const Evidence& evidence) const {
  if (!std::holds_alternative<diagnosis::Exited>(evidence.status)) return std::nullopt;
  auto ports = ports_in_use(evidence.output);
  if (!ports) return std::nullopt;
  if (departed_.port != 0) ports->insert(ports->begin(), departed_.port);
  std::vector<std::string> words = {"listener", departed_.socket};
  for (const std::uint16_t port : *ports) words.push_back(std::to_string(port));
  return words;
}

// What the hand is to be asked; what needs no asking is entered.
std::optional<std::vector<std::string>> PostMortem::question(Evidence& evidence) {
  if (const auto* struck = core_signal(evidence)) {
    if (std::string why = why_no_core(); !why.empty()) {
      evidence.core.emplace();
      evidence.core->why_none = std::move(why);
      return std::nullopt;
    }
    core_words_ = core_question(*struck);
    return core_words_;
  }
  std::string file;
  if (exited(evidence, kNotFound)) {
    evidence.loader = read_loader_complaint(evidence.last_output);
    if (!evidence.loader.empty()) file = departed_.program;
  }
  if (is_wrong_format(evidence)) file = departed_.program;
  if (file.empty()) file = complained_of(evidence);
  if (file.empty()) return std::nullopt;
  return std::vector<std::string>{"libraries", std::move(file), departed_.directory,
                                  departed_.library_path};
}

std::vector<std::string> PostMortem::core_question(const diagnosis::Signaled& struck) const {
  const auto& limit = departed_.last.core_limit;
  return {"core",
          std::to_string(departed_.pid),
          std::to_string(struck.signal),
          struck.dumped_core ? "dumped" : "failed",
          std::to_string(WallClock::to_time_t(departed_.started)),
          limit && limit->soft ? std::to_string(*limit->soft) : "unlimited",
          (capabilities_of_worker() & kWriteAnything) != 0 ? "anywhere" : "as-allowed",
          departed_.directory};
}

// Where that can be told without looking.
std::string PostMortem::why_no_core() const {
  std::string receiver = describe_core_receiver(read_core_pattern());
  if (!receiver.empty()) return receiver;
  const auto& limit = departed_.last.core_limit;
  if (limit && limit->soft == 0) return "limits.core is 0";
  if (!departed_.why_dump_cut.empty()) return "poolwarden killed it " + departed_.why_dump_cut;
  return "";
}

}  // namespace poolwarden::process
