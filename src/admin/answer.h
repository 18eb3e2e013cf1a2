// What the admin address answers to which path.

#pragma once

#include <string>
#include <string_view>

#include "admin/sources.h"

namespace poolwarden::admin {

struct Question {
  std::string_view method;
  std::string_view target;  // "/api/v1/events?pool=web"
  std::string_view accept;
};

struct Answer {
  unsigned status = 200;
  std::string content_type;
  std::string body;
  std::string note;  // sent as a header field; empty: none
};

// Never throws: what goes wrong inside is a 500.
Answer answer(const Question& question, const AdminSources& sources);

// Whether this asks for the events as they happen (text/event-stream).
bool asks_for_event_stream(const Question& question);

// The value of a field of the query, percent-decoded; empty when it is not there.
std::string query_field(std::string_view target, std::string_view name);

// Digits only; `otherwise` for anything else.
std::uint64_t number_or(const std::string& text, std::uint64_t otherwise);

}  // namespace poolwarden::admin
