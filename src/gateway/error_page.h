// The answers that the gateway gives itself.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "dispatch/words.h"

namespace poolwarden::gateway {

struct ErrorPage {
  int status = 500;
  dispatch::Reason reason = dispatch::Reason::BadRequest;
  std::string_view sentence;
  std::optional<std::uint32_t> retry_after_seconds = {};
  std::string_view request_id = {};  // empty: none yet
  bool without_body = false;         // the request was HEAD
  bool close = false;
  bool keep_alive = false;  // said to HTTP/1.0 clients
};

std::string write_error_page(const ErrorPage& page);

// For people, one sentence.
std::string_view sentence_of(dispatch::Reason reason);

}  // namespace poolwarden::gateway
