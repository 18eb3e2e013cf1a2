// Certificates as they are kept on the disk, where anything may have happened to them: what is
// taken is written again, and read again as the same.

#include "journal/certificate_json.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "fuzz/check.h"

namespace poolwarden::fuzz {
namespace {

namespace json = boost::json;

std::string written(const diagnosis::Certificate& certificate) {
  return json::serialize(journal::as_json(certificate));
}

void read(const json::object& object) {
  const auto certificate = journal::certificate_from(object);
  if (!certificate) return;
  const std::string once = written(*certificate);
  const auto again = journal::certificate_from(json::parse(once).as_object());
  check(again.has_value(), "what was written can be read");
  check(written(*again) == once, "it is the same then");
}

}  // namespace
}  // namespace poolwarden::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace poolwarden;
  boost::json::error_code error;
  const std::string_view text = fuzz::text_of(data, size);
  const auto value = boost::json::parse({text.data(), text.size()}, error);
  if (!error && value.is_object()) fuzz::read(value.get_object());
  return 0;
}
