// What an ELF file says of itself (elf(5)): a program, a library or a core file, of either class
// and byte order. Everything in it may be damaged or malicious: what does not add up is an error,
// and how much is read of it is bounded.

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace poolwarden::process {

// Up to `size` bytes from `offset` on; fewer at the end of the file.
using ReadAt = std::function<std::string(std::uint64_t offset, std::size_t size)>;

// Numbers among bytes, in the byte order of the file; 0 beyond the end.
class ElfNumbers {
 public:
  ElfNumbers(bool is_64, bool is_little_endian) : is_64_(is_64), is_little_(is_little_endian) {}

  std::uint64_t number(std::string_view bytes, std::size_t at, std::size_t size) const;
  // As wide as an address.
  std::uint64_t word(std::string_view bytes, std::size_t at) const {
    return number(bytes, at, word_size());
  }
  std::size_t word_size() const { return is_64_ ? 8 : 4; }
  bool is_64() const { return is_64_; }
  bool is_little_endian() const { return is_little_; }

 private:
  bool is_64_, is_little_;
};

struct ElfSegment {
  std::uint32_t type = 0, flags = 0;  // PT_LOAD…, PF_W…
  std::uint64_t offset = 0, address = 0, file_size = 0, memory_size = 0;
};

struct ElfHeader {
  ElfNumbers numbers{true, true};
  std::uint16_t type = 0, machine = 0;  // ET_DYN…, EM_X86_64…
  std::vector<ElfSegment> segments;
};

struct ElfFile {
  ElfHeader header;
  std::string interpreter;                  // empty: it needs none
  std::vector<std::string> needed;          // DT_NEEDED, in order
  std::vector<std::string> rpath, runpath;  // directories, as they are written: "$ORIGIN/lib"
};

Result<ElfHeader> read_elf_header(const ReadAt& read_at);
Result<ElfFile> read_elf(const ReadAt& read_at);

// Of the file; an error also when it is no ELF file.
Result<ElfFile> read_elf(const std::string& path);

// "x86_64", "aarch64", "i386"…; "machine 94" for one without a name here.
std::string machine_name(const ElfHeader& header);

// The directories of a search path; an empty one stands for the current directory.
std::vector<std::string> split_path(const std::string& path, const char* separators);

// Whether one can be loaded into a process of the other.
bool fit(const ElfHeader& one, const ElfHeader& other);

// Reads the file; null when it cannot be opened or is no regular file.
ReadAt file_reader(const std::string& path);

}  // namespace poolwarden::process
