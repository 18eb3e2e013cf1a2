#include "cli/termination_log.h"

#include <fcntl.h>
#include <unistd.h>

#include "loop/unique_fd.h"

namespace poolwarden::cli {
namespace {

constexpr std::size_t kMostLastWords = 4096;  // what the kubelet reads
constexpr std::size_t kKeptBeginning = 1500;

// Who it was and why stands at the beginning, what it wrote last at the end.
std::string fitting(const std::string& text) {
  if (text.size() <= kMostLastWords) return text;
  const std::string cut = "\n(cut)\n";
  return text.substr(0, kKeptBeginning) + cut +
         text.substr(text.size() - (kMostLastWords - kKeptBeginning - cut.size()));
}

}  // namespace

void write_termination_log(const std::string& text) {
  const loop::UniqueFd file(
      ::open("/dev/termination-log", O_WRONLY | O_TRUNC | O_CLOEXEC | O_NONBLOCK));
  if (!file) return;
  const std::string kept = fitting(text);
  [[maybe_unused]] const auto written = ::write(file.get(), kept.data(), kept.size());
}

}  // namespace poolwarden::cli
