// Programs, libraries and core files, which a worker's owner may have made of anything.

#include "fuzz/check.h"
#include "process/core_file.h"
#include "process/elf_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace poolwarden;
  const std::string_view file = fuzz::text_of(data, size);
  std::size_t asked_for = 0;
  const process::ReadAt read_at = [&](std::uint64_t offset, std::size_t most) {
    asked_for += most;
    return std::string(offset < file.size() ? file.substr(offset, most) : "");
  };
  if (const auto elf = process::read_elf(read_at))
    fuzz::check(!process::machine_name(elf->header).empty(), "any machine has a name");
  (void)process::read_core(read_at);
  fuzz::check(asked_for < (std::size_t{64} << 20), "no file makes us read without end");
  return 0;
}
