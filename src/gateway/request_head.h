// The head of a client's request, read strictly (RFC 9112): what is ambiguous to anyone is
// rejected, for two readers of one message that disagree can be played against each other.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/body_reader.h"
#include "gateway/field.h"

namespace poolwarden::gateway {

// Views into the bytes that were parsed. Reused from request to request: it keeps its room.
struct RequestHead {
  std::string_view method;
  std::string_view target;          // in origin form, or "*"
  std::string_view path;            // of the target, before "?"
  std::string_view host;            // of the target, else of the Host field
  int minor_version = 1;            // HTTP/1.x
  Framing framing = Framing::None;  // None, Length or Chunked
  std::uint64_t length = 0;
  bool expects_continue = false;
  std::string_view upgrade;     // protocol asked for; empty: none that is passed on
  std::string_view request_id;  // the client's own; empty: none
  ConnectionOptions connection;
  Fields fields;
  std::string rewritten_target;  // holds `target` where it is not a part of what was sent

  bool wants_keep_alive() const {
    return minor_version == 1 ? !connection.close : connection.keep_alive && !connection.close;
  }
};

// `bytes`: one whole head, up to and with its empty line.
std::optional<HeadError> parse_request_head(std::string_view bytes, RequestHead& head);

}  // namespace poolwarden::gateway
