#include "process/coroner.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <memory>

#include "base/units.h"
#include "loop/rethrow.h"
#include "loop/unique_fd.h"
#include "process/child_process.h"
#include "process/leaf_use.h"
#include "process/post_mortem_text.h"
#include "process/worker_environment.h"
#include "process/worker_tree.h"

namespace poolwarden::process {
namespace asio = boost::asio;

namespace {

using diagnosis::Evidence;
using namespace std::chrono_literals;

constexpr Duration kDebuggerLimit = 30s;
constexpr Duration kLastWords = 1s;  // of what it wrote, when all who may write more were killed
constexpr Duration kLastRites = 8s;  // from the kill until all of it is gone
constexpr std::size_t kMostReport = 64 * 1024;
constexpr std::size_t kHands = 4, kMostWaitingForHands = 64;
constexpr std::size_t kDebuggers = 1, kMostWaitingForDebuggers = 8;
constexpr std::size_t kMostHanging = 8;
constexpr int kReport = 3;
constexpr int kEndFirst = 1000;  // the OOM killer's order: nobody needs it

}  // namespace

// What one of them writes to its descriptor 3.
class Coroner::Report : public std::enable_shared_from_this<Report> {
 public:
  explicit Report(asio::io_context& io) : stream_(io), over_(io, TimePoint::max()) {}

  Result<void> open() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) < 0) return errno_error(errno, "cannot make a pipe");
    loop::UniqueFd reading(ends[0]);
    child_end_.reset(ends[1]);
    boost::system::error_code error;
    stream_.assign(reading.get(), error);
    if (error) return Error{error, "cannot watch a pipe: " + error.message()};
    reading.release();
    return {};
  }

  int child_end() const { return child_end_.get(); }
  void close_child_end() { child_end_.reset(); }

  // To be spawned: until nobody can write any more, or too much was written.
  asio::awaitable<void> read() {
    const auto self = shared_from_this();
    std::array<char, 4096> chunk;
    while (!is_too_long()) {
      const auto [error, size] = co_await stream_.async_read_some(
          asio::buffer(chunk), asio::as_tuple(asio::use_awaitable));
      if (error) break;
      text_.append(chunk.data(), size);
    }
    end();
    is_over_ = true;
    over_.cancel();
  }

  // When it is whole, or after so long: somebody may have got away with the pipe.
  asio::awaitable<void> whole(Duration limit) {
    if (is_over_) co_return;
    over_.expires_after(limit);
    co_await over_.async_wait(asio::as_tuple(asio::use_awaitable));
    end();
  }

  void end() {
    boost::system::error_code ignored;
    stream_.close(ignored);
  }

  bool is_too_long() const { return text_.size() > kMostReport; }
  const std::string& text() const { return text_; }

 private:
  asio::posix::stream_descriptor stream_;
  loop::UniqueFd child_end_;
  asio::steady_timer over_;
  std::string text_;
  bool is_over_ = false;
};

// One that looks, and all that it has started.
struct Coroner::Scene {
  std::shared_ptr<Report> report;
  cgroup::Leaf leaf;
  WorkerTree tree;
  std::unique_ptr<ChildProcess> child;
  std::function<void()> on_oom_kill;
  std::optional<diagnosis::NotStarted> not_started = {};
  diagnosis::ExitStatus status = {};
  bool is_late = false, has_ended = false, is_gone = false, is_over = false;
  asio::steady_timer over;

  explicit Scene(asio::io_context& io) : over(io) {}
  Scene(const Scene&) = delete;
  Scene& operator=(const Scene&) = delete;
  ~Scene() {
    if (!is_gone) tree.kill();
  }

  // Its own, or that of what it ran; without a cgroup that counts by how it ended.
  std::uint64_t oom_kills() const {
    if (const auto counted = leaf.oom_kills()) return *counted;
    const bool was_killed = status == diagnosis::ExitStatus(diagnosis::Signaled{SIGKILL}) ||
                            status == diagnosis::ExitStatus(diagnosis::Exited{kToolWasKilled});
    return was_killed && !is_late ? 1 : 0;
  }

  void kill() {
    is_late = true;
    report->end();
    tree.kill();
    child->signal(SIGKILL);  // it may not have entered its cgroup yet
  }

  asio::awaitable<void> be_over_within(Duration limit) {
    over.expires_after(limit);
    while (!is_over && Clock::now() < over.expiry()) {
      co_await over.async_wait(asio::as_tuple(asio::use_awaitable));
    }
  }
};

Coroner::Coroner(asio::io_context& io, KnownPids known, Hand hand)
    : io_(io),
      known_(std::move(known)),
      hand_(std::move(hand)),
      log_(KernelLog::open()),
      hands_(io, kHands, kMostWaitingForHands),
      debuggers_(io, kDebuggers, kMostWaitingForDebuggers) {}

