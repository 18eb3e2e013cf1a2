#include "cli/control_place.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <initializer_list>
#include <vector>

#include "config/settings.h"
#include "loop/unique_fd.h"

namespace poolwarden::cli {
namespace {

namespace fs = std::filesystem;

struct Place {
  fs::path socket;
  bool shared = false;  // anybody may have made it
};

// Docker and Kubernetes leave /dev/shm writable where all else is read-only.
std::vector<Place> places() {
  std::vector<Place> all;
  if (::geteuid() != 0) {
    if (const char* runtime = std::getenv("XDG_RUNTIME_DIR"); runtime && *runtime)
      all.push_back({fs::path(runtime) / "poolwarden" / "control.sock"});
  }
  all.push_back({config::kDefaultControl});
  const std::string own = "poolwarden-" + std::to_string(::geteuid());
  for (const char* shared : {"/tmp", "/dev/shm"})
    all.push_back({fs::path(shared) / own / "control.sock", true});
  return all;
}

// access(2) tells of a read-only file system too, also to root. In another user's folder (the
// image's, where root runs it) the socket would not be safe from that user.
bool can_be_made(const Place& place) {
  const fs::path folder = place.socket.parent_path();
  struct stat found {};
  const bool exists = ::stat(folder.c_str(), &found) == 0;
  if (exists && found.st_uid != ::geteuid() && found.st_uid != 0) return false;
  return ::access((exists ? folder : folder.parent_path()).c_str(), W_OK | X_OK) == 0;
}

bool is_usable(const Place& place) {
  struct stat found {};
  if (::lstat(place.socket.c_str(), &found) != 0 || !S_ISSOCK(found.st_mode)) return false;
  if (place.shared && found.st_uid != ::geteuid()) return false;
  return ::access(place.socket.c_str(), W_OK) == 0;
}

// A supervisor that was killed leaves its socket behind, and nobody listens there any more.
bool is_live(const Place& place) {
  if (!is_usable(place)) return false;
  sockaddr_un address{};
  const std::string path = place.socket.string();
  if (path.size() >= sizeof address.sun_path) return false;
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, path.size());
  const loop::UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return false;
  const auto* named = reinterpret_cast<const sockaddr*>(&address);
  return ::connect(socket.get(), named, sizeof address) == 0 || errno == EAGAIN;
}

// Of the first rule that any place fits.
std::string first(std::initializer_list<bool (*)(const Place&)> rules) {
  const std::vector<Place> all = places();
  for (const auto rule : rules) {
    const auto found = std::find_if(all.begin(), all.end(), rule);
    if (found != all.end()) return found->socket.string();
  }
  return all.front().socket.string();
}

}  // namespace

std::string control_from_environment() {
  const char* named = std::getenv("POOLWARDEN_CONTROL");
  return named ? named : "";
}

std::string place_for_control() { return first({can_be_made}); }

std::string control_to_open(const cxxopts::ParseResult& options, const std::string& from_file,
                            const std::string& place) {
  if (options.count("control") != 0) return options["control"].as<std::string>();
  if (std::string named = control_from_environment(); !named.empty()) return named;
  return from_file == config::kDefaultControl ? place : from_file;
}

std::string find_control() { return first({is_live, is_usable}); }

}  // namespace poolwarden::cli
