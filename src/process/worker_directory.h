// A worker's own directory, <runtime>/w/<id>: its sockets, reachable for its user and the gateway's
// group, closed to all others. Removed with everything in it when the worker is gone.

#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/result.h"
#include "loop/unique_fd.h"
#include "worker/worker_state.h"

namespace poolwarden::process {

class WorkerDirectory {
 public:
  struct Owner {
    uid_t uid = 0;
    std::optional<gid_t> group;  // the gateway's
  };

  // The place for all of them; what a former supervisor left in it is removed.
  static Result<void> prepare(const std::string& runtime_directory);

  // `listens`: binds the worker's socket for it, for ConnectMode::Inherit.
  static Result<WorkerDirectory> make(const std::string& runtime_directory, worker::WorkerId id,
                                      const Owner& owner, bool listens);

  ~WorkerDirectory();
  WorkerDirectory(WorkerDirectory&& other) noexcept
      : path_(std::exchange(other.path_, {})),
        owner_(other.owner_),
        notify_(std::move(other.notify_)),
        listener_(std::move(other.listener_)) {}
  WorkerDirectory& operator=(WorkerDirectory&&) = delete;

  std::string socket() const { return path_ + "/http"; }
  std::string notify_socket() const { return path_ + "/notify"; }
  int listener() const { return listener_.get(); }
  loop::UniqueFd take_notify() { return std::move(notify_); }
  void close_listener() { listener_.reset(); }

  // Lets the gateway connect to the socket that the worker has made, whatever its umask was. The
  // worker may have put anything there: only a socket of its own is touched, no link is followed.
  Result<void> open_socket() const;

 private:
  WorkerDirectory(std::string path, Owner owner) : path_(std::move(path)), owner_(owner) {}
  Result<void> fill(bool listens);
  Result<void> hand_over(const std::string& path, mode_t mode) const;

  std::string path_;  // empty when moved from
  Owner owner_;
  loop::UniqueFd notify_, listener_;
};

}  // namespace poolwarden::process
