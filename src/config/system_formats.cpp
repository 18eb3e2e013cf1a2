// Formats for words of the kernel: signals, capabilities, CPU lists.

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <charconv>
#include <csignal>
#include <set>

#include "config/plain_formats.h"
#include "config/worker_formats.h"

namespace poolwarden::config {
namespace {

using boost::json::array;
using boost::json::object;

struct SignalName {
  const char* name;
  int number;
};
constexpr std::array kSignals = {SignalName{"SIGHUP", SIGHUP},   SignalName{"SIGINT", SIGINT},
                                 SignalName{"SIGQUIT", SIGQUIT}, SignalName{"SIGABRT", SIGABRT},
                                 SignalName{"SIGUSR1", SIGUSR1}, SignalName{"SIGUSR2", SIGUSR2},
                                 SignalName{"SIGALRM", SIGALRM}, SignalName{"SIGTERM", SIGTERM},
                                 SignalName{"SIGCONT", SIGCONT}, SignalName{"SIGPWR", SIGPWR},
                                 SignalName{"SIGIO", SIGIO},     SignalName{"SIGWINCH", SIGWINCH},
                                 SignalName{"SIGKILL", SIGKILL}, SignalName{"SIGSTOP", SIGSTOP}};
constexpr int kLastSignal = 64;

// capability.h of the kernel, 6.18.
constexpr std::array kCapabilities = {"AUDIT_CONTROL",   "AUDIT_READ",   "AUDIT_WRITE",
                                      "BLOCK_SUSPEND",   "BPF",          "CHECKPOINT_RESTORE",
                                      "CHOWN",           "DAC_OVERRIDE", "DAC_READ_SEARCH",
                                      "FOWNER",          "FSETID",       "IPC_LOCK",
                                      "IPC_OWNER",       "KILL",         "LEASE",
                                      "LINUX_IMMUTABLE", "MAC_ADMIN",    "MAC_OVERRIDE",
                                      "MKNOD",           "NET_ADMIN",    "NET_BIND_SERVICE",
                                      "NET_BROADCAST",   "NET_RAW",      "PERFMON",
                                      "SETFCAP",         "SETGID",       "SETPCAP",
                                      "SETUID",          "SYSLOG",       "SYS_ADMIN",
                                      "SYS_BOOT",        "SYS_CHROOT",   "SYS_MODULE",
                                      "SYS_NICE",        "SYS_PACCT",    "SYS_PTRACE",
                                      "SYS_RAWIO",       "SYS_RESOURCE", "SYS_TIME",
                                      "SYS_TTY_CONFIG",  "WAKE_ALARM"};

std::string upper(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

std::optional<int> number_of(const std::string& text) {
  int number = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || stopped != end) return std::nullopt;
  return number;
}

std::optional<int> signal_number(const std::string& text) {
  if (const std::optional<int> number = number_of(text)) return number;
  const std::string name = upper(text);
  for (const SignalName& known : kSignals) {
    if (known.name == name || known.name == "SIG" + name) return known.number;
  }
  return std::nullopt;
}

Result<int> parse_signal(const std::string& text) {
  const std::string what = "a signal such as SIGTERM, TERM or 15";
  const std::optional<int> number = signal_number(text);
  if (!number) {
    std::vector<std::string> names;
    for (const SignalName& known : kSignals) names.emplace_back(known.name);
    const bool prefixed = upper(text).starts_with("SIG");
    const auto meant = nearest(prefixed ? upper(text) : "SIG" + upper(text), names);
    return failure(wrong_text(what, text, meant ? "did you mean " + *meant + "?" : ""));
  }
  if (*number == SIGKILL || *number == SIGSTOP) {
    return failure(wrong_text(what, text,
                              "no worker can react to it; what has not ended by stop.timeout is "
                              "killed anyway"));
  }
  if (*number < 1 || *number > kLastSignal) return failure(wrong_text(what, text));
  return *number;
}

std::string show_signal(int number) {
  for (const SignalName& known : kSignals) {
    if (known.number == number) return known.name;
  }
  return std::to_string(number);
}

Result<std::string> parse_capability(const std::string& text) {
  std::string name = upper(text);
  if (name.starts_with("CAP_")) name = name.substr(4);
  if (std::find(kCapabilities.begin(), kCapabilities.end(), name) != kCapabilities.end()) {
    return "CAP_" + name;
  }
  const std::optional<std::string> meant = nearest(name, kCapabilities);
  return failure(wrong_text("a capability such as CAP_NET_BIND_SERVICE", text,
                            meant ? "did you mean CAP_" + *meant + "?" : ""));
}

struct CpuRange {
  int first;
  int last;
};
constexpr int kLastCpu = 8191;

// One part of a CPU list: "3" or "0-7".
std::optional<CpuRange> cpu_range(const std::string& part) {
  const std::size_t dash = part.find('-');
  const std::optional<int> first = number_of(part.substr(0, dash));
  const auto last = dash == std::string::npos ? first : number_of(part.substr(dash + 1));
  const bool right = first && last && *first >= 0 && *first <= *last && *last <= kLastCpu;
  if (!right) return std::nullopt;
  return CpuRange{*first, *last};
}

// Nothing when one of the parts is no range.
std::optional<std::set<int>> cpu_numbers(const std::string& list) {
  std::set<int> numbers;
  std::size_t begin = 0;
  for (bool more = true; more;) {
    const std::size_t comma = list.find(',', begin);
    more = comma != std::string::npos;
    const auto range = cpu_range(list.substr(begin, more ? comma - begin : std::string::npos));
    if (!range) return std::nullopt;
    for (int cpu = range->first; cpu <= range->last; ++cpu) numbers.insert(cpu);
    begin = comma + 1;
  }
  return numbers;
}

Result<std::string> parse_cpu_list(const std::string& text) {
  if (cpu_numbers(text)) return text;
  return failure(wrong_text("a list of CPUs such as 0-1,4", text,
                            "numbers and ranges, with commas and no spaces between"));
}

}  // namespace

Format<int> catchable_signal() {
  return scalar_format<int>("signal", {{"type", array{"string", "integer"}}},
                            "a signal such as SIGTERM, TERM or 15", parse_signal, show_signal);
}

Format<std::string> capability() {
  return scalar_format<std::string>("capability", {{"type", "string"}},
                                    "a capability such as CAP_NET_BIND_SERVICE", parse_capability,
                                    [](const std::string& name) { return name; });
}

std::uint32_t cpus_of(const std::string& list) {
  const auto numbers = cpu_numbers(list);
  return numbers ? static_cast<std::uint32_t>(numbers->size()) : 0;
}

Format<std::string> cpu_list() {
  object text{{"type", "string"}, {"pattern", "^[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*$"}};
  object number{{"type", "integer"}, {"minimum", 0}};
  return scalar_format<std::string>("CPU list", {{"anyOf", array{text, number}}},
                                    "a list of CPUs such as 0-1,4", parse_cpu_list,
                                    [](const std::string& list) { return list; });
}

}  // namespace poolwarden::config
