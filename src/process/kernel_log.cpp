#include "process/kernel_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <string>

namespace poolwarden::process {
namespace {

constexpr std::size_t kLongestRecord = 8192;
constexpr int kMostRecords = 10'000;  // at once: the whole of a large buffer
constexpr std::size_t kMostKept = 256;
constexpr std::uint64_t kNear = 64 << 10;

template <typename Number>
std::optional<Number> number_after(std::string_view text, std::string_view word, int base) {
  const auto at = text.find(word);
  if (at == std::string_view::npos) return std::nullopt;
  text.remove_prefix(at + word.size());
  if (base == 16 && text.starts_with("0x")) text.remove_prefix(2);
  Number value = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return error == std::errc() ? std::optional(value) : std::nullopt;
}

std::optional<std::uint64_t> address_after(std::string_view text, std::string_view word) {
  return number_after<std::uint64_t>(text, word, 16);
}

// "name[4711]…", or "traps: name[4711] …". A name may hold anything: the last [ before `end`.
std::optional<pid_t> pid_before(std::string_view text, std::size_t end) {
  const auto open = text.substr(0, end).rfind('[');
  if (open == std::string_view::npos) return std::nullopt;
  return number_after<pid_t>(text.substr(open), "[", 10);
}

// "name[pid]: segfault at 10 ip 00005 sp 00007 error 6 in …"
std::optional<FaultLine> read_segfault(std::string_view text) {
  const auto word = text.find("]: segfault at ");
  if (word == std::string_view::npos) return std::nullopt;
  const auto pid = pid_before(text, word);
  const std::string_view rest = text.substr(word);
  const auto address = address_after(rest, " at ");
  const auto pointer = address_after(rest, " sp ");
  const auto error = address_after(rest, " error ");
  if (!pid || !address || !pointer) return std::nullopt;
  FaultLine line;
  line.pid = *pid;
  line.fault.address = *address;
  line.fault.stack_pointer = *pointer;
  line.fault.program_counter = address_after(rest, " ip ").value_or(0);
  // Where its stack pointer is, or below, there is no page (bit 0 of the error is clear): its stack
  // ends there. Above it, it may as well have overrun the stack's other end.
  const bool is_near = *address <= *pointer && *pointer - *address < kNear;
  line.fault.is_stack_exhausted = is_near && error && (*error & 1) == 0;
  return line;
}

// "traps: name[pid] general protection fault ip:5644 sp:7ffd error:0 in …". Nothing that a process
// calls itself, of 15 bytes, is to look like the end of its name.
std::optional<FaultLine> read_trap(std::string_view text) {
  const auto word = text.find("] ");
  if (!text.starts_with("traps: ") || word == std::string_view::npos) return std::nullopt;
  const auto pid = pid_before(text, word);
  const auto counter = address_after(text, " ip:");
  if (!pid || !counter) return std::nullopt;
  const std::string_view fault = text.substr(word, text.find(" ip:") - word);
  if (fault.find('[') != std::string_view::npos) return std::nullopt;
  FaultLine line;
  line.pid = *pid;
  if (fault.find("general protection") != std::string_view::npos) line.fault.si_code = SI_KERNEL;
  line.fault.program_counter = *counter;
  line.fault.stack_pointer = address_after(text, " sp:").value_or(0);
  return line;
}

// "audit: type=1326 audit(…): … pid=4711 comm="name" … sig=31 arch=c000003e syscall=41 …"; a name
// that could hold any of these words is written in hexadecimal digits.
std::optional<FaultLine> read_seccomp(std::string_view text) {
  if (!text.starts_with("audit: type=1326 ")) return std::nullopt;
  const auto pid = number_after<pid_t>(text, " pid=", 10);
  const auto call = number_after<int>(text, " syscall=", 10);
  if (!pid || !call || number_after<int>(text, " sig=", 10) != 31) return std::nullopt;
  FaultLine line;
  line.pid = *pid;
  line.fault.syscall_number = *call;
  line.fault.program_counter = address_after(text, " ip=").value_or(0);
  return line;
}

// The number of the first one, which the kernel never gives to another (PROC_PID_INIT_INO).
bool is_first_pid_namespace() {
  char link[64];
  const ssize_t size = ::readlink("/proc/self/ns/pid", link, sizeof link);
  return size > 0 && std::string_view(link, static_cast<std::size_t>(size)) == "pid:[4026531836]";
}

}  // namespace

std::optional<FaultLine> read_fault_line(std::string_view text) {
  text = text.substr(0, text.find('\n'));
  auto line = read_segfault(text);
  if (!line) line = read_trap(text);
  if (!line) line = read_seccomp(text);
  return line && line->pid > 0 ? line : std::nullopt;
}

KernelLog KernelLog::open() {
  KernelLog log;
  if (!is_first_pid_namespace()) return log;
  log.file_.reset(::open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (log.file_ && ::lseek(log.file_.get(), 0, SEEK_END) < 0) log.file_.reset();
  return log;
}

std::uint64_t KernelLog::end() {
  if (file_) read_new();
  return last_;
}

std::optional<diagnosis::FaultSite> KernelLog::take(pid_t pid, std::uint64_t after) {
  if (!file_) return std::nullopt;
  read_new();
  const auto found = found_.extract(pid);
  if (!found || found.mapped().record <= after) return std::nullopt;
  return found.mapped().fault;
}

// A record a read: "6,1234,5678,-;text", with its number in the second place.
void KernelLog::read_new() {
  char record[kLongestRecord];
  for (int count = 0; count < kMostRecords; ++count) {
    const ssize_t size = ::read(file_.get(), record, sizeof record);
    if (size < 0 && (errno == EPIPE || errno == EINTR)) continue;  // older ones were overwritten
    if (size <= 0) return;
    const std::string_view text(record, static_cast<std::size_t>(size));
    last_ = number_after<std::uint64_t>(text, ",", 10).value_or(last_);
    const auto line = read_fault_line(text.substr(std::min(text.find(';') + 1, text.size())));
    if (!line) continue;
    if (found_.size() >= kMostKept) found_.clear();  // others' processes crash all the time
    found_[line->pid] = {last_, line->fault};
  }
}

}  // namespace poolwarden::process
