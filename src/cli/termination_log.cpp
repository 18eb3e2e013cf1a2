#include "cli/termination_log.h"

#include <fcntl.h>
#include <unistd.h>

#include "loop/unique_fd.h"

namespace poolwarden::cli {

void write_termination_log(const std::string& text) {
  constexpr std::size_t kMost = 4096;  // what the kubelet reads
  const loop::UniqueFd file(
      ::open("/dev/termination-log", O_WRONLY | O_TRUNC | O_CLOEXEC | O_NONBLOCK));
  if (!file) return;
  const std::string_view kept = std::string_view(text).substr(0, kMost);
  [[maybe_unused]] const auto written = ::write(file.get(), kept.data(), kept.size());
}

}  // namespace poolwarden::cli
