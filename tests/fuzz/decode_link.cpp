// Packets of the control link, in both directions: what is taken is written again, and read again
// as the same.

#include "fuzz/check.h"
#include "link/codec.h"

namespace poolwarden::fuzz {
namespace {

template <typename Message>
void decode(std::string_view packet, Result<Message> (*read)(std::string_view)) {
  const Result<Message> message = read(packet);
  if (!message) return check(!message.error().message.empty(), "an error says what is wrong");
  const std::string written = link::encode(*message);
  const Result<Message> again = read(written);
  check(again.has_value(), "what was written can be read");
  check(link::encode(*again) == written, "it is the same then");
}

}  // namespace
}  // namespace poolwarden::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace poolwarden;
  fuzz::decode(fuzz::text_of(data, size), link::decode_to_gateway);
  fuzz::decode(fuzz::text_of(data, size), link::decode_to_supervisor);
  return 0;
}
