#include "process/listeners_in_proc.h"

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <memory>
#include <regex>
#include <sstream>

#include "cgroup/kernel_files.h"
#include "process/thread_states.h"

namespace poolwarden::process {
namespace {

using Directory = std::unique_ptr<DIR, int (*)(DIR*)>;

constexpr std::size_t kLargestTable = 8 << 20;
constexpr std::size_t kTablePiece = 64 << 10;
constexpr std::size_t kMostPorts = 8;

std::string read_table(const std::string& name) {
  std::ifstream file("/proc/net/" + name);
  std::string text, piece(kTablePiece, '\0');
  while (text.size() < kLargestTable && file) {
    file.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    text.append(piece, 0, static_cast<std::size_t>(file.gcount()));
  }
  return text;
}

template <typename Number>
Number number(std::string_view word, int base) {
  Number value = 0;
  std::from_chars(word.data(), word.data() + word.size(), value, base);
  return value;
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (!line.empty()) {
    const auto begin = line.find_first_not_of(' ');
    if (begin == std::string_view::npos) break;
    line.remove_prefix(begin);
    words.push_back(line.substr(0, line.find(' ')));
    line.remove_prefix(words.back().size());
  }
  return words;
}

template <typename Visit>
void for_each_line(std::string_view text, Visit visit) {
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    visit(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

// "socket:[4711]"; 0 for anything else.
std::uint64_t socket_inode(const std::string& link) {
  char text[64];
  const ssize_t size = ::readlink(link.c_str(), text, sizeof text);
  const std::string_view words(text, static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  constexpr std::string_view kSocket = "socket:[";
  return words.starts_with(kSocket) ? number<std::uint64_t>(words.substr(kSocket.size()), 10) : 0;
}

bool has_socket(pid_t pid, const std::set<std::uint64_t>& inodes, TimePoint limit) {
  const std::string path = "/proc/" + std::to_string(pid) + "/fd";
  const Directory directory(::opendir(path.c_str()), ::closedir);
  if (!directory) return false;
  while (const dirent* entry = ::readdir(directory.get())) {
    if (Clock::now() > limit) return false;
    if (inodes.contains(socket_inode(path + "/" + entry->d_name))) return true;
  }
  return false;
}

diagnosis::PortHolder holder_of(const std::set<std::uint64_t>& inodes, std::uint16_t port,
                                TimePoint limit) {
  diagnosis::PortHolder holder;
  holder.port = port;
  const Directory directory(::opendir("/proc"), ::closedir);
  if (!directory) return holder;
  while (const dirent* entry = ::readdir(directory.get())) {
    if (Clock::now() > limit) return holder;
    const auto pid = number<pid_t>(entry->d_name, 10);
    if (pid == 0 || !has_socket(pid, inodes, limit)) continue;
    holder.pid = pid;
    holder.name = name_of_process(pid);
    break;
  }
  return holder;
}

bool complains(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  const auto has = [&](const char* words) { return text.find(words) != std::string::npos; };
  const bool names_it = has("address") || has("port") || has("connection in use");
  return has("eaddrinuse") || (names_it && has("in use"));
}

}  // namespace

// "  0: 0100007F:1F90 00000000:0000 0A …", the inode in the tenth column.
std::map<std::uint16_t, std::set<std::uint64_t>> listening_inodes(std::string_view table) {
  constexpr std::string_view kListen = "0A";  // TCP_LISTEN
  std::map<std::uint16_t, std::set<std::uint64_t>> found;
  for_each_line(table, [&](std::string_view line) {
    const auto words = words_of(line);
    if (words.size() < 10 || words[3] != kListen) return;
    const auto local = words[1].substr(words[1].rfind(':') + 1);
    found[number<std::uint16_t>(local, 16)].insert(number<std::uint64_t>(words[9], 10));
  });
  return found;
}

// "0000: 00000002 00000000 00010000 0001 01 4711 /run/app": flags, type, state, inode, path.
std::set<std::uint64_t> listening_inodes(std::string_view table, const std::string& path) {
  constexpr unsigned kAccepts = 0x10000;  // SO_ACCEPTCON
  std::set<std::uint64_t> found;
  for_each_line(table, [&](std::string_view line) {
    const auto words = words_of(line);
    if (words.size() < 8 || (number<unsigned>(words[3], 16) & kAccepts) == 0) return;
    const auto place = static_cast<std::size_t>(words[7].data() - line.data());
    if (line.substr(place) == path) found.insert(number<std::uint64_t>(words[6], 10));
  });
  return found;
}

std::optional<diagnosis::PortHolder> find_port_holder(const std::vector<std::uint16_t>& ports,
                                                      Duration patience) {
  const TimePoint limit = Clock::now() + patience;
  auto listening = listening_inodes(read_table("tcp"));
  for (auto& [port, inodes] : listening_inodes(read_table("tcp6"))) listening[port].merge(inodes);
  for (const std::uint16_t port : ports)
    if (const auto found = listening.find(port); found != listening.end())
      return holder_of(found->second, port, limit);
  return std::nullopt;
}

std::optional<diagnosis::PortHolder> find_socket_holder(const std::string& path,
                                                        Duration patience) {
  const TimePoint limit = Clock::now() + patience;
  const auto inodes = listening_inodes(read_table("unix"), path);
  if (inodes.empty()) return std::nullopt;
  return holder_of(inodes, 0, limit);
}

std::optional<std::vector<std::uint16_t>> ports_in_use(
    const std::vector<diagnosis::WrittenLine>& output) {
  static const std::regex port("(?:[Pp]ort[ =:#]{1,3}|[:\\]]|', )([0-9]{1,5})(?![0-9])",
                               std::regex::optimize);
  std::optional<std::vector<std::uint16_t>> found;
  for (auto line = output.rbegin(); line != output.rend(); ++line) {
    const std::string text = line->text.substr(0, 512);  // an expression may go deep
    if (!complains(text)) continue;
    std::vector<std::uint16_t> here;
    for (std::sregex_iterator match(text.begin(), text.end(), port), end; match != end; ++match) {
      const int value = std::stoi((*match)[1]);
      if (value > 0 && value <= 65535) here.push_back(static_cast<std::uint16_t>(value));
    }
    if (!found) found.emplace();
    found->insert(found->end(), here.rbegin(), here.rend());
    if (found->size() > kMostPorts) found->resize(kMostPorts);
  }
  return found;
}

}  // namespace poolwarden::process
