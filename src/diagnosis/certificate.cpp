#include "diagnosis/certificate.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/clean_text.h"
#include "base/units.h"

namespace poolwarden::diagnosis {
namespace {

constexpr std::size_t kMostEntries = 32;  // of each list
constexpr std::size_t kMostOfStack = 16;
constexpr std::size_t kMostShownOutput = 16 * 1024;

// "2026-11-22 10:11:12 UTC"
std::string utc(WallTime time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto day = std::chrono::floor<std::chrono::days>(seconds);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(seconds - day);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02u %02ld:%02ld:%02ld UTC",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<long>(clock.hours().count()),
                static_cast<long>(clock.minutes().count()),
                static_cast<long>(clock.seconds().count()));
  return text.data();
}

class Lines {
 public:
  void line(const std::string& title, const std::string& words) {
    if (!words.empty()) text_ += title + ": " + escaped(words) + "\n";
  }

  // A title, and an indented line for each of the entries, of which the first ones are shown.
  template <typename Entries, typename Words>
  void list(const std::string& title, const Entries& entries, Words words) {
    if (entries.empty()) return;
    text_ += title + ":\n";
    const std::size_t shown = std::min(entries.size(), kMostEntries);
    for (std::size_t i = 0; i < shown; ++i) text_ += "  " + words(entries[i]) + "\n";
    if (shown < entries.size())
      text_ += "  and " + std::to_string(entries.size() - shown) + " more\n";
  }

  void add(const std::string& words) { text_ += words; }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

std::string first_line(const Certificate& certificate) {
  std::string text = "pool " + certificate.pool + ", worker " + std::to_string(certificate.slot) +
                     ", generation " + std::to_string(certificate.generation);
  if (certificate.pid != 0) text += ", pid " + std::to_string(certificate.pid);
  return text + ": " + escaped(certificate.diagnosis.sentence) + "\n";
}

std::string number(std::uint64_t count) { return count == 0 ? "" : std::to_string(count); }

std::string intent_of(const Certificate& certificate) {
  if (certificate.intent == Intent::None) return "";
  const std::string& reason = certificate.recycle_reason;
  return std::string(name(certificate.intent)) + (reason.empty() ? "" : " (" + reason + ")");
}

void add_verdict(const Certificate& certificate, Lines& text) {
  const Diagnosis& diagnosis = certificate.diagnosis;
  text.line("certificate", number(certificate.number));
  text.line("diagnosis", std::string(name(diagnosis.cause)));
  if (diagnosis.detail != Detail::None) text.line("detail", std::string(name(diagnosis.detail)));
  text.line("status", describe(certificate.evidence.status));
  if (diagnosis.sender != Sender::Unknown)
    text.line("sent by", std::string(name(diagnosis.sender)));
  text.line("intent", intent_of(certificate));
  text.line("ran under", certificate.debug_tool);
  if (certificate.ended != WallTime{}) text.line("ended", utc(certificate.ended));
  text.line("uptime", describe_duration(certificate.uptime) +
                          (certificate.was_ready ? "" : ", was never ready"));
}

std::string oom_words(const MemoryTrouble& memory) {
  if (memory.oom_kills == 0) return "";
  std::string words = std::to_string(memory.oom_kills);
  if (memory.scope == OomScope::OwnLimit) words += ", at its own limit";
  if (memory.scope == OomScope::Container) words += ", for want of memory around it";
  if (memory.group_kills > 0) words += ", of its whole cgroup";
  if (memory.recent_oom_kills == 0) words += ", none of them shortly before its end";
  return words;
}

void add_use(const Evidence& evidence, Lines& text) {
  if (evidence.memory_peak != 0) text.line("memory peak", format_bytes(evidence.memory_peak));
  text.line("OOM kills", oom_words(evidence.memory));
  text.line("times at its memory limit", number(evidence.memory.own_limit_hits));
  text.line("refused by limits.pids", number(evidence.pids_limit_hits));
  if (evidence.cpu_user + evidence.cpu_system != Duration::zero()) {
    text.line("CPU time", describe_duration(evidence.cpu_user) + " user, " +
                              describe_duration(evidence.cpu_system) + " system");
  }
  text.line("requests served", number(evidence.requests_served));
  text.list("requests cut short", evidence.cut_requests, [](const CutRequest& it) {
    return escaped(it.method) + " " + escaped(it.path) + ", for " + describe_duration(it.age);
  });
}

std::string hexadecimal(std::uint64_t address) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "0x%llx", static_cast<unsigned long long>(address));
  return text.data();
}

