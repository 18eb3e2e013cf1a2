#include "process/elf_file.h"

#include <elf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>

#include "loop/regular_file.h"

namespace poolwarden::process {
namespace {

constexpr std::size_t kMostDynamic = 4096;  // entries
constexpr std::size_t kLongestName = 4096;
constexpr std::size_t kMostNames = 1024;

struct Machine {
  std::uint16_t number;
  bool is_64;
  std::string_view name;  // as uname(1) says it
};

constexpr std::array kMachines = {
    Machine{EM_X86_64, true, "x86_64"},
    Machine{EM_X86_64, false, "x32"},
    Machine{EM_386, false, "i386"},
    Machine{EM_AARCH64, true, "aarch64"},
    Machine{EM_ARM, false, "arm"},
    Machine{EM_RISCV, true, "riscv64"},
    Machine{EM_RISCV, false, "riscv32"},
    Machine{EM_PPC64, true, "ppc64"},
    Machine{EM_PPC, false, "ppc"},
    Machine{EM_S390, true, "s390x"},
    Machine{EM_MIPS, true, "mips64"},
    Machine{EM_MIPS, false, "mips"},
    Machine{EM_LOONGARCH, true, "loongarch64"},
};

// Where the fields of the two classes lie.
struct Layout {
  std::size_t header, program_offset, program_size, program_count;
  std::size_t segment, flags, offset, address, file_size, memory_size;
};
constexpr Layout kLayout64{sizeof(Elf64_Ehdr),
                           offsetof(Elf64_Ehdr, e_phoff),
                           offsetof(Elf64_Ehdr, e_phentsize),
                           offsetof(Elf64_Ehdr, e_phnum),
                           sizeof(Elf64_Phdr),
                           offsetof(Elf64_Phdr, p_flags),
                           offsetof(Elf64_Phdr, p_offset),
                           offsetof(Elf64_Phdr, p_vaddr),
                           offsetof(Elf64_Phdr, p_filesz),
                           offsetof(Elf64_Phdr, p_memsz)};
constexpr Layout kLayout32{sizeof(Elf32_Ehdr),
                           offsetof(Elf32_Ehdr, e_phoff),
                           offsetof(Elf32_Ehdr, e_phentsize),
                           offsetof(Elf32_Ehdr, e_phnum),
                           sizeof(Elf32_Phdr),
                           offsetof(Elf32_Phdr, p_flags),
                           offsetof(Elf32_Phdr, p_offset),
                           offsetof(Elf32_Phdr, p_vaddr),
                           offsetof(Elf32_Phdr, p_filesz),
                           offsetof(Elf32_Phdr, p_memsz)};

std::vector<ElfSegment> read_segments(const ReadAt& read_at, const std::string& head,
                                      const ElfNumbers& numbers, const Layout& layout) {
  std::vector<ElfSegment> found;
  if (numbers.number(head, layout.program_size, 2) != layout.segment) return found;
  const std::size_t count = numbers.number(head, layout.program_count, 2);
  const std::string table =
      read_at(numbers.word(head, layout.program_offset), count * layout.segment);
  for (std::size_t at = 0; at + layout.segment <= table.size(); at += layout.segment) {
    const std::string_view entry(table.data() + at, layout.segment);
    ElfSegment segment;
    segment.type = static_cast<std::uint32_t>(numbers.number(entry, 0, 4));
    segment.flags = static_cast<std::uint32_t>(numbers.number(entry, layout.flags, 4));
    segment.offset = numbers.word(entry, layout.offset);
    segment.address = numbers.word(entry, layout.address);
    segment.file_size = numbers.word(entry, layout.file_size);
    segment.memory_size = numbers.word(entry, layout.memory_size);
    found.push_back(segment);
  }
  return found;
}

const ElfSegment* find_segment(const ElfHeader& header, std::uint32_t type) {
  const auto found = std::find_if(header.segments.begin(), header.segments.end(),
                                  [type](const ElfSegment& each) { return each.type == type; });
  return found == header.segments.end() ? nullptr : &*found;
}

// Where the byte of that address is in the file.
std::optional<std::uint64_t> offset_of(const ElfHeader& header, std::uint64_t address) {
  for (const ElfSegment& each : header.segments) {
    if (each.type != PT_LOAD || address < each.address) continue;
    if (address - each.address < each.file_size) return each.offset + (address - each.address);
  }
  return std::nullopt;
}

std::string text_at(const ReadAt& read_at, std::uint64_t offset) {
  const std::string text = read_at(offset, kLongestName);
  return text.substr(0, text.find('\0'));
}

void read_dynamic(const ReadAt& read_at, const ElfSegment& place, ElfFile& file) {
  const ElfNumbers& numbers = file.header.numbers;
  const std::size_t size = 2 * numbers.word_size();
  const std::string table =
      read_at(place.offset, std::min<std::uint64_t>(place.file_size, kMostDynamic * size));
  std::optional<std::uint64_t> strings;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> names;  // tag, offset into `strings`
  for (std::size_t at = 0; at + size <= table.size() && names.size() < kMostNames; at += size) {
    const std::uint64_t tag = numbers.word(table, at);
    const std::uint64_t value = numbers.word(table, at + numbers.word_size());
    if (tag == DT_NULL) break;
    if (tag == DT_STRTAB) strings = offset_of(file.header, value);
    if (tag == DT_NEEDED || tag == DT_RPATH || tag == DT_RUNPATH) names.emplace_back(tag, value);
  }
  if (!strings) return;
  for (const auto& [tag, offset] : names) {
    const std::string text = text_at(read_at, *strings + offset);
    if (tag == DT_NEEDED) file.needed.push_back(text);
    if (tag == DT_RPATH) file.rpath = split_path(text, ":");
    if (tag == DT_RUNPATH) file.runpath = split_path(text, ":");
  }
}

}  // namespace

std::vector<std::string> split_path(const std::string& path, const char* separators) {
  std::vector<std::string> found;
  for (std::size_t begin = 0; begin <= path.size() && !path.empty();) {
    const std::size_t end = std::min(path.find_first_of(separators, begin), path.size());
    found.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return found;
}

std::uint64_t ElfNumbers::number(std::string_view bytes, std::size_t at, std::size_t size) const {
  if (at > bytes.size() || bytes.size() - at < size) return 0;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const std::size_t byte = is_little_ ? size - 1 - i : i;
    value = value << 8 | static_cast<unsigned char>(bytes[at + byte]);
  }
  return value;
}

Result<ElfHeader> read_elf_header(const ReadAt& read_at) {
  const std::string head = read_at(0, sizeof(Elf64_Ehdr));
  if (!head.starts_with(ELFMAG) || head.size() < sizeof(Elf32_Ehdr))
    return failure("it is no ELF file");
  const bool is_64 = head[EI_CLASS] == ELFCLASS64;
  const bool is_little = head[EI_DATA] == ELFDATA2LSB;
  const bool has_class = is_64 || head[EI_CLASS] == ELFCLASS32;
  const bool has_order = is_little || head[EI_DATA] == ELFDATA2MSB;
  const Layout& layout = is_64 ? kLayout64 : kLayout32;
  if (!has_class || !has_order || head.size() < layout.header)
    return failure("its ELF header is damaged");
  ElfHeader header;
  header.numbers = ElfNumbers(is_64, is_little);
  header.type = static_cast<std::uint16_t>(header.numbers.number(head, 16, 2));
  header.machine = static_cast<std::uint16_t>(header.numbers.number(head, 18, 2));
  header.segments = read_segments(read_at, head, header.numbers, layout);
  return header;
}

Result<ElfFile> read_elf(const ReadAt& read_at) {
  auto header = read_elf_header(read_at);
  if (!header) return header.error();
  ElfFile file;
  file.header = std::move(*header);
  if (const ElfSegment* place = find_segment(file.header, PT_INTERP))
    file.interpreter = text_at(read_at, place->offset);
  if (const ElfSegment* place = find_segment(file.header, PT_DYNAMIC))
    read_dynamic(read_at, *place, file);
  return file;
}

Result<ElfFile> read_elf(const std::string& path) {
  const ReadAt reader = file_reader(path);
  if (!reader) return failure("cannot read " + path);
  auto file = read_elf(reader);
  if (!file) return file.error().because(path);
  return file;
}

ReadAt file_reader(const std::string& path) {
  auto opened = loop::open_regular_file(path);
  if (!opened) return nullptr;
  const auto file = std::make_shared<loop::UniqueFd>(std::move(*opened));
  struct stat status {};
  if (::fstat(file->get(), &status) < 0) return nullptr;
  return [file, end = static_cast<std::uint64_t>(status.st_size)](std::uint64_t offset,
                                                                  std::size_t size) {
    if (offset >= end) return std::string();
    std::string bytes(std::min<std::uint64_t>(size, end - offset), '\0');
    const ssize_t count =
        ::pread(file->get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    return bytes;
  };
}

std::string machine_name(const ElfHeader& header) {
  const auto found = std::find_if(kMachines.begin(), kMachines.end(), [&](const Machine& each) {
    return each.number == header.machine && each.is_64 == header.numbers.is_64();
  });
  return found == kMachines.end() ? "machine " + std::to_string(header.machine)
                                  : std::string(found->name);
}

bool fit(const ElfHeader& one, const ElfHeader& other) {
  return one.machine == other.machine && one.numbers.is_64() == other.numbers.is_64() &&
         one.numbers.is_little_endian() == other.numbers.is_little_endian();
}

}  // namespace poolwarden::process
