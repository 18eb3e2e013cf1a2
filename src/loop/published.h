// The newest version of a value, handed from the thread that makes it to those that read it. What
// is read stays whole and unchanged for as long as it is held.

#pragma once

#include <memory>
#include <mutex>

namespace poolwarden::loop {

template <typename T>
class Published {
 public:
  void publish(std::shared_ptr<const T> value) {
    std::lock_guard lock(mutex_);
    value_ = std::move(value);
  }

  // Null before the first publish().
  std::shared_ptr<const T> read() const {
    std::lock_guard lock(mutex_);
    return value_;
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const T> value_;
};

}  // namespace poolwarden::loop
