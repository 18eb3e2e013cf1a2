// Texts that are read after a worker's end: of the kernel's log, of the loader's and of strace's
// traces, and of the process that looks at cores.

#include "diagnosis/loader_trace.h"
#include "diagnosis/system_call_trace.h"
#include "fuzz/check.h"
#include "process/kernel_log.h"
#include "process/post_mortem_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace poolwarden;
  constexpr std::size_t kMost = 5;
  const std::string_view text = fuzz::text_of(data, size);
  if (const auto failure = diagnosis::failure_of(diagnosis::read_loader_trace(text)))
    fuzz::check(!diagnosis::describe(*failure).empty(), "a failure has a sentence");
  const auto calls = diagnosis::read_system_call_trace(text, kMost);
  fuzz::check(calls.failed.size() <= kMost && calls.signals.size() <= kMost, "the last ones");
  if (const auto line = process::read_fault_line(text))
    fuzz::check(line->pid > 0, "a fault is of a process");
  const std::string once = process::post_mortem_text(process::read_post_mortem(text));
  const std::string twice = process::post_mortem_text(process::read_post_mortem(once));
  fuzz::check(once == twice, "what was written is read as the same");
  return 0;
}
