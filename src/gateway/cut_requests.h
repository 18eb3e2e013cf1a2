// The requests of one worker that ended without their answer: kept for a while, and told when it
// turns out that the worker's end was why.

#pragma once

#include <deque>
#include <string_view>

#include "base/clock.h"
#include "gateway/tell.h"
#include "link/messages.h"

namespace poolwarden::gateway {

// "GET /path?query HTTP/1.1" of a request head, as it may be told.
link::RequestCutShort cut_request(worker::WorkerId id, std::string_view head, Duration age);

class CutRequests {
 public:
  static constexpr std::size_t kMost = 8;  // that are told
  // One that was cut so long before was cut by something else.
  static constexpr Duration kBefore = std::chrono::seconds(5);

  void note(link::RequestCutShort cut, TimePoint now, const Tell& tell);
  // Its worker has ended, or is given up: those that are kept are told, and what is to come.
  void release(TimePoint now, const Tell& tell);

 private:
  struct Noted {
    TimePoint at;
    link::RequestCutShort request;
  };
  void tell_one(const link::RequestCutShort& cut, const Tell& tell);

  std::deque<Noted> noted_;
  std::size_t told_ = 0;
  bool released_ = false;
};

}  // namespace poolwarden::gateway
