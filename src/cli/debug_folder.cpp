#include "cli/debug_folder.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <vector>

#include "loop/unique_fd.h"
#include "process/credentials.h"

namespace poolwarden::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kKept = 8;
constexpr mode_t kPassedThrough = 0711;  // by the workers' users; who made it, sees it
constexpr mode_t kPrivate = 0700;

bool is_in_memory(const std::string& path) {
  struct statfs place {};
  return ::statfs(path.c_str(), &place) == 0 &&
         (place.f_type == TMPFS_MAGIC || place.f_type == RAMFS_MAGIC);
}

// Everybody may write to /tmp: whoever made it before us does not get what is written there.
Result<void> make_own_directory(const std::string& path) {
  if (::mkdir(path.c_str(), kPassedThrough) < 0 && errno != EEXIST)
    return errno_error(errno, "cannot make " + path);
  struct stat status {};
  if (::lstat(path.c_str(), &status) < 0) return errno_error(errno, "cannot look at " + path);
  if (!S_ISDIR(status.st_mode) || status.st_uid != ::geteuid() || (status.st_mode & 022) != 0)
    return failure(path + " is not a directory of our own");
  if (::chmod(path.c_str(), kPassedThrough) < 0)  // whatever the umask was
    return errno_error(errno, "cannot set the mode of " + path);
  return {};
}

// "web-3": 3; 0 for what is no folder of ours.
std::uint64_t number_of(const fs::path& path) {
  const std::string name = path.filename();
  const auto dash = name.rfind('-');
  std::uint64_t number = 0;
  if (dash != std::string::npos)
    std::from_chars(name.data() + dash + 1, name.data() + name.size(), number);
  return number;
}

// The next number, after the oldest have made room.
std::uint64_t make_room(const std::string& place) {
  std::error_code ignored;
  std::vector<fs::path> there;
  for (const auto& entry : fs::directory_iterator(place, ignored)) there.push_back(entry.path());
  std::sort(there.begin(), there.end(), [](const fs::path& one, const fs::path& other) {
    return number_of(one) < number_of(other);
  });
  const std::uint64_t next = there.empty() ? 1 : number_of(there.back()) + 1;
  for (std::size_t i = 0; there.size() - i >= kKept; ++i) fs::remove_all(there[i], ignored);
  return next;
}

Result<void> hand_over(const std::string& path, const worker::Identity& identity) {
  const auto account = process::find_account(identity);
  if (!account) return account.error();
  if (!account->changes) return {};
  const auto& who = account->credentials;
  if (::chown(path.c_str(), who.uid, who.gid) < 0)
    return errno_error(errno, "cannot hand over " + path);
  return {};
}

Result<std::string> make_below(const std::string& place, const std::string& pool,
                               const worker::Identity& identity) {
  if (auto made = make_own_directory(place); !made) return made.error();
  std::string path = place + "/" + pool + "-" + std::to_string(make_room(place));
  if (::mkdir(path.c_str(), kPrivate) < 0) return errno_error(errno, "cannot make " + path);
  if (auto handed = hand_over(path, identity); !handed) return handed.error();
  return path;
}

}  // namespace

Result<std::string> make_debug_folder(const std::string& instance,
                                      const std::string& runtime_directory, const std::string& pool,
                                      const worker::Identity& identity) {
  std::vector<std::string> places;
  for (const char* disk : {"/var/tmp", "/tmp"}) {
    if (!is_in_memory(disk)) places.push_back(std::string(disk) + "/" + instance + "-debug");
  }
  places.push_back(runtime_directory + "/debug");
  std::string tried;
  for (const std::string& place : places) {
    auto made = make_below(place, pool, identity);
    if (made) return made;
    tried += (tried.empty() ? "" : "; ") + made.error().message;
  }
  return failure("there is no place for the output: " + tried + "; name one with --output");
}

Result<void> take_debug_folder(const std::string& path, const worker::Identity& identity) {
  if (::mkdir(path.c_str(), kPrivate) == 0) return hand_over(path, identity);
  if (errno == EEXIST) return {};  // whether it can be written to is tried as its writer
  return errno_error(errno, "--output: cannot make " + path);
}

Result<void> write_debug_file(const std::string& path, const std::string& text) {
  // The folder may be the worker's: no link of his is followed.
  const loop::UniqueFd file(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!file) return errno_error(errno, "cannot write " + path);
  if (::fchmod(file.get(), 0644) < 0) return errno_error(errno, "cannot set the mode of " + path);
  if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    return errno_error(errno, "cannot write " + path);
  return {};
}

}  // namespace poolwarden::cli
