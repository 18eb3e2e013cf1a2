#include "process/program_file.h"

#include <unistd.h>

#include <algorithm>

#include "loop/regular_file.h"

namespace poolwarden::process {
namespace {

constexpr std::size_t kHead = 4096;

std::string trimmed(const std::string& text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

}  // namespace

std::string absolute_path(const std::string& path, const std::string& directory) {
  return path.starts_with('/') || directory.empty() ? path : directory + "/" + path;
}

std::vector<std::string> directories_above(const std::string& path) {
  std::vector<std::string> found;
  for (std::size_t at = 0; (at = path.find('/', at)) != std::string::npos; ++at)
    found.push_back(at == 0 ? "/" : path.substr(0, at));
  return found;
}

std::string read_head(const std::string& path) {
  const auto file = loop::open_regular_file(path);
  std::string head(kHead, '\0');
  const ssize_t count = file ? ::read(file->get(), head.data(), head.size()) : 0;
  head.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  return head;
}

std::string ScriptLine::program() const {
  return interpreter + (has_windows_line_end && argument.empty() ? "\r" : "");
}

std::optional<ScriptLine> script_line(const std::string& head) {
  if (!head.starts_with("#!")) return std::nullopt;
  std::string line = head.substr(2, head.find('\n') - 2);
  ScriptLine found;
  found.has_windows_line_end = line.ends_with('\r');
  if (found.has_windows_line_end) line.pop_back();
  line = trimmed(line);
  const auto end = std::min(line.find_first_of(" \t"), line.size());
  found.interpreter = line.substr(0, end);
  found.argument = trimmed(line.substr(end));
  return found;
}

}  // namespace poolwarden::process
