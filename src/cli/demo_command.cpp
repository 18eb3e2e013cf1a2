// `demo`: the embedded default. A pool of sample workers behind the gateway, and what to try.

#include <cerrno>
#include <iostream>

#include "cli/command_entries.h"
#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/control_place.h"
#include "cli/supervision.h"

namespace poolwarden::cli {
namespace {

config::Settings demo_settings() {
  config::Settings settings = config::default_settings();
  pool::PoolSettings pool;
  pool.name = "demo";
  pool.routes.push_back({});
  // The program itself, wherever it is and whoever may read its directory.
  pool.worker.command = {"/proc/self/exe", "sample-worker"};
  pool.worker.containment = worker::Containment::BestEffort;
  pool.worker.limits.memory = Size(Bytes{std::uint64_t{256} << 20});
  pool.workers.min = pool.workers.max = 2;
  settings.pools.push_back(std::move(pool));
  return settings;
}

void print_tour(const Addresses& at) {
  const std::string program = program_invocation_name;  // as it was typed: build/poolwarden
  const std::string web = "http://" + at.listeners.front();
  const std::string metrics = "http://" + at.admin + "/metrics";
  std::cerr << "\npoolwarden demo: two sample workers behind the gateway. Ctrl-C ends it.\n\n"
            << "  page      " << web << "/\n"
            << "  status    " << program << " status --control " << at.control << "\n"
            << "  metrics   " << metrics << "\n\n"
            << "Try:\n"
            << "  curl " << web << "/info\n"
            << "  curl -X POST " << web << "/crash    # the worker dies, another takes its place\n"
            << "  curl " << web << "/info             # and the next request is answered\n"
            << "  " << program << " why demo --control " << at.control << "    # what it died of\n"
            << "  for i in 1 2 3 4 5; do curl -X POST " << web << "/crash; done   # rapid-fail\n"
            << "  curl -i " << web << "/info          # 503, X-Poolwarden-Reason: rapid_fail\n"
            << "  curl -s " << metrics << " | grep pool_disabled\n"
            << "  " << program << " start demo --control " << at.control << "\n"
            << "  " << program << " drill demo segv --control " << at.control << "\n\n";
}

}  // namespace

int demo_entry(const Words& words) {
  CommandLine line("demo", "[--listen ADDRESS] [--admin ADDRESS] [--control PATH]",
                   "Runs two built-in sample workers behind the gateway, and says what to try. "
                   "Stays in the foreground; Ctrl-C ends it gracefully.");
  line.options()("listen", "where the page is",
                 cxxopts::value<std::string>()->default_value("127.0.0.1:8080"))(
      "admin", "address of metrics and health",
      cxxopts::value<std::string>()->default_value("127.0.0.1:9180"))(
      "control", "path of the control socket", cxxopts::value<std::string>());
  auto parsed = line.parse(words.before);
  if (const int* exit_code = std::get_if<int>(&parsed)) return *exit_code;
  const auto& options = std::get<cxxopts::ParseResult>(parsed);

  config::Settings settings = demo_settings();
  const auto listen = config::parse_address(options["listen"].as<std::string>());
  if (!listen) return line.wrong("--listen: " + listen.error().message);
  const auto admin = config::parse_address(options["admin"].as<std::string>());
  if (!admin) return line.wrong("--admin: " + admin.error().message);
  settings.listen = {*listen};
  settings.admin = *admin;
  settings.control = control_to_open(options, settings.control, place_for_control());
  return supervise({std::move(settings), "", "", {}}, print_tour);
}

}  // namespace poolwarden::cli
