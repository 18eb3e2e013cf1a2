#include "cli/debug_order.h"

#include <algorithm>

#include "cli/commands.h"
#include "cli/debug_folder.h"
#include "cli/hand_wait.h"
#include "cli/orders.h"
#include "cli/request_fields.h"
#include "process/free_port.h"
#include "process/preflight.h"
#include "process/service_process.h"
#include "process/worker_environment.h"
#include "process/worker_plan.h"
#include "supervisor/listening_sockets.h"

namespace poolwarden::cli {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using control::Conversation;
using pool::DebugStage;
using DebugWay = pool::Pool::DebugWay;

constexpr std::chrono::seconds kTrial{10};
constexpr std::chrono::seconds kMaking{5};  // of a folder
constexpr int kMostHanging = 4;
constexpr const char* kSystemPath = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin";

std::string pool_of(const supervisor::PoolRunner& runner) {
  return "pool " + runner.pool().settings().name;
}

// As the pool's workers find programs.
std::map<std::string, std::string> environment_of(const worker::WorkerSettings& settings) {
  process::Environment environment = process::inherited_environment();
  environment.try_emplace("PATH", kSystemPath);
  const process::Environment known = environment;
  for (const auto& [name, value] : settings.environment)
    environment[name] = worker::expand(value, known);
  return environment;
}

Result<std::string> find_tool(DebugTool tool, const worker::WorkerSettings& settings) {
  const std::string command(name(tool));
  auto environment = environment_of(settings);
  environment["PATH"] += std::string(":") + kSystemPath;
  auto found = process::find_program(command, environment, "");
  if (found) return found;
  return failure(command + " is not installed here: install Debian's package " + command +
                 " (apt-get install " + command + ")");
}

std::string path_of_program(const worker::WorkerSettings& settings) {
  const auto environment = environment_of(settings);
  const std::string word =
      settings.command.empty() ? "" : worker::expand(settings.command.front(), environment);
  const std::string directory = settings.directory.value_or("");
  const auto found = process::find_program(word, environment, directory);
  return found ? *found : word;
}

// The worker runs without gdbserver when that cannot listen, so it is tried beforehand.
Result<std::string> address_of(const json::object& request) {
  config::Address address;
  address.host = text(request, "host").empty() ? "127.0.0.1" : text(request, "host");
  if (const auto port = number(request, "port")) {
    address.port = static_cast<std::uint16_t>(*port);
  } else {
    const auto free = process::find_free_port({});
    if (!free) return free.error();
    address.port = *free;
  }
  if (const auto tried = supervisor::open_listening_socket(address); !tried) return tried.error();
  return config::describe(address);
}

std::string where(DebugTool tool, const DebugPlace& place) {
  switch (tool) {
    case DebugTool::Gdb:
      return "what gdb says goes to " + output_of(tool, place.folder) +
             " and to the worker's output";
    case DebugTool::GdbServer:
      return "it waits for you: target remote " + place.address;
    case DebugTool::Strace:
      return "the trace goes to " + output_of(tool, place.folder);
    case DebugTool::Loader:
      return "the loader's trace goes to " + output_of(tool, place.folder) + ".PID";
  }
  return "";
}

std::string when(DebugWay way) {
  switch (way) {
    case DebugWay::Recycle:
      return "one worker is being replaced for it, and serves until the new one is ready";
    case DebugWay::NextStart:
      return "none serves that could be replaced: it is the next one that starts";
    case DebugWay::WhenStarted:
      return "the pool is stopped: `poolwarden start` will do it";
  }
  return "";
}

std::optional<pool::WorkerSnapshot> find_worker(const supervisor::PoolRunner& runner,
                                                worker::WorkerId id) {
  const auto shot = runner.snapshot(Clock::now(), WallClock::now());
  for (const pool::WorkerSnapshot& worker : shot.workers) {
    if (worker.name.id == id) return worker;
  }
  return std::nullopt;
}

// Root's where we are: for folders of workers of any user.
Result<process::LaunchPlan> plan_hand(std::vector<std::string> words) {
  auto plan = process::plan_service(std::move(words), std::nullopt, {});
  if (plan) plan->capabilities.reset();
  return plan;
}

std::vector<std::string> words_to_have_folder(const DebugMeans& means, const std::string& wanted,
                                              const pool::PoolSettings& settings) {
  std::vector<std::string> words = {"debug-hand", "take", wanted};
  if (wanted.empty())
    words = {"debug-hand", "make", means.instance, means.runtime_directory, settings.name};
  const worker::Identity& identity = settings.worker.identity;
  words.insert(words.end(), {"--", identity.user.value_or("")});
  words.insert(words.end(), identity.groups.begin(), identity.groups.end());
  return words;
}

std::string describe(const pool::WorkerName& worker) {
  return "worker " + std::to_string(worker.slot) + " (process " + std::to_string(worker.pid) + ")";
}

}  // namespace

