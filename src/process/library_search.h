// Looks for the libraries of a program where the dynamic loader does (ld.so(8)), and names those
// that are not there or were made for another machine. It reads many small pieces of files, so not
// on the supervision thread.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "diagnosis/evidence.h"

namespace poolwarden::process {

struct LibrarySearch {
  std::string program;       // its path
  std::string library_path;  // LD_LIBRARY_PATH of its environment
  std::string directory;     // that it starts in, for what is relative; empty: ours
  // For all of them; empty: those of this system.
  std::vector<std::string> system_directories = {};
};

// What the loader would complain of, of the program and of all that it needs; at most 32. A program
// for another machine is a finding by itself: `needed` is empty then, and `found` is the program.
// Nothing of what is no ELF file.
std::vector<diagnosis::LoaderFinding> search_libraries(const LibrarySearch& search);

// /etc/ld.so.conf with all that it includes, and the directories that are always searched.
std::vector<std::string> system_library_directories();

// What the loader of glibc or musl wrote before it gave up; empty when this is not its text.
std::vector<diagnosis::LoaderFinding> read_loader_complaint(std::string_view output);

}  // namespace poolwarden::process
