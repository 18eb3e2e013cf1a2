#include "cli/runtime_directory.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <vector>

namespace poolwarden::cli {
namespace {

namespace fs = std::filesystem;

// FNV-1a: the same on every machine and in every build, which std::hash does not promise.
std::uint32_t hash(const std::string& text) {
  std::uint32_t value = 2166136261u;
  for (const char letter : text) {
    value ^= static_cast<unsigned char>(letter);
    value *= 16777619u;
  }
  return value;
}

std::vector<std::string> candidates() {
  if (::geteuid() == 0) return {"/run/poolwarden", "/tmp", "/dev/shm"};
  std::vector<std::string> places;
  if (const char* runtime = std::getenv("XDG_RUNTIME_DIR"); runtime && *runtime)
    places.emplace_back(runtime);
  places.insert(places.end(), {"/run/poolwarden", "/tmp", "/dev/shm"});
  return places;
}

// In a place that others may write to, a directory of that name may be somebody else's trap.
bool is_ours(const fs::path& path) {
  struct stat found {};
  return ::lstat(path.c_str(), &found) == 0 && S_ISDIR(found.st_mode) &&
         found.st_uid == ::geteuid();
}

// Whose the place is can put another directory there in ours' place.
bool is_trusted(const fs::path& place) {
  struct stat found {};
  return ::stat(place.c_str(), &found) == 0 && (found.st_uid == ::geteuid() || found.st_uid == 0);
}

Result<void> make_in(const fs::path& place, const fs::path& path) {
  std::error_code error;
  if (fs::create_directories(place, error)) {
    // Whatever our umask: the gateway's user must get through.
    fs::permissions(place, fs::perms(0755), error);
  }
  if (fs::exists(place, error) && !is_trusted(place))
    return failure("cannot use " + place.string() + ": it belongs to another user");
  if (is_ours(path)) fs::remove_all(path, error);
  // Passed through by the gateway's and the workers' users, listed by nobody but us.
  if (::mkdir(path.c_str(), 0711) != 0)
    return errno_error(errno, "cannot make directory " + path.string());
  if (::chmod(path.c_str(), 0711) != 0)
    return errno_error(errno, "cannot set the mode of " + path.string());
  return {};
}

// Whether make_in() would succeed, as far as can be told without making anything.
Result<void> could_make_in(const fs::path& place) {
  std::error_code error;
  const bool exists = fs::exists(place, error);
  if (exists && !is_trusted(place))
    return failure("cannot use " + place.string() + ": it belongs to another user");
  const fs::path folder = exists ? place : place.parent_path();
  if (::access(folder.c_str(), W_OK | X_OK) != 0)
    return errno_error(errno, "cannot make a directory in " + folder.string());
  return {};
}

// The first place for which `use` succeeds; errors list what was tried.
template <typename Use>
Result<std::string> in_some_place(const std::string& name, Use use) {
  std::string tried;
  for (const std::string& place : candidates()) {
    const fs::path path = fs::path(place) / name;
    const Result<void> used = use(fs::path(place), path);
    if (used) return path.string();
    tried += (tried.empty() ? "" : "; ") + used.error().message;
  }
  return failure("cannot make a directory for the workers' sockets: " + tried +
                 "; mount one that can be written to (in Docker --tmpfs /run/poolwarden, in "
                 "Kubernetes an emptyDir at /run/poolwarden)");
}

}  // namespace

std::string instance_name(const std::string& control_path) {
  char digits[9];
  std::snprintf(digits, sizeof(digits), "%08x", hash(fs::absolute(control_path).string()));
  return std::string("poolwarden-") + digits;
}

Result<std::string> make_runtime_directory(const std::string& name) {
  return in_some_place(name, make_in);
}

Result<std::string> place_of_runtime_directory(const std::string& name) {
  return in_some_place(name,
                       [](const fs::path& place, const fs::path&) { return could_make_in(place); });
}

void remove_runtime_directory(const std::string& path) {
  std::error_code ignored;
  fs::remove_all(path, ignored);
}

}  // namespace poolwarden::cli
