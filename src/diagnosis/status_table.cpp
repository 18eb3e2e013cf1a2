#include "diagnosis/status_table.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <optional>

#include "diagnosis/exit_status.h"
#include "diagnosis/status_rows.h"

namespace poolwarden::diagnosis {
namespace {

using Explanations = std::vector<Explanation>;

constexpr int kHighestExitCode = 255;
constexpr int kSignalBase = 128;  // what shells add to a signal's number
constexpr int kHighestSignal = 64;
constexpr int kFirstRealTime = 34;  // to programs: libc keeps 32 and 33 for its threads
constexpr std::uint64_t kHighestStatus = 0xffffffff;

struct Number {
  std::int64_t value = 0;
  bool is_hex = false;
};

std::string_view trimmed(std::string_view text) {
  const auto is_space = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::string upper(std::string_view text) {
  std::string word(text);
  for (char& c : word) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return word;
}

std::optional<Number> as_number(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const bool is_hex = text.starts_with("0x") || text.starts_with("0X");
  if (is_hex) text.remove_prefix(2);
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value, is_hex ? 16 : 10);
  if (text.empty() || error != std::errc() || rest != end || value > kHighestStatus)
    return std::nullopt;
  const auto magnitude = static_cast<std::int64_t>(value);
  return Number{negative ? -magnitude : magnitude, is_hex};
}

std::vector<std::string> split(std::string_view causes) {
  std::vector<std::string> found;
  while (!causes.empty()) {
    const std::size_t end = causes.find("; ");
    found.emplace_back(causes.substr(0, end));
    causes.remove_prefix(end == std::string_view::npos ? causes.size() : end + 2);
  }
  return found;
}

std::string word_of(Cause cause) { return cause == Cause::Unknown ? "" : std::string(name(cause)); }

std::string title_of_signal(int number) {
  return signal_name(number) + " (signal " + std::to_string(number) + ")";
}

Explanation real_time_signal(int number) {
  const bool is_libcs = number < kFirstRealTime;
  Explanation told;
  const std::string offset =
      number == kFirstRealTime ? "" : "+" + std::to_string(number - kFirstRealTime);
  told.title = is_libcs ? "signal " + std::to_string(number)
                        : "SIGRTMIN" + offset + " (signal " + std::to_string(number) + ")";
  told.meaning = is_libcs ? "A signal that the C library keeps for its threads."
                          : "A real-time signal: it means what the application makes of it, and "
                            "ends a program that does not handle it.";
  told.causes = {"a program that sends it to another; an init that is told so (systemd, as PID 1)"};
  told.next_step = "Look for who sends it; STOPSIGNAL of the image may name it.";
  told.diagnosis = word_of(Cause::KilledExternal);
  return told;
}

Explanation explain_signal(int number) {
  const auto rows = signal_rows();
  const auto row =
      std::find_if(rows.begin(), rows.end(), [&](const auto& it) { return it.number == number; });
  if (row == rows.end()) return real_time_signal(number);
  return {title_of_signal(number),
          std::string(row->meaning),
          split(row->causes),
          std::string(row->next_step),
          "",
          word_of(row->cause)};
}

// Unknown: the output tells which of several it is.
Cause cause_of_code(int code) {
  switch (code) {
    case 0:
      return Cause::ExitZero;
    case 78:
      return Cause::ConfigError;
    case 126:
      return Cause::ExecNotExecutable;
    case 127:  // no such program, or the loader failed
    case 137:  // a child's SIGKILL, of the OOM killer or of anybody
      return Cause::Unknown;
    case 255:
      return Cause::Exit255;
    default:
      return Cause::ExitNonzero;
  }
}

bool is_signal(std::int64_t number) { return number >= 1 && number <= kHighestSignal; }

Explanation unlisted_code(int code) {
  Explanation told;
  told.title = "exit code " + std::to_string(code);
  told.next_step = "Read the end of its output, and the program's own manual.";
  told.meaning = "A code of the program's own: nothing on Linux gives it a meaning.";
  told.causes = {"an error that the program tells of by this code"};
  told.diagnosis = word_of(cause_of_code(code));
  return told;
}

Explanation from_row(const ExitCodeRow& row) {
  Explanation told = unlisted_code(row.code);
  if (!row.who.empty()) told.title += ", " + std::string(row.who);
  if (!row.name.empty()) told.title += ", " + std::string(row.name);
  if (!row.meaning.empty()) told.meaning = row.meaning;
  told.causes = split(row.causes);
  told.next_step = row.next_step;
  return told;
}

const ExitCodeRow* usual_row(int code) {
  for (const ExitCodeRow& row : exit_code_rows()) {
    if (row.code == code && row.who.empty()) return &row;
  }
  return nullptr;
}

// Of 129 to 192: what shells and containers report of a child that a signal has ended.
Explanation code_of_signaled_child(int code) {
  const int number = code - kSignalBase;
  const Explanation signal = explain_signal(number);
  const ExitCodeRow* row = usual_row(code);
  Explanation told = row ? from_row(*row) : unlisted_code(code);
  told.meaning = "A shell's or container's word for " + signal.title + ": " +
                 std::to_string(kSignalBase) + " + " + std::to_string(number) +
                 ". Of the workers that poolwarden starts itself it tells the signal.";
  if (row) return told;
  told.causes = signal.causes;
  told.next_step =
      "Let a shell in the pool's command `exec` the program, so that the signal itself is seen.";
  return told;
}

void add_exit_code(int code, Explanations& all) {
  Explanations of_programs;
  for (const ExitCodeRow& row : exit_code_rows()) {
    if (row.code == code && !row.who.empty()) of_programs.push_back(from_row(row));
  }
  const bool is_of_signal = is_signal(code - kSignalBase);
  const ExitCodeRow* row = usual_row(code);
  if (is_of_signal) {
    all.push_back(code_of_signaled_child(code));
  } else if (row) {
    all.push_back(from_row(*row));
  } else if (of_programs.empty()) {
    all.push_back(unlisted_code(code));
  }
  all.insert(all.end(), of_programs.begin(), of_programs.end());
  if (is_of_signal) all.push_back(explain_signal(code - kSignalBase));
}

std::string hex(std::uint32_t code) {
  char text[16];
  std::snprintf(text, sizeof text, "0x%x", code);
  return text;
}

Explanation from_row(const WindowsRow& row) {
  return {hex(row.code) + " of Windows" + (row.name.empty() ? "" : ", " + std::string(row.name)),
          std::string(row.meaning),
          split(row.causes),
          std::string(row.next_step),
          std::string(row.linux_analogue),
          word_of(row.cause)};
}

constexpr std::uint32_t kWin32Facility = 0x80070000;
constexpr std::uint32_t kSeverity = 0xf0000000;

// What the bits of a code say that is in no table.
std::string kind_of_unlisted(std::uint32_t code) {
  if ((code & 0xffff0000) == kWin32Facility)
    return "An HRESULT that carries the Win32 error " + std::to_string(code & 0xffff) + ".";
  if ((code & kSeverity) == 0xc0000000) return "An NTSTATUS error: Windows ended the process.";
  if ((code & kSeverity) == 0xe0000000) return "An exception of an application's own making.";
  if ((code & kSeverity) == 0x80000000) return "An HRESULT or NTSTATUS warning of a component.";
  return "A code of the application's own.";
}

bool add_listed_windows(std::uint32_t code, Explanations& all) {
  for (const WindowsRow& row : windows_rows()) {
    if (row.code != code) continue;
    all.push_back(from_row(row));
    return true;
  }
  return false;
}

void add_windows(std::uint32_t code, Explanations& all) {
  if (add_listed_windows(code, all)) return;
  Explanation told;
  told.title = hex(code) + " of Windows";
  told.meaning = kind_of_unlisted(code) + " It is not in the table.";
  told.causes = {"what the name of the code says: err.exe or Microsoft's lists of codes give it"};
  told.next_step = "Look the name up, and explain the trouble that it names.";
  told.linux_analogue = "none: exit codes have 8 bits here, and a crash is a signal";
  all.push_back(std::move(told));
}

// The exit code times 256, as wait(2) has it.
bool is_raw_wait_status(std::int64_t value) {
  return value > kHighestExitCode && value <= 0xff00 && (value & 0xff) == 0;
}

// More bits than an exit code has: what became of them.
void add_cut_off(std::int64_t value, Explanations& all) {
  const auto kept = static_cast<int>(static_cast<std::uint64_t>(value) & 0xff);
  const bool is_raw = is_raw_wait_status(value);
  const int code = is_raw ? static_cast<int>(value >> 8) : kept;
  Explanations of_code;
  add_exit_code(code, of_code);
  Explanation told = std::move(of_code.front());
  const std::string text = std::to_string(value);
  told.title = text + (is_raw ? " as a raw wait status: " : " given to exit(): ") + told.title;
  if (!is_raw) told.meaning = "Linux keeps the lowest 8 bits of it. " + told.meaning;
  all.push_back(std::move(told));
}

// A wait status is likelier than a code of Windows that nobody has listed.
void add_large(const Number& number, Explanations& all) {
  const auto code = static_cast<std::uint32_t>(number.value);
  const bool is_listed = add_listed_windows(code, all);
  const bool is_status = !number.is_hex && is_raw_wait_status(number.value);
  if (is_listed || is_status) add_cut_off(number.value, all);
  if (is_listed) return;
  add_windows(code, all);
  if (!is_status) add_cut_off(number.value, all);
}

void add_negative(std::int64_t value, Explanations& all) {
  const auto bits = static_cast<std::uint32_t>(value);
  if (value == -1) {
    add_exit_code(kHighestExitCode, all);
    add_windows(bits, all);
  }
  if (is_signal(-value)) {
    Explanation told = explain_signal(static_cast<int>(-value));
    told.title = std::to_string(value) + " of Python's subprocess and the like: " + told.title;
    all.push_back(std::move(told));
  }
  if (value == -1) return;
  if (!is_signal(-value)) add_windows(bits, all);
  add_cut_off(value, all);
}

Explanations explain_number(const Number& number) {
  Explanations all;
  const std::int64_t value = number.value;
  if (value < -static_cast<std::int64_t>(kHighestStatus / 2) - 1) return all;
  if (value < 0) {
    add_negative(value, all);
  } else if (value > kHighestExitCode) {
    add_large(number, all);
  } else {
    // Who writes it in hexadecimal has read it in an event log of Windows.
    if (number.is_hex) add_listed_windows(static_cast<std::uint32_t>(value), all);
    add_exit_code(static_cast<int>(value), all);
    if (is_signal(value)) all.push_back(explain_signal(static_cast<int>(value)));
    // 128 may be one too: tools write them as decimal numbers.
    if (!number.is_hex && value >= kSignalBase)
      add_listed_windows(static_cast<std::uint32_t>(value), all);
  }
  return all;
}

std::optional<int> real_time_number(std::string_view word) {
  int base = 0;
  if (word.starts_with("RTMIN")) base = kFirstRealTime;
  if (word.starts_with("RTMAX")) base = kHighestSignal;
  if (base == 0) return std::nullopt;
  word.remove_prefix(5);
  if (word.starts_with('+')) word.remove_prefix(1);
  int offset = 0;
  const char* end = word.data() + word.size();
  const auto [rest, error] = std::from_chars(word.data(), end, offset);
  if (!word.empty() && (error != std::errc() || rest != end)) return std::nullopt;
  const std::int64_t number = std::int64_t{base} + offset;
  if (number < kFirstRealTime || number > kHighestSignal) return std::nullopt;
  return static_cast<int>(number);
}

std::optional<int> signal_number(std::string_view word) {
  if (word.starts_with("SIG")) word.remove_prefix(3);
  constexpr std::pair<std::string_view, int> kOtherNames[] = {
      {"IOT", SIGABRT}, {"POLL", SIGIO}, {"CLD", SIGCHLD}, {"UNUSED", SIGSYS}};
  for (const auto& [alias, number] : kOtherNames) {
    if (word == alias) return number;
  }
  for (const SignalRow& row : signal_rows()) {
    if (signal_name(row.number).substr(3) == word) return row.number;
  }
  return real_time_number(word);
}

Explanations explain_word(std::string_view text) {
  const std::string word = upper(text);
  if (const auto number = signal_number(word)) return {explain_signal(*number)};
  Explanations all;
  for (const ExitCodeRow& row : exit_code_rows()) {
    if (row.name == word) all.push_back(from_row(row));
  }
  for (const WindowsRow& row : windows_rows()) {
    const std::string full = upper(row.name);
    const std::string last = full.substr(full.rfind(' ') + 1);
    if (!full.empty() && (full == word || last == word)) all.push_back(from_row(row));
  }
  return all;
}

}  // namespace

std::vector<Explanation> explain(std::string_view code) {
  const std::string_view text = trimmed(code);
  if (text.empty()) return {};
  if (const auto number = as_number(text)) return explain_number(*number);
  return explain_word(text);
}

}  // namespace poolwarden::diagnosis
