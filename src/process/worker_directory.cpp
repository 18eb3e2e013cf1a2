#include "process/worker_directory.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

namespace poolwarden::process {
namespace {

namespace fs = std::filesystem;

constexpr int kBacklog = 4096;  // the kernel cuts it to net.core.somaxconn

std::string place(const std::string& runtime_directory) { return runtime_directory + "/w"; }

// 0711: who knows a path may walk through, nobody may list.
Result<void> make_passage(const std::string& path) {
  if (::mkdir(path.c_str(), 0711) < 0 && errno != EEXIST)
    return errno_error(errno, "cannot create " + path);
  if (::chmod(path.c_str(), 0711) < 0) return errno_error(errno, "cannot set the mode of " + path);
  return {};
}

Result<loop::UniqueFd> bind_socket(const std::string& path, int type) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return errno_error(ENAMETOOLONG, "cannot bind " + path + " (sockets have 107 bytes at most)");
  std::copy(path.begin(), path.end(), address.sun_path);
  loop::UniqueFd socket(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  if (!socket) return errno_error(errno, "cannot make a socket");
  if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) < 0)
    return errno_error(errno, "cannot bind " + path);
  return socket;
}

}  // namespace

Result<void> WorkerDirectory::prepare(const std::string& runtime_directory) {
  std::error_code error;
  fs::create_directories(runtime_directory, error);
  if (error) return Error{error, "cannot create " + runtime_directory + ": " + error.message()};
  fs::remove_all(place(runtime_directory), error);
  if (error)
    return Error{error, "cannot clear " + place(runtime_directory) + ": " + error.message()};
  return make_passage(place(runtime_directory));
}

Result<WorkerDirectory> WorkerDirectory::make(const std::string& runtime_directory,
                                              worker::WorkerId id, const Owner& owner,
                                              bool listens) {
  const std::string path = place(runtime_directory) + "/" + std::to_string(worker::number(id));
  if (::mkdir(path.c_str(), 0700) < 0) return errno_error(errno, "cannot create " + path);
  WorkerDirectory directory(path, owner);
  if (auto filled = directory.fill(listens); !filled) return filled.error();
  return directory;
}

// All is bound while the directory is still ours alone: the worker cannot have put anything there.
Result<void> WorkerDirectory::fill(bool listens) {
  if (socket().size() >= sizeof(sockaddr_un::sun_path))
    return errno_error(ENAMETOOLONG,
                       "cannot use " + socket() + " (sockets have 107 bytes at most)");
  auto notify = bind_socket(notify_socket(), SOCK_DGRAM | SOCK_NONBLOCK);
  if (!notify) return notify.error();
  notify_ = std::move(*notify);
  if (auto handed = hand_over(notify_socket(), 0600); !handed) return handed;
  if (listens) {
    auto listener = bind_socket(socket(), SOCK_STREAM);
    if (!listener) return listener.error();
    if (::listen(listener->get(), kBacklog) < 0)
      return errno_error(errno, "cannot listen on " + socket());
    listener_ = std::move(*listener);
    if (auto handed = hand_over(socket(), 0660); !handed) return handed;
  }
  return hand_over(path_, 0750);
}

Result<void> WorkerDirectory::hand_over(const std::string& path, mode_t mode) const {
  if (::geteuid() == 0) {
    const gid_t group = owner_.group.value_or(static_cast<gid_t>(-1));
    if (::lchown(path.c_str(), owner_.uid, group) < 0)
      return errno_error(errno, "cannot give away " + path);
  }
  // After chown(2), which may clear bits.
  if (::chmod(path.c_str(), mode) < 0) return errno_error(errno, "cannot set the mode of " + path);
  return {};
}

WorkerDirectory::~WorkerDirectory() {
  if (path_.empty()) return;
  std::error_code ignored;  // what is left is removed at the next start
  fs::remove_all(path_, ignored);
}

Result<void> WorkerDirectory::open_socket() const {
  const loop::UniqueFd file(::open(socket().c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!file) return errno_error(errno, "cannot open " + socket());
  struct stat status {};
  if (::fstat(file.get(), &status) < 0) return errno_error(errno, "cannot look at " + socket());
  if (!S_ISSOCK(status.st_mode)) return failure("cannot use " + socket() + ": it is no socket");
  if (status.st_uid != owner_.uid && status.st_uid != ::geteuid())
    return failure("cannot use " + socket() + ": it is not the worker's own");
  if ((status.st_mode & 0666) == 0666) return {};
  const std::string through = "/proc/self/fd/" + std::to_string(file.get());
  if (::chmod(through.c_str(), 0666) < 0)
    return errno_error(errno, "cannot set the mode of " + socket());
  return {};
}

}  // namespace poolwarden::process
