#include "doctor/program_checks.h"

#include <elf.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <sstream>

#include "doctor/library_checks.h"
#include "doctor/path_checks.h"
#include "process/preflight.h"
#include "process/program_file.h"

namespace poolwarden::doctor {
namespace {

constexpr int kMostInterpreters = 4;  // of interpreters, in the kernel's search_binary_handler()

class ProgramLook {
 public:
  explicit ProgramLook(const ProgramPlace& program) : program_(program) {}

  Checks run() {
    look_at("program", process::absolute_path(program_.path, program_.directory),
            program_.named_in + " in the configuration", 0);
    return std::move(checks_);
  }

 private:
  // `named_in`: what is to be corrected when it is not there.
  void look_at(const std::string& subject, const std::string& path, const std::string& named_in,
               int depth);
  void look_at_script(const std::string& path, const process::ScriptLine& line, int depth);
  void look_at_env(const std::string& path, const process::ScriptLine& line, int depth);
  void add(Check check) { checks_.push_back(std::move(check)); }

  const ProgramPlace& program_;
  Checks checks_;
};

std::optional<Check> not_executable(const std::string& subject, const std::string& path,
                                    const std::string& named_in) {
  struct stat status {};
  if (::stat(path.c_str(), &status) < 0) {
    const int error = errno;
    if (error != ENOENT) return problem(subject, path + ": " + std::strerror(error), "", "");
    return problem(subject, path + " does not exist", "", "install it, or correct " + named_in);
  }
  if (S_ISDIR(status.st_mode))
    return problem(subject, path + " is a directory", "", "name a program in it, in " + named_in);
  if (!S_ISREG(status.st_mode))
    return problem(subject, path + " is no regular file", "a pipe, socket or device cannot be run",
                   "install the program there, or correct " + named_in);
  if (::access(path.c_str(), X_OK) == 0) return std::nullopt;
  struct statvfs place {};
  if (::statvfs(path.c_str(), &place) == 0 && (place.f_flag & ST_NOEXEC) != 0)
    return problem(
        subject, path + " may not be executed", "its file system is mounted noexec",
        "mount it with exec (in Docker --tmpfs PATH:exec), or put the program elsewhere");
  return problem(subject, path + " may not be executed", describe_permissions(path),
                 "chmod +x " + path);
}

bool other_formats_are_known() {
  // Where handlers for foreign formats are registered (binfmt_misc), what we do not know may run.
  return ::access("/proc/sys/fs/binfmt_misc/status", F_OK) == 0;
}

Check unknown_format(const std::string& subject, const std::string& path, bool is_empty) {
  Check found = problem(subject, path + (is_empty ? " is empty" : " is no program"),
                        "it is neither an ELF file nor a script that begins with #!",
                        "let its first line name its interpreter: #!/bin/sh");
  if (!is_empty && other_formats_are_known()) found.outcome = Outcome::Note;
  return found;
}

std::string first_line_of(const std::string& script) { return "the first line of " + script; }

std::string file_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// "-S python3 -u", "-i NAME=value python3": the first word that env(1) takes for a program.
std::string program_of_env(const std::string& argument) {
  if (!argument.starts_with("-S")) return argument;
  std::istringstream words(argument.substr(2));
  std::string word;
  while (words >> word)
    if (!word.starts_with('-') && word.find('=') == std::string::npos) return word;
  return "";
}

void ProgramLook::look_at(const std::string& subject, const std::string& path,
                          const std::string& named_in, int depth) {
  if (depth > kMostInterpreters)
    return add(problem(subject, program_.path + " has too many interpreters, one after the other",
                       "the kernel follows " + std::to_string(kMostInterpreters),
                       "let the script name the last of them: " + path));
  if (auto blocked = way_blocked(subject, path, named_in)) return add(*blocked);
  if (auto refused = not_executable(subject, path, named_in)) return add(*refused);
  if (::access(path.c_str(), R_OK) < 0)
    return add(note(subject, path + " may not be read, so it cannot be looked into",
                    describe_permissions(path), "a script has to be readable: chmod +r " + path));
  const std::string head = process::read_head(path);
  if (const auto line = process::script_line(head)) {
    add(ok(subject, path));
    return look_at_script(path, *line, depth);
  }
  if (!head.starts_with(ELFMAG)) return add(unknown_format(subject, path, head.empty()));
  for (Check& check : check_elf(subject, path, program_.environment, program_.directory))
    add(std::move(check));
}

void ProgramLook::look_at_script(const std::string& path, const process::ScriptLine& line,
                                 int depth) {
  const std::string subject = "interpreter";
  if (line.has_windows_line_end)
    return add(problem(subject, "the first line of " + path + " ends as Windows' lines do",
                       "the carriage return counts as a part of the interpreter's name",
                       "sed -i 's/\\r$//' " + path));
  if (line.interpreter.empty())
    return add(problem(subject, path + " names no interpreter behind #!", "",
                       "let its first line name one: #!/bin/sh"));
  if (file_name(line.interpreter) == "env" && !line.argument.empty())
    return look_at_env(path, line, depth);
  look_at(subject, process::absolute_path(line.interpreter, program_.directory),
          first_line_of(path), depth + 1);
}

void ProgramLook::look_at_env(const std::string& path, const process::ScriptLine& line, int depth) {
  const std::string subject = "interpreter";
  const std::string named_in = first_line_of(path);
  if (auto blocked = way_blocked(subject, line.interpreter, named_in)) return add(*blocked);
  if (auto refused = not_executable(subject, line.interpreter, named_in)) return add(*refused);
  const std::string name = program_of_env(line.argument);
  if (name.find_first_of(" \t") != std::string::npos)
    return add(problem(subject, "env looks for a program named \"" + name + "\"",
                       "all that follows in the first line of " + path + " is one word to it",
                       "write #!" + line.interpreter + " -S " + name));
  if (name.empty() || name.starts_with('-'))
    return add(
        note(subject,
             "cannot tell what " + path + " is run by: #!" + line.interpreter + " " + line.argument,
             "", ""));
  const auto found = process::find_program(name, program_.environment, program_.directory);
  if (!found)
    return add(problem(subject, found.error().message,
                       path + " begins with #!" + line.interpreter + " " + line.argument,
                       "install " + name + ", or set PATH in the pool's environment"));
  look_at(subject, process::absolute_path(*found, program_.directory), named_in, depth + 1);
}

}  // namespace

Checks check_program(const ProgramPlace& program) { return ProgramLook(program).run(); }

}  // namespace poolwarden::doctor
