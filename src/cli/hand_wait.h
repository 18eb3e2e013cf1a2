// An order that waits for a hand: a process of ours, for what may have to wait for the kernel or
// for a disk, which the supervision thread must not.

#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"

namespace poolwarden::cli {

class HandWait {
 public:
  // `given_up` counts the hands that nobody waits for any longer, and that have not ended.
  explicit HandWait(boost::asio::io_context& io,
                    std::shared_ptr<int> given_up = std::make_shared<int>(0));

  // To be called when it has ended, with its complaint: empty when it has done what it was to do.
  // May be called when the order is gone.
  std::function<void(const std::string& complaint)> ended() const;

  // What ended() is called with; nothing when it is not until `end` or while somebody `goes_on`:
  // whoever asks ends the hand then.
  boost::asio::awaitable<std::optional<std::string>> complaint(TimePoint end,
                                                               std::function<bool()> goes_on);

 private:
  struct Outcome;
  std::shared_ptr<Outcome> outcome_;  // the process may outlast the order
};

}  // namespace poolwarden::cli
