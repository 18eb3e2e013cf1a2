// A file system that never answers, as one on a server that is gone: whoever opens its directory
// waits until this is destroyed. By fuse(4), whose other end is this.

#pragma once

#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <sys/mount.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

#include "loop/unique_fd.h"

namespace poolwarden::fakes {

class HangingMount {
 public:
  explicit HangingMount(std::string place) : place_(std::move(place)) {
    end_.reset(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
    const std::string options =
        "fd=" + std::to_string(end_.get()) + ",rootmode=40000,user_id=0,group_id=0";
    is_there_ = end_ && ::mount("hangs", place_.c_str(), "fuse", 0, options.c_str()) == 0;
  }
  ~HangingMount() {
    if (taker_.joinable()) taker_ = {};
    end_.reset();
    detach();
  }
  HangingMount(const HangingMount&) = delete;
  HangingMount& operator=(const HangingMount&) = delete;

  explicit operator bool() const { return is_there_; }

  // Its directory is what it was before; who waits goes on waiting.
  void detach() {
    if (is_there_) ::umount2(place_.c_str(), MNT_DETACH);
    is_there_ = false;
  }

  // From now on whoever waits cannot even be killed: what he wants was taken and may be under way.
  void take_requests() {
    taker_ = std::jthread([this](const std::stop_token& over) {
      std::vector<char> request(1 << 20);
      for (pollfd waiting{end_.get(), POLLIN, 0}; !over.stop_requested();) {
        if (::poll(&waiting, 1, 10) < 1) continue;
        const ssize_t size = ::read(end_.get(), request.data(), request.size());
        const auto* head = reinterpret_cast<const fuse_in_header*>(request.data());
        if (size > 0 && head->opcode == FUSE_INIT) begin(*head);
      }
    });
  }

 private:
  void begin(const fuse_in_header& asked) const {
    struct {
      fuse_out_header head;
      fuse_init_out init;
    } answer{};
    answer.head.len = sizeof answer;
    answer.head.unique = asked.unique;
    answer.init.major = FUSE_KERNEL_VERSION;
    answer.init.minor = FUSE_KERNEL_MINOR_VERSION;
    answer.init.max_write = 4096;
    (void)!::write(end_.get(), &answer, sizeof answer);
  }

  std::string place_;
  loop::UniqueFd end_;
  bool is_there_ = false;
  std::jthread taker_;
};

}  // namespace poolwarden::fakes
