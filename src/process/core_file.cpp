#include "process/core_file.h"

#include <elf.h>

#include <algorithm>
#include <csignal>
#include <optional>

namespace poolwarden::process {
namespace {

constexpr std::size_t kMostNotes = 1 << 20;  // bytes; those about the signal come first
constexpr std::uint32_t kSignalInformation = 0x53494749;  // NT_SIGINFO

// How far a function may reach below what is mapped: the kernel keeps 256 pages below a stack free,
// and lets a frame be larger than that.
constexpr std::uint64_t kGap = 4 << 20;
constexpr std::uint64_t kNearStack = 64 << 10;

struct Note {
  std::uint32_t type = 0;
  std::string_view data;
};

// "Name size, data size, type, name, data", each part filled up to four bytes.
std::vector<Note> split_notes(std::string_view bytes, const ElfNumbers& numbers) {
  constexpr std::size_t kHead = 12;
  const auto filled = [](std::size_t size) { return (size + 3) & ~std::size_t{3}; };
  std::vector<Note> found;
  while (bytes.size() >= kHead) {
    const std::size_t name_size = filled(numbers.number(bytes, 0, 4));
    const std::size_t size = numbers.number(bytes, 4, 4);
    if (name_size > bytes.size() || kHead + name_size > bytes.size()) break;
    if (size > bytes.size() - kHead - name_size) break;
    const auto type = static_cast<std::uint32_t>(numbers.number(bytes, 8, 4));
    found.push_back({type, bytes.substr(kHead + name_size, size)});
    bytes.remove_prefix(std::min(bytes.size(), kHead + name_size + filled(size)));
  }
  return found;
}

std::optional<std::string_view> find_note(const std::vector<Note>& notes, std::uint32_t type) {
  const auto found = std::find_if(notes.begin(), notes.end(),
                                  [type](const Note& note) { return note.type == type; });
  return found == notes.end() ? std::nullopt : std::optional(found->data);
}

// siginfo_t: three ints, then, where an address is aligned, what the signal brings.
void read_signal(std::string_view data, const ElfNumbers& numbers, CoreNotes& notes) {
  const auto whole = [&](std::size_t at) { return static_cast<int>(numbers.number(data, at, 4)); };
  const std::size_t details = numbers.is_64() ? 16 : 12;
  notes.signal = whole(0);
  const int code = whole(8);
  notes.fault.si_code = code;
  if (code == SI_KERNEL) return;  // a general protection fault: nothing more is told
  if (code <= 0) {                // SI_USER, SI_TKILL, SI_QUEUE…
    const bool is_its_own = code == SI_TIMER || code == SI_SIGIO;  // these have no pid
    if (!is_its_own) notes.fault.sender_pid = whole(details);
  } else if (notes.signal == SIGSYS) {
    notes.fault.address = numbers.word(data, details);
    notes.fault.syscall_number = whole(details + numbers.word_size());
  } else {
    notes.fault.address = numbers.word(data, details);
  }
}

// struct elf_prstatus: 112 bytes, then the registers in the order of struct user_regs_struct.
void read_registers(std::string_view data, const ElfHeader& header, CoreNotes& notes) {
  constexpr std::size_t kRegisters = 112;
  const auto at = [&](std::size_t index) {
    return header.numbers.word(data, kRegisters + 8 * index);
  };
  if (!header.numbers.is_64()) return;
  if (header.machine == EM_X86_64) {
    notes.fault.program_counter = at(16);
    notes.fault.stack_pointer = at(19);
  } else if (header.machine == EM_AARCH64) {
    notes.fault.stack_pointer = at(31);
    notes.fault.program_counter = at(32);
  }
}

// struct elf_prpsinfo: four bytes, a word of flags, user and group, and the pid. The width of user
// and group differs between the 32-bit architectures.
int pid_in(std::string_view data, const ElfNumbers& numbers) {
  return numbers.is_64() ? static_cast<int>(numbers.number(data, 24, 4)) : 0;
}

// NT_AUXV: pairs of a kind and a value.
std::uint64_t entry_point(std::string_view data, const ElfNumbers& numbers) {
  const std::size_t size = numbers.word_size();
  for (std::size_t at = 0; at + 2 * size <= data.size(); at += 2 * size)
    if (numbers.word(data, at) == AT_ENTRY) return numbers.word(data, at + size);
  return 0;
}

// NT_FILE: how many, the size of a page, begin, end and place of each mapping, then their names.
std::string file_at(std::string_view data, const ElfNumbers& numbers, std::uint64_t address) {
  const std::size_t size = numbers.word_size();
  const std::uint64_t count = numbers.word(data, 0);
  if (count > data.size() / (3 * size)) return "";
  std::size_t name = 2 * size + static_cast<std::size_t>(count) * 3 * size;
  for (std::size_t at = 2 * size, i = 0; i < count && name < data.size(); ++i, at += 3 * size) {
    const std::string_view text = data.substr(name, data.find('\0', name) - name);
    if (numbers.word(data, at) <= address && address < numbers.word(data, at + size))
      return std::string(text);
    name += text.size() + 1;
  }
  return "";
}

std::uint64_t end_of(const ElfSegment& segment) { return segment.address + segment.memory_size; }

}  // namespace

bool is_below_stack(const std::vector<ElfSegment>& memory, std::uint64_t address,
                    std::uint64_t stack_pointer) {
  const ElfSegment* above = nullptr;
  for (const ElfSegment& each : memory) {
    const bool is_usable = each.type == PT_LOAD && (each.flags & PF_W) != 0;
    if (!is_usable || end_of(each) <= address) continue;
    if (each.address <= address) return false;  // it may be written to
    if (!above || each.address < above->address) above = &each;
  }
  if (!above || above->address - address > kGap) return false;
  const std::uint64_t lowest = above->address > kGap ? above->address - kGap : 0;
  return stack_pointer >= lowest && stack_pointer < above->address + kNearStack;
}

Result<CoreNotes> read_core(const ReadAt& read_at) {
  auto header = read_elf_header(read_at);
  if (!header) return header.error();
  if (header->type != ET_CORE) return failure("it is no core file");
  const auto place = std::find_if(header->segments.begin(), header->segments.end(),
                                  [](const ElfSegment& each) { return each.type == PT_NOTE; });
  if (place == header->segments.end()) return failure("it has no notes");
  const std::string bytes =
      read_at(place->offset, std::min<std::uint64_t>(place->file_size, kMostNotes));
  const std::vector<Note> all = split_notes(bytes, header->numbers);
  CoreNotes notes;
  if (const auto data = find_note(all, kSignalInformation))
    read_signal(*data, header->numbers, notes);
  // The first is of the thread that met the signal.
  if (const auto data = find_note(all, NT_PRSTATUS)) read_registers(*data, *header, notes);
  if (notes.signal == 0) return failure("it has no note about a signal");
  for (const ElfSegment& each : header->segments)
    notes.whole_size = std::max(notes.whole_size, each.offset + each.file_size);
  if (const auto data = find_note(all, NT_PRPSINFO)) notes.pid = pid_in(*data, header->numbers);
  const auto files = find_note(all, NT_FILE);
  const auto auxiliary = find_note(all, NT_AUXV);
  if (files && auxiliary)
    notes.program = file_at(*files, header->numbers, entry_point(*auxiliary, header->numbers));
  notes.fault.is_stack_exhausted =
      notes.signal == SIGSEGV && notes.fault.si_code > 0 && notes.fault.address &&
      is_below_stack(header->segments, *notes.fault.address, notes.fault.stack_pointer);
  return notes;
}

}  // namespace poolwarden::process
