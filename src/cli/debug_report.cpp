#include "cli/debug_report.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <vector>

#include "base/clean_text.h"
#include "cli/debug_tool.h"
#include "cli/request_fields.h"
#include "diagnosis/loader_trace.h"
#include "diagnosis/system_call_trace.h"
#include "loop/regular_file.h"
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
  const auto file = loop::open_regular_file(path, O_NOFOLLOW);
  if (!file) return file.error();
  struct stat status {};
  if (::fstat(file->get(), &status) < 0) return errno_error(errno, "cannot read " + path);
  const auto size = static_cast<std::size_t>(std::max<off_t>(status.st_size, 0));
  std::string text(std::min(size, kMostRead), '\0');
  const ssize_t count =
      ::pread(file->get(), text.data(), text.size(), static_cast<off_t>(size - text.size()));
  if (count < 0) return errno_error(errno, "cannot read " + path);
  text.resize(static_cast<std::size_t>(count));
  return text;
}

// Line by line. What a worker has written, and the names of its files, are made fit for a terminal.
class Report {
 public:
  void say(const std::string& line) { text_ += escaped(line) + "\n"; }
  void show(const std::string& line) { say("  " + line); }
  bool is_empty() const { return text_.empty(); }
  std::string text() const { return text_; }

 private:
  std::string text_;
};

void report_system_calls(const std::string& path, Report& report) {
  const auto text = read_end(path);
  if (!text) return report.say(text.error().message);
  const auto trace = diagnosis::read_system_call_trace(*text, kLastCalls);
  report.say("the last system calls that failed:");
  if (trace.failed.empty()) report.show("none");
  for (const diagnosis::FailedCall& call : trace.failed)
    report.show(std::to_string(call.pid) + " " + call.call + ": " + call.error);
  report.say("the last system calls:");
  for (const std::string& call : trace.calls) report.show(call);
  if (!trace.signals.empty() || !trace.ends.empty()) report.say("how it ended:");
  for (const std::string& signal : trace.signals) report.show(signal);
  for (const std::string& end : trace.ends) report.show(end);
  report.say("the whole trace: " + path);
}

void report_gdb(const std::string& path, Report& report) {
  const auto text = read_end(path);
  if (!text) return report.say(text.error().message);
  std::vector<std::string_view> lines;
  for (std::string_view rest = *text; !rest.empty();) {
    const auto end = std::min(rest.find('\n'), rest.size());
    lines.push_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  report.say("what gdb has to say:");
  const std::size_t first = lines.size() - std::min(lines.size(), kLinesOfGdb);
  if (first > 0) report.show("… the beginning is in " + path);
  for (std::size_t i = first; i < lines.size(); ++i) report.show(std::string(lines[i]));
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

// Why the loader did not take what is there. A worker may have written the path.
std::optional<std::string> refused(const std::string& path, const std::string& program) {
  const auto file = loop::open_regular_file(path);
  if (!file) {
    const bool is_absent = file.error().code == std::errc::no_such_file_or_directory ||
                           file.error().code == std::errc::not_a_directory;
    return is_absent ? std::nullopt : std::optional(file.error().message);
  }
  const auto library = process::read_elf(path);
  if (!library) return path + " is there: " + library.error().message;
  const auto wanted = process::read_elf(executed(program));
  if (wanted && !process::fit(library->header, wanted->header))
    return path + " is there, but was made for " + process::machine_name(library->header) +
           ", and the program for " + process::machine_name(wanted->header);
  return path + " is there now";
}

void explain(const diagnosis::LoaderFailure& failure, const std::string& program, Report& report) {
  report.say(failure.at_start ? "the loader failed at the start of the program:"
                              : "the last that the loader could not do, while the program ran:");
  report.show(describe(failure));
  std::size_t shown = 0;
  for (const std::string& place : failure.tried) {
    if (const auto reason = refused(place, program)) {
      report.show(*reason);
      ++shown;
    }
  }
  if (shown > 0 || failure.tried.empty()) return;
  report.say("none of these is there:");
  const std::size_t first = failure.tried.size() - std::min(failure.tried.size(), kPlacesShown);
  for (std::size_t i = first; i < failure.tried.size(); ++i) report.show(failure.tried[i]);
}

void report_loader(const std::string& beginning, const std::string& program, bool ended,
                   Report& report) {
  const fs::path folder = fs::path(beginning).parent_path();
  std::error_code failed;
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(folder, failed)) {
    if (entry.path().string().starts_with(beginning + ".")) files.push_back(entry.path());
  }
  if (failed) return report.say("cannot read " + folder.string() + ": " + failed.message());
  if (files.empty()) return report.say(why_no_trace(program));
  std::sort(files.begin(), files.end());
  for (const std::string& file : files) {
    const auto text = read_end(file);
    const auto failure = text ? failure_of(diagnosis::read_loader_trace(*text)) : std::nullopt;
    if (!failure || (!failure->at_start && !ended)) continue;
    explain(*failure, program, report);
    report.show("in " + file);
  }
  if (report.is_empty()) report.say("the loader has found all that it looked for");
  report.say("the whole trace: " + beginning + ".PID");
}

}  // namespace

std::string debug_report(const boost::json::object& debug, bool ended) {
  const auto tool = parse_debug_tool(text(debug, "tool"));
  if (!tool) return "";
  const std::string output = output_of(*tool, text(debug, "folder"));
  Report report;
  switch (*tool) {
    case DebugTool::Gdb:
      report_gdb(output, report);
      break;
    case DebugTool::GdbServer:
      break;
    case DebugTool::Strace:
      report_system_calls(output, report);
      break;
    case DebugTool::Loader:
      report_loader(output, text(debug, "program"), ended, report);
      break;
  }
  return report.text();
}

}  // namespace poolwarden::cli
