// Who wants to hear of each new thing. Callbacks run on the telling thread, one at a time, and must
// not wait for anything.

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

namespace poolwarden::journal {

// Ends what it stands for when it is destroyed; no callback runs after that.
class Subscription {
 public:
  Subscription() = default;
  explicit Subscription(std::function<void()> cancel) : cancel_(std::move(cancel)) {}
  Subscription(Subscription&& other) noexcept : cancel_(std::exchange(other.cancel_, nullptr)) {}
  Subscription& operator=(Subscription&& other) noexcept {
    cancel();
    cancel_ = std::exchange(other.cancel_, nullptr);
    return *this;
  }
  ~Subscription() { cancel(); }

 private:
  void cancel() {
    if (auto end = std::exchange(cancel_, nullptr)) end();
  }
  std::function<void()> cancel_;
};

template <typename Told>
class Followers {
 public:
  using Callback = std::function<void(const Told&)>;

  Subscription follow(Callback callback) {
    std::lock_guard lock(state_->mutex);
    const std::uint64_t key = ++state_->last_key;
    state_->callbacks[key] = std::make_shared<Callback>(std::move(callback));
    return Subscription([state = std::weak_ptr<State>(state_), key] {
      if (const auto alive = state.lock()) {
        std::lock_guard cancel_lock(alive->mutex);
        alive->callbacks.erase(key);
      }
    });
  }

  void tell(const Told& told) {
    const std::shared_ptr<State> state = state_;
    std::lock_guard lock(state->mutex);
    const auto callbacks = state->callbacks;  // a callback may end its own or another subscription
    for (const auto& [key, callback] : callbacks) {
      if (state->callbacks.contains(key)) (*callback)(told);
    }
  }

 private:
  struct State {
    std::recursive_mutex mutex;  // held while callbacks run, so that cancelling waits for them
    std::uint64_t last_key = 0;
    std::map<std::uint64_t, std::shared_ptr<Callback>> callbacks;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace poolwarden::journal
