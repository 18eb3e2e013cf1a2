// What the last output of a worker gives away of its end: the texts of loaders, shells, runtimes
// and C libraries. They are looked for only where the status of the end asks for them.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace poolwarden::diagnosis {

enum class ClueKind {
  MissingLibrary,   // the loader's: `subject` cannot be had, which `object` needs
  MissingSymbol,    // the loader's: `object` has no `subject`
  MissingVersion,   // the loader's: `object` is too old or too new, it lacks `subject`
  UnfitLibrary,     // the loader's: `subject` is of another architecture
  DamagedLibrary,   // the loader's: `subject` is no library, or only part of one
  CommandNotFound,  // a shell's or env's: `subject`
  NotExecutable,    // a shell's: `subject`
  MissingModule,    // a language's import or dlopen(): `subject`
  PortInUse,        // `subject` is the address, `port` its port
  IdentityRefused,  // it could not become another user: `subject` is what failed
  UnknownUser,
  OutOfMemory,        // an allocation within it failed
  UncaughtException,  // `subject` is the exception with its message
  Assertion,          // `subject` is the assertion's own line
  SmashedStack,
  DamagedHeap,
  BrokenOutput,  // nobody reads what it writes
  RefusedFork,   // it got no more process or thread
};

struct OutputClue {
  ClueKind kind{};
  std::string subject;
  std::string object;
  std::optional<std::uint16_t> port;
  // How much was written after it: lines that begin with a word or a bracket, so that stacks and
  // what is indented do not count. After many of them it may be long past.
  std::size_t lines_after = 0;
};

// Looks at the last 64 KiB of `output`, and at 1 KiB of each line. At most one clue of each kind:
// the last one. Any bytes will do; what is found is escaped and cut to 200 bytes, between
// characters.
std::vector<OutputClue> find_clues(std::string_view output);

const OutputClue* find_clue(const std::vector<OutputClue>& clues, ClueKind kind);

// The last line that is not empty, escaped and cut in the same way.
std::string last_line(std::string_view output);

}  // namespace poolwarden::diagnosis
