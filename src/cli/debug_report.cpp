#include "cli/debug_report.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <vector>

#include "base/clean_text.h"
#include "cli/debug_tool.h"
#include "cli/request_fields.h"
#include "diagnosis/loader_trace.h"
#include "diagnosis/system_call_trace.h"
#include "loop/unique_fd.h"
#include "process/elf_file.h"
#include "process/program_file.h"

namespace poolwarden::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostRead = std::size_t{8} << 20;  // from the end of a file
constexpr std::size_t kLastCalls = 10;
constexpr std::size_t kLinesOfGdb = 200;
constexpr std::size_t kPlacesShown = 8;

Result<std::string> read_end(const std::string& path) {
  const loop::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) < 0) return errno_error(errno, "cannot read " + path);
  const auto size = static_cast<std::size_t>(std::max<off_t>(status.st_size, 0));
  std::string text(std::min(size, kMostRead), '\0');
  const ssize_t count =
      ::pread(file.get(), text.data(), text.size(), static_cast<off_t>(size - text.size()));
  if (count < 0) return errno_error(errno, "cannot read " + path);
  text.resize(static_cast<std::size_t>(count));
  return text;
}

// What a worker has written is made fit for a terminal.
void add(std::string& report, const std::string& line) { report += "  " + escaped(line) + "\n"; }

std::string report_system_calls(const std::string& path) {
  const auto text = read_end(path);
  if (!text) return text.error().message + "\n";
  const auto trace = diagnosis::read_system_call_trace(*text, kLastCalls);
  std::string report = "the last system calls that failed:\n";
  if (trace.failed.empty()) report += "  none\n";
  for (const diagnosis::FailedCall& call : trace.failed)
    add(report, std::to_string(call.pid) + " " + call.call + ": " + call.error);
  report += "the last system calls:\n";
  for (const std::string& call : trace.calls) add(report, call);
  if (!trace.signals.empty() || !trace.ends.empty()) report += "how it ended:\n";
  for (const std::string& signal : trace.signals) add(report, signal);
  for (const std::string& end : trace.ends) add(report, end);
  return report + "the whole trace: " + path + "\n";
}

std::string report_gdb(const std::string& path) {
  const auto text = read_end(path);
  if (!text) return text.error().message + "\n";
  std::vector<std::string_view> lines;
  for (std::string_view rest = *text; !rest.empty();) {
    const auto end = std::min(rest.find('\n'), rest.size());
    lines.push_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  std::string report = "what gdb has to say:\n";
  const std::size_t first = lines.size() - std::min(lines.size(), kLinesOfGdb);
  if (first > 0) add(report, "… the beginning is in " + path);
  for (std::size_t i = first; i < lines.size(); ++i) add(report, std::string(lines[i]));
  return report;
}

// The program that the kernel executes: of a script its interpreter.
std::string executed(const std::string& program) {
  const auto line = process::script_line(process::read_head(program));
  return line ? line->interpreter : program;
}

std::string why_no_trace(const std::string& program) {
  const std::string path = executed(program);
  const auto elf = process::read_elf(path);
  if (!elf) return "the loader has written nothing: " + elf.error().message;
  if (elf->interpreter.empty())
    return "the loader has written nothing, for " + path +
           " is statically linked: it has no loader, and needs no library";
  if (elf->interpreter.find("musl") != std::string::npos)
    return "the loader has written nothing, for " + path + " uses musl's loader (" +
           elf->interpreter +
           "), which does not know LD_DEBUG; with --with strace its search for "
           "libraries can be seen";
  return "the loader (" + elf->interpreter + ") has written nothing for " + path;
}

// Why the loader did not take what is there.
std::optional<std::string> refused(const std::string& path, const std::string& program) {
  if (::access(path.c_str(), F_OK) < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    return path + ": " + std::strerror(errno);
  }
  const auto library = process::read_elf(path);
  if (!library) return path + " is there: " + library.error().message;
  const auto wanted = process::read_elf(executed(program));
  if (wanted && !process::fit(library->header, wanted->header))
    return path + " is there, but was made for " + process::machine_name(library->header) +
           ", and the program for " + process::machine_name(wanted->header);
  return path + " is there now";
}

void explain(const diagnosis::LoaderFailure& failure, const std::string& program,
             std::string& report) {
  report += failure.at_start ? "the loader failed at the start of the program:\n"
                             : "the last that the loader could not do, while the program ran:\n";
  add(report, describe(failure));
  std::size_t shown = 0;
  for (const std::string& place : failure.tried) {
    if (const auto reason = refused(place, program)) {
      add(report, *reason);
      ++shown;
    }
  }
  if (shown > 0 || failure.tried.empty()) return;
  report += "none of these is there:\n";
  const std::size_t first = failure.tried.size() - std::min(failure.tried.size(), kPlacesShown);
  for (std::size_t i = first; i < failure.tried.size(); ++i) add(report, failure.tried[i]);
}

std::string report_loader(const std::string& beginning, const std::string& program, bool ended) {
  const fs::path folder = fs::path(beginning).parent_path();
  std::error_code failed;
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(folder, failed)) {
    if (entry.path().string().starts_with(beginning + ".")) files.push_back(entry.path());
  }
  if (failed) return "cannot read " + folder.string() + ": " + failed.message() + "\n";
  if (files.empty()) return why_no_trace(program) + "\n";
  std::sort(files.begin(), files.end());
  std::string report;
  for (const std::string& file : files) {
    const auto text = read_end(file);
    const auto failure = text ? failure_of(diagnosis::read_loader_trace(*text)) : std::nullopt;
    if (!failure || (!failure->at_start && !ended)) continue;
    explain(*failure, program, report);
    report += "  in " + file + "\n";
  }
  if (report.empty()) report = "the loader has found all that it looked for\n";
  return report + "the whole trace: " + beginning + ".PID\n";
}

}  // namespace

std::string debug_report(const boost::json::object& debug, bool ended) {
  const auto tool = parse_debug_tool(text(debug, "tool"));
  if (!tool) return "";
  const std::string output = output_of(*tool, text(debug, "folder"));
  switch (*tool) {
    case DebugTool::Gdb:
      return report_gdb(output);
    case DebugTool::GdbServer:
      return "";
    case DebugTool::Strace:
      return report_system_calls(output);
    case DebugTool::Loader:
      return report_loader(output, text(debug, "program"), ended);
  }
  return "";
}

}  // namespace poolwarden::cli
