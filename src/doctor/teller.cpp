#include "doctor/teller.h"

#include <unistd.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cerrno>

#include "doctor/report.h"

namespace poolwarden::doctor {
namespace {

namespace json = boost::json;

constexpr const char* kAt = "at";
constexpr const char* kChecks = "checks";
constexpr const char* kEnd = "end";

std::string string_in(const json::object& object, const char* key) {
  const json::value* value = object.if_contains(key);
  return value && value->is_string() ? std::string(value->get_string()) : "";
}

}  // namespace

void Teller::send(const json::object& line) const {
  const std::string text = json::serialize(line) + "\n";
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t count = ::write(fd_, text.data() + at, text.size() - at);
    if (count < 0 && errno != EINTR) return;  // nobody waits any more
    if (count > 0) at += static_cast<std::size_t>(count);
  }
}

void Teller::looking_at(const std::string& subject, const std::string& what,
                        const std::string& path) const {
  json::object line;
  line[kAt] = json::object{{"subject", subject}, {"what", what}, {"path", path}};
  send(line);
}

void Teller::tell(const Check& check) const { tell(Checks{check}); }

void Teller::tell(const Checks& checks) const {
  json::object line;
  line[kChecks] = to_json(checks);
  send(line);
}

void Teller::tell_end() const {
  json::object line;
  line[kEnd] = true;
  send(line);
}

void Heard::take(const std::string& line) {
  boost::system::error_code error;
  const json::value parsed = json::parse(line, error);
  if (error || !parsed.is_object()) return;
  const json::object& object = parsed.get_object();
  if (const auto* told = object.if_contains(kChecks); told && told->is_array())
    for (Check& check : checks_from_json(told->get_array())) checks.push_back(std::move(check));
  if (const auto* place = object.if_contains(kAt); place && place->is_object()) {
    const json::object& where = place->get_object();
    at = {string_in(where, "subject"), string_in(where, "what"), string_in(where, "path")};
  }
  has_ended |= object.contains(kEnd);
}

}  // namespace poolwarden::doctor