std::string fault_words(const FaultSite& fault) {
  std::string words;
  const auto add = [&words](const char* name, const std::string& value) {
    words += (words.empty() ? "" : ", ") + std::string(name) + " " + value;
  };
  if (fault.si_code) add("si_code", std::to_string(*fault.si_code));
  if (fault.address) add("address", hexadecimal(*fault.address));
  if (fault.stack_pointer != 0) add("stack pointer", hexadecimal(fault.stack_pointer));
  if (fault.program_counter != 0) add("program counter", hexadecimal(fault.program_counter));
  if (fault.sender_pid) add("sent by process", std::to_string(*fault.sender_pid));
  if (fault.syscall_number) add("system call", std::to_string(*fault.syscall_number));
  if (!fault.syscall_name.empty()) words += " (" + fault.syscall_name + ")";
  return words;
}

std::string core_words(const CoreFile& core) {
  if (core.path.empty()) return core.why_none.empty() ? "" : "none: " + core.why_none;
  return core.path + (core.bytes == 0 ? "" : ", " + format_bytes(core.bytes)) +
         (core.why_none.empty() ? "" : ", " + core.why_none);
}

std::string thread_words(const ThreadState& thread) {
  std::string words = std::to_string(thread.tid) + " " + thread.state + " " + thread.name;
  if (!thread.waits_in.empty()) words += " in " + thread.waits_in;
  words = escaped(words);
  const std::size_t shown = std::min(thread.kernel_stack.size(), kMostOfStack);
  for (std::size_t i = 0; i < shown; ++i) words += "\n    " + escaped(thread.kernel_stack[i]);
  return words;
}

std::string loader_words(const LoaderFinding& it) {
  std::string words = it.object;
  if (!it.needed.empty()) words += (words.empty() ? "" : " needs ") + it.needed;
  if (it.found.empty()) return escaped(words + ": there is none");
  words += (words.empty() ? "" : ": ") + it.found;
  return escaped(words + (it.machine.empty() ? "" : " is for " + it.machine));
}

std::string probe_words(const ProbeAnswer& probe) {
  std::string words = probe.path;
  if (probe.status != 0) words += ", answered with " + std::to_string(probe.status);
  return words + (probe.error.empty() ? "" : ", at last without an answer: " + probe.error);
}

void add_surroundings(const Evidence& evidence, Lines& text) {
  text.list("lived on in its tree", evidence.left_behind,
            [](const std::string& it) { return escaped(it); });
  if (const auto& holder = evidence.port_holder) {
    const std::string who = holder->pid == 0 ? "a process that could not be found out"
                                             : "process " + std::to_string(holder->pid);
    text.line("port " + std::to_string(holder->port),
              who + (holder->name.empty() ? "" : " (" + holder->name + ")"));
  }
  text.list("loader", evidence.loader, loader_words);
  text.line("answered with", evidence.protocol_breach);
  if (evidence.probe) text.line("asked for", probe_words(*evidence.probe));
}

void add_process(const Evidence& evidence, Lines& text) {
  if (evidence.fault) text.line("fault", fault_words(*evidence.fault));
  if (evidence.core) text.line("core file", core_words(*evidence.core));
  text.list("backtrace", evidence.backtrace, [](const std::string& it) { return escaped(it); });
  text.line("no backtrace", evidence.why_no_backtrace);
  text.list("threads", evidence.threads, thread_words);
}

// The end of it, from the start of a line on.
void add_output(const Evidence& evidence, Lines& text) {
  std::string_view rest = evidence.last_output;
  if (rest.empty()) return;
  if (rest.size() > kMostShownOutput) {
    rest.remove_prefix(rest.size() - kMostShownOutput);
    rest.remove_prefix(std::min(rest.find('\n') + 1, rest.size()));
  }
  text.add("last output:\n");
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    text.add(escaped(rest.substr(0, end)) + "\n");
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
}

}  // namespace

std::string describe(const Certificate& certificate) {
  Lines text;
  text.add(first_line(certificate));
  text.line("next step", certificate.diagnosis.next_step);
  add_verdict(certificate, text);
  add_use(certificate.evidence, text);
  add_surroundings(certificate.evidence, text);
  add_process(certificate.evidence, text);
  add_output(certificate.evidence, text);
  return text.take();
}

}  // namespace poolwarden::diagnosis