asio::awaitable<void> DebugOrder::carry_out(Task task, const json::object& request,
                                            Conversation& client) {
  if (flag(request, "off")) {
    co_await call_off(std::move(task), client);
    co_return;
  }
  auto plan = prepare(*task.runner, request);
  std::string refusal = plan ? "" : plan.error().message;
  if (plan) refusal = co_await lend(*task.runner, request, *plan);
  if (plan && refusal.empty()) refusal = co_await try_tool(*task.runner, *plan);
  if (!refusal.empty()) {
    if (plan) loans_.take_back(plan->loan);
    const std::string why =
        "cannot debug " + pool_of(*task.runner) + " with " + text(request, "tool") + ": " + refusal;
    task.runner->debugger_failed(why);
    co_await client.finish(kFailed, why);
    co_return;
  }
  co_await begin(std::move(task), *plan, request, client);
}

Result<DebugOrder::Plan> DebugOrder::prepare(const supervisor::PoolRunner& runner,
                                             const json::object& request) {
  const pool::PoolSettings& settings = runner.pool().settings();
  Plan plan;
  const auto tool = parse_debug_tool(text(request, "tool"));
  if (!tool) return tool.error();
  plan.tool = *tool;
  plan.program = path_of_program(settings.worker);
  if (is_tracer(plan.tool)) {
    auto found = find_tool(plan.tool, settings.worker);
    if (!found) return found.error();
    plan.place.program = std::move(*found);
  }
  if (is_interactive(plan.tool)) {
    auto address = address_of(request);
    if (!address) return address.error();
    plan.place.address = std::move(*address);
  }
  return plan;
}

asio::awaitable<std::string> DebugOrder::lend(const supervisor::PoolRunner& runner,
                                              const json::object& request, Plan& plan) {
  const std::string wanted = text(request, "output");
  auto hand = plan_hand(words_to_have_folder(means_, wanted, runner.pool().settings()));
  if (!hand) co_return hand.error().message;
  std::string too_late = wanted.empty() ? "no folder for its output could be made"
                                        : "--output: " + wanted + " did not answer";
  too_late += " within " + format_duration(kMaking) + "; name one on another disk with --output";
  std::string answer = co_await use_hand(std::move(*hand), kMaking, std::move(too_late));
  const std::string_view begins = kFolderIs;
  if (!answer.starts_with(begins)) co_return answer;
  std::string folder = wanted;
  if (folder.empty()) folder = answer.substr(begins.size());
  DebugLoan loan = loans_.lend(std::move(folder), wanted.empty());
  plan.loan = loan.number;
  plan.place.folder = std::move(loan.folder);
  plan.place.script = std::move(loan.script);
  if (plan.tool != DebugTool::Gdb) co_return "";
  const auto written = write_debug_file(plan.place.script, gdb_script(plan.place.folder));
  if (!written) co_return written.error().message;
  co_return "";
}

void DebugOrder::clear(const DebugLoans::Room& room) {
  std::vector<std::string> words = {"debug-hand", "clear", room.place};
  if (!room.discarded.empty()) words.push_back(room.discarded);
  words.push_back("--");
  words.insert(words.end(), room.in_use.begin(), room.in_use.end());
  auto plan = plan_hand(std::move(words));
  if (!plan) return;
  // What it does not get done, the next one does.
  (void)means_.start_hand(std::move(*plan), [](const std::string&) {});
}

// `debug-hand try` in the worker's place: all that its settings do to it is done to that.
Result<process::LaunchPlan> DebugOrder::trial_of(const supervisor::PoolRunner& runner,
                                                 const Plan& plan) const {
  worker::WorkerSettings settings = runner.pool().settings().worker;
  settings.command = {"/proc/self/exe", "debug-hand", "try", plan.place.program, plan.place.folder};
  const auto account = process::find_account(settings.identity);
  if (!account) return account.error();
  auto trial = process::plan_worker(settings, 0, *account, process::inherited_environment(),
                                    means_.available_memory);
  if (trial) return *trial;
  return failure(diagnosis::describe(trial.error()));
}

asio::awaitable<std::string> DebugOrder::try_tool(const supervisor::PoolRunner& runner,
                                                  const Plan& plan) {
  auto trial = trial_of(runner, plan);
  if (!trial) co_return trial.error().message;
  std::string too_late = "the try has not ended in time";
  co_return co_await use_hand(std::move(*trial), kTrial, std::move(too_late));
}

asio::awaitable<std::string> DebugOrder::use_hand(process::LaunchPlan plan, Duration limit,
                                                  std::string too_late) {
  if (*hanging_ >= kMostHanging)
    co_return "the processes of " + std::to_string(*hanging_) +
        " orders before it still wait for a disk that does not answer";
  HandWait hand(io_, hanging_);
  const auto started = means_.start_hand(std::move(plan), hand.ended());
  if (!started) co_return started.error().message;
  const auto complaint = co_await hand.complaint(Clock::now() + limit, [] { return true; });
  if (complaint) co_return *complaint;
  (*started)();
  co_return too_late;
}

