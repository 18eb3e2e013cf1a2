#include "gateway/cut_requests.h"

#include <utility>

#include "base/clean_text.h"

namespace poolwarden::gateway {

link::RequestCutShort cut_request(worker::WorkerId id, std::string_view head, Duration age) {
  const std::string_view line = head.substr(0, head.find('\r'));
  const std::string_view method = line.substr(0, line.find(' '));
  std::string_view path = line.substr(std::min(method.size() + 1, line.size()));
  path = path.substr(0, path.find_first_of(" ?"));
  return {id, escaped(method.substr(0, link::kLongestMethod)),
          escaped(path.substr(0, link::kLongestPath)).substr(0, link::kLongestPath), age};
}

void CutRequests::note(link::RequestCutShort cut, TimePoint now, const Tell& tell) {
  if (released_) return tell_one(cut, tell);
  noted_.push_back({now, std::move(cut)});
  if (noted_.size() > kMost) noted_.pop_front();
}

void CutRequests::release(TimePoint now, const Tell& tell) {
  released_ = true;
  for (const Noted& noted : std::exchange(noted_, {}))
    if (now - noted.at <= kBefore) tell_one(noted.request, tell);
}

void CutRequests::tell_one(const link::RequestCutShort& cut, const Tell& tell) {
  if (told_ == kMost) return;
  ++told_;
  tell(cut);
}

}  // namespace poolwarden::gateway