LaunchPlan Coroner::plan_of(std::vector<std::string> words, Rights rights) const {
  LaunchPlan plan;
  plan.program = hand_.command.front();
  plan.arguments = hand_.command;
  plan.arguments.emplace_back("--");
  plan.arguments.insert(plan.arguments.end(), words.begin(), words.end());
  plan.environment = inherited_environment();
  plan.identity = std::move(rights.identity);
  plan.capabilities = rights.capabilities;
  plan.no_new_privileges = true;
  plan.oom_score_adj = kEndFirst;
  plan.limits_are_best_effort = true;
  return plan;
}

asio::awaitable<Result<Evidence>> Coroner::ask(std::vector<std::string> words, Rights rights) {
  return ask_in_turn(hands_, std::move(words), std::move(rights), hand_.file_limit);
}

asio::awaitable<Result<Evidence>> Coroner::ask_debugger(std::vector<std::string> words,
                                                        Rights rights) {
  return ask_in_turn(debuggers_, std::move(words), std::move(rights), kDebuggerLimit);
}

asio::awaitable<Result<Evidence>> Coroner::ask_in_turn(Turns& turns, std::vector<std::string> words,
                                                       Rights rights, Duration limit) {
  const bool is_my_turn = co_await turns.begin();
  if (!is_my_turn) co_return failure("too many workers ended at the same time");
  const Turn turn(turns);
  std::erase_if(hanging_, [](const std::weak_ptr<Scene>& scene) { return scene.expired(); });
  if (hanging_.size() >= kMostHanging) co_return failure("too many who looked hang in the kernel");
  LaunchPlan plan = plan_of(std::move(words), std::move(rights));
  Result<Evidence> answer = co_await run(std::move(plan), limit);
  co_return answer;
}

// Until it and all that it has started are gone. A disk that hangs may hold it for ever, whatever
// it is sent.
asio::awaitable<void> Coroner::attend(std::shared_ptr<Scene> scene) {
  scene->not_started = co_await scene->child->started();
  scene->status = co_await scene->child->ended();
  scene->has_ended = true;
  scene->tree.root_reaped();
  co_await scene->tree.end();
  scene->is_gone = true;
  co_await scene->report->whole(kLastWords);
  for (std::uint64_t kills = scene->oom_kills(); kills > 0 && scene->on_oom_kill; --kills)
    scene->on_oom_kill();
  co_await remove_when_empty(scene->leaf);
  scene->is_over = true;
  scene->over.cancel();
}

asio::awaitable<Result<Evidence>> Coroner::run(LaunchPlan plan, Duration limit) {
  const auto scene = std::make_shared<Scene>(io_);
  const auto report = scene->report = std::make_shared<Report>(io_);
  if (auto opened = report->open(); !opened) co_return opened.error();
  const loop::UniqueFd nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!nothing) co_return errno_error(errno, "cannot open /dev/null");
  plan.descriptors = {
      {nothing.get(), 0}, {nothing.get(), 1}, {nothing.get(), 2}, {report->child_end(), kReport}};
  const std::string name = "hand-" + std::to_string(++started_);
  const std::string marker = marker_prefix(hand_.runtime_directory) + name;
  plan.environment[marker.substr(0, marker.find('='))] = marker.substr(marker.find('=') + 1);

  scene->on_oom_kill = hand_.on_oom_kill;
  if (hand_.make_leaf) scene->leaf = hand_.make_leaf(name);
  const auto entry = scene->leaf.open_entry();
  if (entry) enter_leaf(plan, *entry);  // else it does without
  auto begun = ChildProcess::start(io_, known_, plan);
  report->close_child_end();
  if (!begun) {
    scene->is_gone = true;
    co_await remove_when_empty(scene->leaf);
    co_return begun.error();
  }
  scene->child = std::move(*begun);
  scene->tree = WorkerTree(scene->leaf, {scene->child->pid(), false, marker, known_});
  asio::co_spawn(io_, report->read(), loop::rethrow);
  asio::co_spawn(io_, attend(scene), loop::rethrow);

  co_await scene->be_over_within(limit);
  if (!scene->has_ended) scene->kill();
  co_await scene->be_over_within(kLastRites);
  if (!scene->is_over) {
    hanging_.push_back(scene);
    co_return failure("who looked hangs in the kernel, and could not be ended");
  }
  if (scene->is_late) co_return failure("it took longer than " + describe_duration(limit));
  if (scene->not_started)
    co_return failure("who looks " + diagnosis::describe(*scene->not_started));
  if (report->is_too_long())
    co_return failure("who looked wrote more than " + format_bytes(kMostReport));
  if (scene->status != diagnosis::ExitStatus(diagnosis::Exited{0}) &&
      scene->status != diagnosis::ExitStatus(diagnosis::Exited{kToolWasKilled}))
    co_return failure("who looked " + diagnosis::describe(scene->status));
  co_return read_post_mortem(report->text());
}

}  // namespace poolwarden::process
