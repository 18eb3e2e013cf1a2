// What the kernel noted down in a core file (core(5)) about the signal that ended the process: the
// notes NT_SIGINFO, NT_PRSTATUS, NT_PRPSINFO, NT_FILE and NT_AUXV, and the map of its memory. None
// of its memory is read.

#pragma once

#include "base/result.h"
#include "diagnosis/evidence.h"
#include "process/elf_file.h"

namespace poolwarden::process {

struct CoreNotes {
  int signal = 0;
  int pid = 0;                   // of the process; 0: not known
  std::uint64_t whole_size = 0;  // bytes that the file has when nothing of it was cut off
  std::string program;           // what ran, as its memory map names it; empty: not known
  diagnosis::FaultSite fault;
};

// Errors: it is no core file, or was cut off before its notes.
Result<CoreNotes> read_core(const ReadAt& read_at);

// Whether an access to what is not there was the stack running out: right below a stack, with the
// stack pointer at that end of it.
bool is_below_stack(const std::vector<ElfSegment>& memory, std::uint64_t address,
                    std::uint64_t stack_pointer);

}  // namespace poolwarden::process
