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
#include <optional>

#include "loop/unique_fd.h"
#include "process/credentials.h"

namespace poolwarden::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kKept = 8;
constexpr const char* kDiscarded = ".discarded-";
constexpr int kTries = 20;               // for a number that nobody else takes at the same time
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

// "web-3", also ".discarded-web-3": 3; 0 for what is no folder of ours.
std::uint64_t number_of(const fs::path& path) {
  const std::string name = path.filename();
  const auto dash = name.rfind('-');
  std::uint64_t number = 0;
  if (dash != std::string::npos)
    std::from_chars(name.data() + dash + 1, name.data() + name.size(), number);
  return number;
}

bool is_discarded(const fs::path& path) { return path.filename().string().starts_with(kDiscarded); }

// Lowest number first.
std::vector<fs::path> numbered_in(const std::string& place) {
  std::error_code ignored;
  std::vector<fs::path> there;
  for (const auto& entry : fs::directory_iterator(place, ignored)) {
    if (number_of(entry.path()) > 0) there.push_back(entry.path());
  }
  std::sort(there.begin(), there.end(), [](const fs::path& one, const fs::path& other) {
    return number_of(one) < number_of(other);
  });
  return there;
}

using Writer = std::optional<process::Credentials>;  // absent: we are it

Result<Writer> find_writer(const worker::Identity& identity) {
  const auto account = process::find_account(identity);
  if (!account) return account.error();
  return account->changes ? Writer(account->credentials) : Writer();
}

Result<std::string> make_below(const std::string& place, const std::string& pool,
                               const Writer& writer) {
  if (auto made = make_own_directory(place); !made) return made.error();
  const loop::UniqueFd parent(::open(place.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!parent) return errno_error(errno, "cannot open " + place);
  std::string name, path;
  bool is_made = false;
  for (int tries = 1; !is_made; ++tries) {
    const auto there = numbered_in(place);
    const std::uint64_t next = there.empty() ? 1 : number_of(there.back()) + 1;
    name = pool + "-" + std::to_string(next);
    path = place + "/" + name;
    is_made = ::mkdirat(parent.get(), name.c_str(), kPrivate) == 0;
    if (!is_made && (errno != EEXIST || tries == kTries))
      return errno_error(errno, "cannot make " + path);
  }
  if (!writer) return path;
  if (auto handed = hand_over_folder(parent.get(), name, *writer); !handed) {
    ::unlinkat(parent.get(), name.c_str(), AT_REMOVEDIR);
    return handed.error();
  }
  return path;
}

// No link is followed: on a way that the worker's user may change, one leads wherever he wants.
Result<loop::UniqueFd> open_folder_itself(const fs::path& path) {
  loop::UniqueFd folder(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  fs::path so_far = "/";
  for (const fs::path& part : path.relative_path()) {
    if (part.empty()) continue;  // a slash at the end
    so_far /= part;
    folder.reset(
        ::openat(folder.get(), part.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (folder) continue;
    const bool is_link = errno == ENOTDIR || errno == ELOOP;
    Error error = errno_error(errno, "--output: cannot open " + so_far.string());
    if (is_link) error.message += "; name the folder by a path without symbolic links";
    return error;
  }
  return folder;
}

}  // namespace

Result<std::string> make_debug_folder(const std::string& instance,
                                      const std::string& runtime_directory, const std::string& pool,
                                      const worker::Identity& identity) {
  const auto writer = find_writer(identity);
  if (!writer) return writer.error();
  std::vector<std::string> places;
  for (const char* disk : {"/var/tmp", "/tmp"}) {
    if (!is_in_memory(disk)) places.push_back(std::string(disk) + "/" + instance + "-debug");
  }
  places.push_back(runtime_directory + "/debug");
  std::string tried;
  for (const std::string& place : places) {
    auto made = make_below(place, pool, *writer);
    if (made) return made;
    tried += (tried.empty() ? "" : "; ") + made.error().message;
  }
  return failure("there is no place for the output: " + tried + "; name one with --output");
}

Result<void> take_debug_folder(const std::string& path, const worker::Identity& identity) {
  const auto writer = find_writer(identity);
  if (!writer) return writer.error();
  if (!*writer) {
    if (::mkdir(path.c_str(), kPrivate) == 0 || errno == EEXIST) return {};
    return errno_error(errno, "--output: cannot make " + path);
  }
  // Whether one that is there can be written to is tried as its writer.
  if (::access(path.c_str(), F_OK) == 0) return {};
  const std::string bare = path.substr(0, path.find_last_not_of('/') + 1);
  const auto parent = open_folder_itself(fs::path(bare).parent_path());
  if (!parent) return parent.error();
  const std::string name = fs::path(bare).filename();
  if (::mkdirat(parent->get(), name.c_str(), kPrivate) < 0)
    return errno_error(errno, "--output: cannot make " + path);
  return hand_over_folder(parent->get(), name, **writer);
}

Result<void> hand_over_folder(int parent, const std::string& name, const process::Credentials& to) {
  const loop::UniqueFd folder(
      ::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat status {};
  if (!folder || ::fstat(folder.get(), &status) < 0)
    return errno_error(errno, "cannot open the folder " + name);
  std::error_code unread;
  const bool is_empty = fs::is_empty("/proc/self/fd/" + std::to_string(folder.get()), unread);
  if (status.st_uid != ::geteuid() || !is_empty || unread)
    return failure("the folder " + name + " was replaced by another while it was made");
  if (::fchown(folder.get(), to.uid, to.gid) < 0)
    return errno_error(errno, "cannot hand over the folder " + name);
  return {};
}

void discard_debug_folder(const std::string& path) {
  const fs::path folder = path;
  std::error_code ignored;
  fs::rename(folder, folder.parent_path() / (kDiscarded + folder.filename().string()), ignored);
}

void clear_debug_folders(const std::string& place, const std::vector<std::string>& in_use) {
  std::vector<fs::path> there = numbered_in(place);
  std::erase_if(there, is_discarded);
  for (std::size_t i = 0; there.size() - i > kKept; ++i) {
    if (std::find(in_use.begin(), in_use.end(), there[i].string()) == in_use.end())
      discard_debug_folder(there[i]);
  }
  std::error_code ignored;  // the next one tries again
  for (const fs::path& folder : numbered_in(place))
    if (is_discarded(folder)) fs::remove_all(folder, ignored);
}

Result<void> write_debug_file(const std::string& path, const std::string& text) {
  ::unlink(path.c_str());
  const loop::UniqueFd file(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NONBLOCK | O_CLOEXEC, 0644));
  if (!file) return errno_error(errno, "cannot write " + path);
  if (::fchmod(file.get(), 0644) < 0) return errno_error(errno, "cannot set the mode of " + path);
  if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    return errno_error(errno, "cannot write " + path);
  return {};
}

}  // namespace poolwarden::cli
