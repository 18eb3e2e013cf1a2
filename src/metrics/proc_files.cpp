#include "metrics/proc_files.h"

#include <dirent.h>

#include <cerrno>
#include <charconv>
#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>
#include <string_view>

namespace poolwarden::metrics {
namespace {

std::string read_all(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace

// The name may hold spaces and parentheses.
ProcessStat read_stat(const std::string& folder) {
  const std::string text = read_all(folder + "/stat");
  const std::size_t end_of_name = text.rfind(')');
  if (end_of_name == std::string::npos) return {};
  std::istringstream rest(text.substr(end_of_name + 1));
  ProcessStat stat;
  rest >> stat.state;
  for (double field = 0; rest >> field;) stat.fields.push_back(field);
  return stat;
}

Result<std::uint64_t> count_open_fds(const std::string& folder) {
  const std::string path = folder + "/fd";
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), ::closedir);
  if (!directory) return errno_error(errno, "cannot read " + path);
  std::uint64_t count = 0;
  while (const dirent* entry = ::readdir(directory.get())) count += entry->d_name[0] != '.' ? 1 : 0;
  return count;
}

std::optional<std::uint64_t> fd_limit(const std::string& folder) {
  constexpr std::string_view kLine = "Max open files";
  const std::string text = read_all(folder + "/limits");
  const std::size_t line = text.find(kLine);
  if (line == std::string::npos) return std::nullopt;
  const std::size_t begin = text.find_first_not_of(' ', line + kLine.size());
  if (begin == std::string::npos) return std::nullopt;
  std::uint64_t limit = 0;
  const auto parsed = std::from_chars(&text[begin], text.data() + text.size(), limit);
  return parsed.ec == std::errc() ? std::optional(limit) : std::nullopt;  // "unlimited"
}

}  // namespace poolwarden::metrics
