#include "cli/debug_tool.h"

#include <array>

#include "base/units.h"

namespace poolwarden::cli {
namespace {

struct Row {
  DebugTool tool;
  std::string_view name;
  std::string_view output;
};
constexpr std::array kTools = {
    Row{DebugTool::Gdb, "gdb", "/gdb.txt"},
    Row{DebugTool::GdbServer, "gdbserver", ""},
    Row{DebugTool::Strace, "strace", "/strace.txt"},
    Row{DebugTool::Loader, "loader", "/loader"},
};

const Row& row_of(DebugTool tool) { return kTools[static_cast<std::size_t>(tool)]; }

// `debug-hand attach`, which becomes the worker's command with this tool attached.
std::vector<std::string> attached(std::vector<std::string> tool) {
  std::vector<std::string> words = {"/proc/self/exe", "debug-hand", "attach"};
  for (std::string& word : tool) words.push_back(std::move(word));
  words.emplace_back("--");
  return words;
}

}  // namespace

Result<DebugTool> parse_debug_tool(const std::string& text) {
  std::vector<std::string> names;
  for (const Row& row : kTools) {
    if (row.name == text) return row.tool;
    names.emplace_back(row.name);
  }
  const auto near = nearest(text, names);
  return failure("--with: expected gdb, gdbserver, strace or loader, got \"" + text + "\"" +
                 (near ? "; did you mean \"" + *near + "\"?" : ""));
}

std::string_view name(DebugTool tool) { return row_of(tool).name; }

bool is_tracer(DebugTool tool) { return tool != DebugTool::Loader; }

bool is_interactive(DebugTool tool) { return tool == DebugTool::GdbServer; }

pool::DebugStart start_under(DebugTool tool, const DebugPlace& place) {
  pool::DebugStart start;
  start.tool = name(tool);
  switch (tool) {
    case DebugTool::Gdb:
      start.wrapper = attached({place.program, "-nx", "-batch", "-iex",
                                "set debuginfod enabled off", "-p", "{PID}", "-x", place.script});
      break;
    case DebugTool::GdbServer:
      start.wrapper = attached({place.program, "--once", "--attach", place.address, "{PID}"});
      start.patience.reset();
      break;
    case DebugTool::Strace:  // -D: the worker is our child, and strace none of its
      start.wrapper = {place.program, "-D", "-f", "-tt", "-o", output_of(tool, place.folder)};
      break;
    case DebugTool::Loader:
      start.environment = {{"LD_DEBUG", "libs,files"},
                           {"LD_DEBUG_OUTPUT", output_of(tool, place.folder)}};
      break;
  }
  return start;
}

std::string output_of(DebugTool tool, const std::string& folder) {
  return folder + std::string(row_of(tool).output);
}

// The signals that end a process, unless it has a handler of its own, and its own decision to end:
// three of them are shown, for there are programs that raise SIGSEGV all the time and handle it.
std::string gdb_script(const std::string& folder) {
  return "set pagination off\n"
         "set confirm off\n"
         "set width 0\n"
         "set print thread-events off\n"
         "set breakpoint pending on\n"
         "set logging file " +
         output_of(DebugTool::Gdb, folder) + "\n" +
         "set logging enabled on\n"
         "handle all nostop noprint pass\n"
         "handle SIGINT nostop noprint pass\n"
         "handle SIGSEGV SIGBUS SIGILL SIGFPE SIGABRT SIGSYS SIGXCPU SIGXFSZ stop print pass\n"
         "break _exit\n"
         "set $shown = 0\n"
         "while $shown < 3\n"
         "  continue\n"
         "  if !$_isvoid($_exitcode) || !$_isvoid($_exitsignal)\n"
         "    quit\n"
         "  end\n"
         "  thread apply all backtrace 64\n"
         "  info sharedlibrary\n"
         "  set $shown = $shown + 1\n"
         "end\n"
         "delete\n"
         "handle all nostop noprint pass\n"
         "continue\n";
}

}  // namespace poolwarden::cli
