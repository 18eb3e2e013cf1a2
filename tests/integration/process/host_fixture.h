// A LinuxWorkerHost on this machine, its workers, and a loop that runs until something holds.

#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <fstream>
#include <map>

#include "integration/cgroup/places.h"
#include "process/linux_worker_host.h"
#include "process/reaper.h"

namespace poolwarden::process {

using namespace std::chrono_literals;

using cgroup::kNoCgroups;

// What the host has told of one worker.
struct Told {
  int pid = 0;
  int started = 0, ready = 0, exited = 0;
  worker::Endpoint endpoint;
  std::vector<std::string> statuses, unhealthy;
  int pings_sent = 0, memory_high = 0;
  std::vector<worker::PingResult> pings;
  int last_ping_status = 0;
  std::vector<std::string> order;
  diagnosis::Evidence evidence;
};

class HostFixture : public testing::Test {
 public:
  explicit HostFixture(const cgroup::Places& places = {})
      : directory_("/tmp/pwt-" + std::to_string(::getpid())),
        tree(cgroup::Tree::open(places, "poolwarden-test-" + std::to_string(::getpid()))),
        io(std::make_unique<boost::asio::io_context>()),
        reaper(*io, known),
        host(*io, settings(), tree, known) {
    EXPECT_TRUE(become_subreaper());
    EXPECT_TRUE(host.prepare());
    reaper.start();
  }
  ~HostFixture() override {
    for (const auto& [id, told] : workers) host.kill(id);
    run_until([this] { return all_exited(); });
    tree.remove_leftovers();
    tree.remove();
    std::filesystem::remove_all(directory_);
  }

  // Fails the test when it does not come to hold within the time.
  template <typename Condition>
  bool run_until(Condition condition, Duration limit = 60s) {
    const TimePoint end = Clock::now() + limit;
    while (!condition()) {
      if (Clock::now() > end) {
        ADD_FAILURE() << "waited in vain";
        return false;
      }
      if (io->stopped()) io->restart();
      io->run_one_for(5ms);
    }
    return true;
  }

  Told& spawn(const worker::WorkerSettings& settings, bool speaks_http = false,
              const worker::Watch& watch = {}) {
    const worker::WorkerId id{++last_id_};
    Told& told = workers[id];
    worker::WorkerCallbacks callbacks;
    callbacks.started = [&told](int pid) {
      told.pid = pid;
      ++told.started;
      told.order.push_back("started");
    };
    callbacks.ready = [&told](const worker::Endpoint& endpoint) {
      told.endpoint = endpoint;
      ++told.ready;
      told.order.push_back("ready");
    };
    callbacks.status = [&told](const std::string& text) { told.statuses.push_back(text); };
    callbacks.unhealthy = [&told](const std::string& why) { told.unhealthy.push_back(why); };
    callbacks.ping_sent = [&told] { ++told.pings_sent; };
    callbacks.pinged = [&told](const worker::PingAnswer& answer) {
      told.pings.push_back(answer.result);
      told.last_ping_status = answer.status;
    };
    callbacks.memory_high = [&told] { ++told.memory_high; };
    callbacks.exited = [&told](const diagnosis::Evidence& evidence) {
      told.evidence = evidence;
      ++told.exited;
      told.order.push_back("exited");
    };
    host.spawn({id, "web", static_cast<std::uint32_t>(last_id_), 1, speaks_http, watch}, settings,
               std::move(callbacks));
    return told;
  }

  // Runs it to its end.
  Told& run(const worker::WorkerSettings& settings) {
    Told& told = spawn(settings);
    run_until([&] { return told.exited > 0; });
    return told;
  }

  worker::WorkerId last_id() const { return worker::WorkerId{last_id_}; }

  bool wrote(const std::string& text) const {
    return std::find(lines.begin(), lines.end(), text) != lines.end();
  }

  // Runs describe_self with the settings, and returns its lines.
  std::vector<std::string> described(worker::WorkerSettings settings, bool speaks_http = false) {
    settings.command = {program("describe_self")};
    spawn(settings, speaks_http);
    run_until([&] { return wrote("end"); });
    return lines;
  }

  // Of tests/workers: they are built into a folder beside this program.
  static std::string program(const std::string& name) {
    return std::filesystem::read_symlink("/proc/self/exe").parent_path() / "workers" / name;
  }

  // Commands that need no socket.
  static worker::WorkerSettings command(std::vector<std::string> words) {
    worker::WorkerSettings settings;
    settings.command = std::move(words);
    settings.ready.when = worker::WhenStarted{};
    return settings;
  }

  // As in proc(5); 0 when there is none.
  static char state_of(int pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string text((std::istreambuf_iterator<char>(file)), {});
    const auto name_end = text.rfind(") ");
    return name_end == std::string::npos ? '\0' : text[name_end + 2];
  }
  static bool is_alive(int pid) { return state_of(pid) != '\0' && state_of(pid) != 'Z'; }

  // The pids that fork_tree printed.
  std::vector<int> descendants() const {
    std::vector<int> pids;
    for (const std::string& line : lines)
      if (!line.empty() && std::isdigit(static_cast<unsigned char>(line.front())))
        pids.push_back(std::stoi(line));
    return pids;
  }
  static int count_alive(const std::vector<int>& pids) {
    return static_cast<int>(std::count_if(pids.begin(), pids.end(), is_alive));
  }

  bool all_exited() const {
    for (const auto& [id, told] : workers)
      if (told.exited == 0) return false;
    return true;
  }

 private:
  HostSettings settings() {
    HostSettings made;
    made.runtime_directory = directory_;
    made.available_memory = 1ULL << 30;
    made.on_output = [this](const OutputLine& line) { lines.push_back(line.text); };
    made.on_unenforced = [this](const std::string&, const std::vector<std::string>& sentences) {
      unenforced = sentences;
    };
    return made;
  }

  std::string directory_;
  std::uint64_t last_id_ = 0;

 public:
  std::vector<std::string> lines, unenforced;
  std::map<worker::WorkerId, Told> workers;
  KnownPids known;
  cgroup::Tree tree;
  std::unique_ptr<boost::asio::io_context> io;
  Reaper reaper;
  LinuxWorkerHost host;
};

}  // namespace poolwarden::process
