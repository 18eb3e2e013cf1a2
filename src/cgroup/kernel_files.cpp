#include "cgroup/kernel_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <memory>
#include <sstream>

#include "loop/unique_fd.h"

namespace poolwarden::cgroup {
namespace {

std::optional<std::uint64_t> parse_count(const std::string& word) {
  std::uint64_t value = 0;
  const char* end = word.data() + word.size();
  const auto [rest, error] = std::from_chars(word.data(), end, value);
  if (error != std::errc() || rest != end) return std::nullopt;
  return value;
}

}  // namespace

std::optional<std::string> read_text(const std::string& path) {
  const loop::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return std::nullopt;
  std::string text;
  char buffer[8192];
  for (;;) {
    const ssize_t count = ::read(file.get(), buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return std::nullopt;
    if (count == 0) return text;
    text.append(buffer, static_cast<std::size_t>(count));
  }
}

Result<void> write_text(const std::string& path, const std::string& text) {
  const loop::UniqueFd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file) return errno_error(errno, "cannot open " + path);
  // The kernel takes one value per write(2): a second half would be another value.
  if (::write(file.get(), text.data(), text.size()) < 0)
    return errno_error(errno, "cannot write " + text + " to " + path);
  return {};
}

std::vector<std::string> split_words(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

std::optional<std::uint64_t> read_count(const std::string& path) {
  const auto text = read_text(path);
  if (!text) return std::nullopt;
  const auto words = split_words(*text);
  return words.size() == 1 ? parse_count(words.front()) : std::nullopt;
}

std::optional<std::uint64_t> read_key(const std::string& path, const std::string& key) {
  const auto text = read_text(path);
  if (!text) return std::nullopt;
  const std::string wanted = "\n" + key + " ";
  const std::string lines = "\n" + *text;
  const auto line = lines.find(wanted);
  if (line == std::string::npos) return std::nullopt;
  const auto begin = line + wanted.size();
  return parse_count(lines.substr(begin, lines.find('\n', begin) - begin));
}

std::map<std::string, std::uint64_t> read_keyed(const std::string& path) {
  std::map<std::string, std::uint64_t> found;
  std::istringstream lines(read_text(path).value_or(""));
  for (std::string line; std::getline(lines, line);) {
    const auto words = split_words(line);
    if (words.size() != 2) continue;
    if (const auto value = parse_count(words[1])) found[words[0]] = *value;
  }
  return found;
}

std::optional<std::uint64_t> read_meminfo(const std::string& path, const std::string& key) {
  constexpr std::uint64_t kKilobyte = 1024;
  std::istringstream words(read_text(path).value_or(""));
  std::uint64_t kilobytes = 0;
  for (std::string word; words >> word;)
    if (word == key + ":" && words >> kilobytes) return kilobytes * kKilobyte;
  return std::nullopt;
}

bool is_directory(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

std::vector<std::string> subdirectories(const std::string& path) {
  std::vector<std::string> found;
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), ::closedir);
  if (!directory) return found;
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    if (entry->d_type == DT_DIR) found.push_back(path + "/" + name);
  }
  return found;
}

Result<void> make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0755) == 0 || errno == EEXIST) return {};
  return errno_error(errno, "cannot create cgroup " + path);
}

}  // namespace poolwarden::cgroup
