// The head of a worker's response: read, and written anew for the client.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/body_reader.h"
#include "gateway/field.h"

namespace poolwarden::gateway {

// Views into the bytes that were parsed.
struct ResponseHead {
  int status = 0;
  std::string_view reason;
  int minor_version = 1;
  Framing framing = Framing::UntilEof;  // as the fields say; a HEAD request changes that
  std::optional<std::uint64_t> length;
  std::string_view upgrade;
  bool has_request_id = false;
  ConnectionOptions connection;
  Fields fields;

  bool is_interim() const { return status < 200; }
  bool keeps_alive() const {
    return minor_version == 1 ? !connection.close : connection.keep_alive && !connection.close;
  }
};

// `bytes`: one whole head. An error's sentence says what is wrong with it.
std::optional<HeadError> parse_response_head(std::string_view bytes, ResponseHead& head);

// Where the body of this response ends, for a request that was HEAD or not.
Framing body_framing(const ResponseHead& head, bool request_was_head);

// What the client is told beside the worker's own fields.
struct ClientHead {
  bool chunked = false;              // the body is sent in chunks
  bool close = false;                // Connection: close
  bool keep_alive = false;           // Connection: keep-alive, for HTTP/1.0
  std::string_view request_id = {};  // unless the worker said it
};
void write_client_head(const ResponseHead& head, const ClientHead& client, std::string& out);

}  // namespace poolwarden::gateway
