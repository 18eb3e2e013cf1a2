// What the file of a program says about how it is run: its first bytes, and the way to it.

#pragma once

#include <optional>
#include <string>
#include <vector>

namespace poolwarden::process {

// Of a path that is relative to `directory`, when it is not empty.
std::string absolute_path(const std::string& path, const std::string& directory);

// The directories above an absolute path, topmost first: "/", "/srv", "/srv/app".
std::vector<std::string> directories_above(const std::string& path);

// The first 4 KiB of a regular file; empty when it cannot be read.
std::string read_head(const std::string& path);

// The first line of a script, as the kernel reads it (execve(2)): all behind the interpreter is one
// argument.
struct ScriptLine {
  std::string interpreter;            // "/usr/bin/env"; empty when the line has none
  std::string argument;               // "python3 -u"; empty when there is none
  bool has_windows_line_end = false;  // the kernel takes the carriage return for part of a name

  // The name of what the kernel executes, with a carriage return where it takes it for part of it.
  std::string program() const;
};

// Absent when the file is no script.
std::optional<ScriptLine> script_line(const std::string& head);

}  // namespace poolwarden::process
