#include "cli/termination_log.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/cut_middle.h"
#include "loop/unique_fd.h"

namespace poolwarden::cli {
namespace {

constexpr std::size_t kMostLastWords = 4096;  // what the kubelet reads
constexpr std::size_t kKeptBeginning =
    1500;  // who it was, why, and what to do; the rest is its output

}  // namespace

void write_termination_log(const std::string& text) {
  const loop::UniqueFd file(
      ::open("/dev/termination-log", O_WRONLY | O_TRUNC | O_CLOEXEC | O_NONBLOCK));
  if (!file) return;
  const std::string kept = without_middle(text, kMostLastWords, kKeptBeginning);
  [[maybe_unused]] const auto written = ::write(file.get(), kept.data(), kept.size());
}

}  // namespace poolwarden::cli
