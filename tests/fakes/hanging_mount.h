// A file system that never answers, as one on a server that is gone: whoever opens its directory
// waits until this is destroyed. By fuse(4), whose other end nobody reads.

#pragma once

#include <fcntl.h>
#include <sys/mount.h>

#include <string>

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
    end_.reset();
    if (is_there_) ::umount2(place_.c_str(), MNT_DETACH);
  }
  HangingMount(const HangingMount&) = delete;
  HangingMount& operator=(const HangingMount&) = delete;

  explicit operator bool() const { return is_there_; }

 private:
  std::string place_;
  loop::UniqueFd end_;
  bool is_there_ = false;
};

}  // namespace poolwarden::fakes