asio::awaitable<void> DebugOrder::begin(Task task, Plan plan, const json::object& request,
                                        Conversation& client) {
  std::optional<std::uint32_t> slot;
  if (const auto wanted = number(request, "worker")) slot = static_cast<std::uint32_t>(*wanted);
  Course course;
  const auto last = journal_.recent(1);
  if (!last.empty()) course.first_event = last.back().sequence;
  const auto ordered = task.runner->debug(start_under(plan.tool, plan.place), slot);
  if (!ordered) {
    loans_.take_back(plan.loan);
    co_await client.finish(kFailed, "cannot debug: " + ordered.error().message);
    co_return;
  }
  course.id = ordered->id;
  loans_.begin(plan.loan, [weak = std::weak_ptr(task.runner), id = ordered->id] {
    const auto runner = weak.lock();
    return !runner || runner->pool().is_debug_over(id);
  });
  json::object told;
  told["tool"] = std::string(name(plan.tool));
  told["folder"] = plan.place.folder;
  told["program"] = plan.program;
  told["address"] = plan.place.address;
  json::object line;
  line["debug"] = std::move(told);
  if (!co_await client.send(line)) co_return;
  const std::string sentence = "the next worker of " + pool_of(*task.runner) + " starts under " +
                               std::string(name(plan.tool)) + "; " + where(plan.tool, plan.place) +
                               ". " + when(ordered->way);
  if (!task.wait) {
    co_await client.finish(kDone, sentence);
    co_return;
  }
  if (!co_await client.send(line_of("progress", json::value(sentence)))) co_return;
  co_await follow(std::move(task), std::move(plan), course, client);
}

asio::awaitable<void> DebugOrder::follow(Task task, Plan plan, Course course,
                                         Conversation& client) {
  const pool::Pool& pool = task.runner->pool();
  for (;;) {
    const auto standing = pool.debugging(course.id);
    if (!standing || standing->stage == DebugStage::Withdrawn) {
      co_await client.finish(kFailed, "it was called off, or another order took its place");
      co_return;
    }
    if (standing->stage == DebugStage::Ended) {
      const std::string sentence = outcome(course, standing->worker);
      co_await client.finish(kDone, sentence);
      co_return;
    }
    if (!co_await tell_progress(task, plan, course, client)) co_return;
    if (course.told_ready && plan.tool == DebugTool::Loader) {
      co_await client.finish(kDone, "all that it needed to start was loaded");
      co_return;
    }
    if (Clock::now() >= task.deadline) {
      const std::string so_far = standing->stage == DebugStage::Waiting
                                     ? "no worker has been started since"
                                     : "the worker runs on under " + std::string(name(plan.tool));
      co_await client.finish(kTimedOut, "timed out: " + so_far);
      co_return;
    }
    co_await changes_.wait_until(task.deadline);
    if (client.has_left()) co_return;
  }
}

// False when the client has gone.
asio::awaitable<bool> DebugOrder::tell_progress(const Task& task, const Plan& plan, Course& course,
                                                Conversation& client) {
  const auto standing = task.runner->pool().debugging(course.id);
  if (!standing || standing->stage != DebugStage::Carried) co_return true;
  const auto worker = find_worker(*task.runner, standing->worker);
  if (!worker || worker->name.pid == 0) co_return true;
  std::vector<std::string> news;
  if (!std::exchange(course.told_start, true)) {
    std::string begun = describe(worker->name) + " has started under ";
    begun += name(plan.tool);
    if (is_interactive(plan.tool)) begun += "; in gdb: target remote " + plan.place.address;
    news.push_back(std::move(begun));
  }
  const bool is_ready = worker->ready.has_value();
  if (is_ready && !std::exchange(course.told_ready, true))
    news.push_back(describe(worker->name) + " is ready");
  for (const std::string& text : news) {
    const json::object line = line_of("progress", json::value(text));
    if (!co_await client.send(line)) co_return false;
  }
  co_return true;
}

std::string DebugOrder::outcome(const Course& course, worker::WorkerId worker) const {
  for (const journal::Entry& entry : journal_.recent(journal::kEventsKept, course.first_event)) {
    if (!entry.event.worker || entry.event.worker->id != worker) continue;
    if (!std::holds_alternative<pool::ExitDetails>(entry.event.details)) continue;
    return describe(*entry.event.worker) + " " + entry.event.sentence;
  }
  return "the worker has ended";
}

asio::awaitable<void> DebugOrder::call_off(Task task, Conversation& client) {
  const std::string name = pool_of(*task.runner);
  if (!task.runner->pool().is_debugging()) {
    co_await client.finish(kDone, name + " is not being debugged");
    co_return;
  }
  task.runner->stop_debugging();
  co_await client.finish(kDone, name + " is not debugged any more; what ran so is being replaced");
}

}  // namespace poolwarden::cli
