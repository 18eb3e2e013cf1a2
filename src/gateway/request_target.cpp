#include "gateway/request_target.h"

#include <algorithm>

namespace poolwarden::gateway {
namespace {

bool is_host_character(char c) {
  const bool alphanumeric =
      (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return alphanumeric || std::string_view("-._~%!$&'()*+,;=:[]").find(c) != std::string_view::npos;
}

std::string_view without_scheme(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (target.size() >= scheme.size() &&
        equal_ignoring_case(target.substr(0, scheme.size()), scheme)) {
      return target.substr(scheme.size());
    }
  }
  return {};
}

bool resolve_absolute(RequestHead& head) {
  const std::string_view rest = without_scheme(head.target);
  const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
  if (end == 0) return false;
  head.host = rest.substr(0, end);
  head.target = rest.substr(end);
  if (!head.target.starts_with('/')) {
    head.rewritten_target.assign("/").append(head.target);
    head.target = head.rewritten_target;
  }
  return true;
}

}  // namespace

bool resolve_target(RequestHead& head) {
  const bool asks_of_the_whole = head.target == "*" && head.method == "OPTIONS";
  if (!asks_of_the_whole && !head.target.starts_with('/') && !resolve_absolute(head)) return false;
  if (head.target.find('#') != std::string_view::npos) return false;
  head.path = head.target.substr(0, head.target.find('?'));
  return true;
}

bool is_host(std::string_view text) {
  return std::all_of(text.begin(), text.end(), is_host_character);
}

}  // namespace poolwarden::gateway
