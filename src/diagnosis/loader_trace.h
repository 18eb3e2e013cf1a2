// Reads what glibc's loader writes with LD_DEBUG=libs,files (ld.so(8)) into LD_DEBUG_OUTPUT: what
// it looked for, for whom and where, and which object kept the program from running.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace poolwarden::diagnosis {

struct LibrarySearch {
  std::string library;             // "libfoo.so.1", or a path when the program asked for that
  std::string needed_by;           // "/srv/app/server"
  bool at_start = true;            // before the program's first instruction; else by dlopen(3)
  std::vector<std::string> tried;  // paths, in their order
  bool is_loaded = false;
};

// "server: error: symbol lookup error: undefined symbol: foo (fatal)"
struct LoaderError {
  std::string object;
  std::string text;
  bool is_fatal = false;  // else the program was told, and went on
};

// Of one process. The text may have been cut off at its beginning.
struct LoaderTrace {
  std::vector<LibrarySearch> searches;
  std::vector<LoaderError> errors;
  bool program_began = false;  // everything that it needs to start was loaded
};

LoaderTrace read_loader_trace(std::string_view text);

// What the loader failed at: at the start what it ended the program for, later what it could not
// load last, which the program may do without. Absent: nothing.
struct LoaderFailure {
  bool at_start = true;
  std::string object;              // that needs it
  std::string library;             // that was not loaded; empty when it is about a symbol
  std::vector<std::string> tried;  // of the library
  std::string error;               // in the loader's words; empty when only its output tells
};
std::optional<LoaderFailure> failure_of(const LoaderTrace& trace);

// One sentence: "libfoo.so.1, which /srv/app/server needs, was not found in any of 12 places".
std::string describe(const LoaderFailure& failure);

}  // namespace poolwarden::diagnosis
