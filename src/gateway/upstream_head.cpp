#include "gateway/upstream_head.h"

#include <charconv>

namespace poolwarden::gateway {
namespace {

void add_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

struct Forwarding {
  bool proto = false;
  bool host = false;
};

// What the client's own fields become. X-Forwarded-For is written later, with this hop at its end.
Forwarding pass_fields(const RequestHead& head, std::string& out) {
  Forwarding seen;
  for (const Field& field : head.fields) {
    switch (field.kind) {
      case FieldKind::HopByHop:
      case FieldKind::Host:
      case FieldKind::ContentLength:
      case FieldKind::ForwardedFor:
        continue;
      case FieldKind::ForwardedProto:
        seen.proto = true;
        break;
      case FieldKind::ForwardedHost:
        seen.host = true;
        break;
      case FieldKind::RequestId:
        break;
      case FieldKind::EndToEnd:
        if (head.connection.names(field.name)) continue;
        break;
    }
    add_field(out, field.name, field.value);
  }
  return seen;
}

void add_forwarded_for(const RequestHead& head, std::string_view client, std::string& out) {
  out.append("X-Forwarded-For: ");
  for (const Field& field : head.fields) {
    if (field.kind == FieldKind::ForwardedFor && !field.value.empty()) {
      out.append(field.value).append(", ");
    }
  }
  out.append(client).append("\r\n");
}

void add_framing(const RequestHead& head, std::string& out) {
  if (head.framing == Framing::Chunked) out.append("Transfer-Encoding: chunked\r\n");
  if (head.framing != Framing::Length) return;
  char digits[24];
  const char* end = std::to_chars(digits, digits + sizeof digits, head.length).ptr;
  add_field(out, "Content-Length", {digits, static_cast<std::size_t>(end - digits)});
}

}  // namespace

void write_upstream_head(const RequestHead& head, std::string_view client,
                         std::string_view request_id, std::string& out) {
  out.clear();
  out.append(head.method).append(" ").append(head.target).append(" HTTP/1.1\r\n");
  // HTTP/1.1 wants the field, HTTP/1.0 clients may leave it out.
  add_field(out, "Host", head.host.empty() ? "localhost" : head.host);
  const Forwarding seen = pass_fields(head, out);
  add_framing(head, out);
  add_forwarded_for(head, client, out);
  if (!seen.proto) add_field(out, "X-Forwarded-Proto", "http");
  if (!seen.host && !head.host.empty()) add_field(out, "X-Forwarded-Host", head.host);
  if (head.request_id.empty()) add_field(out, "X-Request-Id", request_id);
  if (!head.upgrade.empty()) {
    out.append("Connection: upgrade\r\n");
    add_field(out, "Upgrade", head.upgrade);
  }
  out.append("\r\n");
}

}  // namespace poolwarden::gateway
