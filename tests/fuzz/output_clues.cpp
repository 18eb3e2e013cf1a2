// The last output of a worker, and how it ended: any of them has a diagnosis, in words that fit on
// a screen.

#include "diagnosis/output_clues.h"

#include <csignal>

#include "diagnosis/diagnosis.h"
#include "fuzz/check.h"

namespace poolwarden::fuzz {
namespace {

diagnosis::ExitStatus status_of(std::uint8_t first, std::uint8_t second) {
  if (first % 4 == 0) return diagnosis::Signaled{1 + second % 64, (first & 4) != 0};
  if (first % 4 == 1)
    return diagnosis::NotStarted{static_cast<diagnosis::SpawnStage>(first / 4 % 8), second, "x"};
  return diagnosis::Exited{second};
}

void look_for_clues(std::string_view output) {
  constexpr std::size_t kMost = 200;
  for (const diagnosis::OutputClue& clue : diagnosis::find_clues(output)) {
    check(clue.subject.size() <= kMost + 3, "a subject is cut");
    check(clue.object.size() <= kMost + 3, "an object is cut");
  }
  check(diagnosis::last_line(output).size() <= kMost + 3, "the last line is cut");
}

}  // namespace
}  // namespace poolwarden::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace poolwarden;
  if (size < 3) return 0;
  const std::string_view output = fuzz::text_of(data + 3, size - 3);
  fuzz::look_for_clues(output);
  diagnosis::Evidence evidence;
  evidence.status = fuzz::status_of(data[0], data[1]);
  evidence.last_output = output;
  diagnosis::Circumstances circumstances;
  circumstances.intent = static_cast<diagnosis::Intent>(data[2] % 11);
  circumstances.was_ready = (data[2] & 16) != 0;
  circumstances.kill_sent = (data[2] & 32) != 0;
  const diagnosis::Diagnosis told = diagnosis::diagnose(evidence, circumstances);
  fuzz::check(!told.sentence.empty() && told.sentence.size() < 2000, "it has a sentence");
  fuzz::check(told.next_step.size() < 2000, "a next step is short");
  return 0;
}
