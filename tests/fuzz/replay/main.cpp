// Runs a fuzz target without libFuzzer: on each file of a folder, and on the beginnings of each. So
// every build shows that what was found once stays cured.

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr std::size_t kBeginnings = 16;

std::vector<std::uint8_t> bytes_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> text((std::istreambuf_iterator<char>(file)), {});
  return {text.begin(), text.end()};
}

}  // namespace

int main(int argc, char** argv) {
  std::error_code error;
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(argc > 1 ? argv[1] : "", error)) {
    std::printf("%s\n", entry.path().c_str());
    std::fflush(stdout);  // the last one is at fault
    const std::vector<std::uint8_t> bytes = bytes_of(entry.path());
    for (std::size_t part = 0; part <= kBeginnings; ++part)
      LLVMFuzzerTestOneInput(bytes.data(), bytes.size() * part / kBeginnings);
    ++files;
  }
  if (files == 0)
    std::fprintf(stderr, "replay: there is no file in the folder that it was given\n");
  return files == 0 ? 1 : 0;
}
