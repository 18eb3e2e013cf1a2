#include "journal/certificate_json.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <utility>

#include "base/match.h"
#include "journal/json_values.h"

namespace poolwarden::journal {
namespace {

using diagnosis::Certificate;
using diagnosis::Evidence;
using diagnosis::OomScope;

namespace json = boost::json;

constexpr int kSignals = 64;                              // signal(7)
constexpr int kExitCodes = 256;                           // waitid(2)
constexpr double kLatestEnd = 4e9;                        // seconds since the epoch: in 2096
constexpr double kLongestLife = 10 * 365.25 * 24 * 3600;  // seconds

std::string_view word_of(OomScope scope) {
  switch (scope) {
    case OomScope::None:
      return "none";
    case OomScope::OwnLimit:
      return "own_limit";
    case OomScope::Container:
      return "container";
    case OomScope::Unknown:
      return "unknown";
  }
  return "unknown";
}

template <typename Word>
std::string_view word_of(Word word) {
  return diagnosis::name(word);
}

// The value that has this word. `otherwise`: none of this version's has it.
template <typename Word>
Word from_word(const std::string& word, Word otherwise) {
  constexpr int kMoreThanAnyListHas = 64;
  if (word == "unknown") return otherwise;  // what lies beyond a list is called so too
  for (int i = 0; i < kMoreThanAnyListHas; ++i) {
    if (word_of(static_cast<Word>(i)) == word) return static_cast<Word>(i);
  }
  return otherwise;
}

// JSON numbers are exact up to 2^53 only.
std::string hexadecimal(std::uint64_t address) {
  char digits[24];
  std::snprintf(digits, sizeof digits, "0x%" PRIx64, address);
  return digits;
}

std::uint64_t address_in(const json::object& object, std::string_view key) {
  return std::strtoull(text_in(object, key).c_str(), nullptr, 16);
}

void put(json::object& object, std::string_view key, const std::string& words) {
  if (!words.empty()) object[key] = json_text(words);
}

void put(json::object& object, std::string_view key, std::uint64_t count) {
  if (count != 0) object[key] = count;
}

void put_flag(json::object& object, std::string_view key, bool flag) {
  if (flag) object[key] = true;
}

void put(json::object& object, std::string_view key, json::array list) {
  if (!list.empty()) object[key] = std::move(list);
}

template <typename T, typename Make>
json::array array_of(const std::vector<T>& all, Make make) {
  json::array list;
  for (const T& one : all) list.push_back(make(one));
  return list;
}

json::array texts(const std::vector<std::string>& all) {
  return array_of(all, [](const std::string& one) { return json_text(one); });
}

std::vector<std::string> texts_in(const json::object& object, std::string_view key) {
  std::vector<std::string> all;
  for (const json::value& one : array_in(object, key)) {
    if (one.is_string()) all.emplace_back(one.get_string());
  }
  return all;
}

template <typename Read>
void for_each_object(const json::object& object, std::string_view key, Read read) {
  for (const json::value& one : array_in(object, key)) {
    if (one.is_object()) read(one.get_object());
  }
}

// How it ended.

void put_status(json::object& object, const diagnosis::ExitStatus& status) {
  std::visit(Match{
                 [&](const diagnosis::Exited& end) { object["exit_code"] = end.code; },
                 [&](const diagnosis::Signaled& end) {
                   object["signal"] = json_text(diagnosis::signal_name(end.signal));
                   object["core"] = end.dumped_core;
                 },
                 [&](const diagnosis::NotStarted& end) {
                   object["stage"] = json_text(name(end.stage));
                   object["errno"] = end.error;
                   put(object, "what", end.what);
                 },
             },
             status);
}

int signal_in(const json::object& object) {
  const std::string word = text_in(object, "signal");
  for (int signal = 1; signal <= kSignals; ++signal) {
    if (diagnosis::signal_name(signal) == word) return signal;
  }
  return 0;
}

bool is_within(const json::object& object, std::string_view key, double most) {
  if (!object.contains(key)) return true;
  const auto number = number_in(object, key);
  return number && *number >= 0 && *number <= most;
}

std::optional<diagnosis::ExitStatus> status_in(const json::object& object) {
  if (object.contains("exit_code")) {
    if (!is_within(object, "exit_code", kExitCodes - 1)) return std::nullopt;
    return diagnosis::Exited{small_number_in(object, "exit_code")};
  }
  if (object.contains("signal")) {
    const int signal = signal_in(object);
    if (signal == 0) return std::nullopt;
    return diagnosis::Signaled{signal, flag_in(object, "core")};
  }
  if (!object.contains("stage")) return std::nullopt;
  return diagnosis::NotStarted{from_word(text_in(object, "stage"), diagnosis::SpawnStage::Exec),
                               small_number_in(object, "errno"), text_in(object, "what")};
}

void put_fault(json::object& object, const std::optional<diagnosis::FaultSite>& fault) {
  if (!fault) return;
  if (fault->si_code) object["si_code"] = *fault->si_code;
  if (fault->address) object["address"] = json_text(hexadecimal(*fault->address));
  if (fault->stack_pointer != 0)
    object["stack_pointer"] = json_text(hexadecimal(fault->stack_pointer));
  if (fault->program_counter != 0)
    object["program_counter"] = json_text(hexadecimal(fault->program_counter));
  put_flag(object, "stack_exhausted", fault->is_stack_exhausted);
  if (fault->sender_pid) object["sender_pid"] = *fault->sender_pid;
  if (fault->syscall_number) object["syscall"] = *fault->syscall_number;
  put(object, "syscall_name", fault->syscall_name);
}

std::optional<diagnosis::FaultSite> fault_in(const json::object& object) {
  constexpr const char* kKeys[] = {"si_code",         "address",         "stack_pointer",
                                   "program_counter", "stack_exhausted", "sender_pid",
                                   "syscall",         "syscall_name"};
  const bool is_there = std::any_of(std::begin(kKeys), std::end(kKeys),
                                    [&](const char* key) { return object.contains(key); });
  if (!is_there) return std::nullopt;
  diagnosis::FaultSite fault;
  if (object.contains("si_code")) fault.si_code = small_number_in(object, "si_code");
  if (object.contains("address")) fault.address = address_in(object, "address");
  fault.stack_pointer = address_in(object, "stack_pointer");
  fault.program_counter = address_in(object, "program_counter");
  fault.is_stack_exhausted = flag_in(object, "stack_exhausted");
  if (object.contains("sender_pid")) fault.sender_pid = small_number_in(object, "sender_pid");
  if (object.contains("syscall")) fault.syscall_number = small_number_in(object, "syscall");
  fault.syscall_name = text_in(object, "syscall_name");
  return fault;
}

// What it had used.

void put_memory(json::object& object, const Evidence& evidence) {
  put(object, "memory_peak", evidence.memory_peak);
  const diagnosis::MemoryTrouble& memory = evidence.memory;
  json::object oom;
  put(oom, "kills", std::max(memory.oom_kills, evidence.oom_kills));
  put(oom, "recent_kills", memory.recent_oom_kills);
  put(oom, "own_limit_hits", memory.own_limit_hits);
  put(oom, "group_kills", memory.group_kills);
  if (memory.scope != OomScope::None) oom["scope"] = json_text(word_of(memory.scope));
  if (!oom.empty()) object["oom"] = std::move(oom);
}

void read_memory(const json::object& object, Evidence& evidence) {
  evidence.memory_peak = count_in(object, "memory_peak");
  const json::object& oom = object_in(object, "oom");
  evidence.oom_kills = count_in(oom, "kills");
  evidence.memory.oom_kills = evidence.oom_kills;
  evidence.memory.recent_oom_kills = count_in(oom, "recent_kills");
  evidence.memory.own_limit_hits = count_in(oom, "own_limit_hits");
  evidence.memory.group_kills = count_in(oom, "group_kills");
  if (oom.contains("scope"))
    evidence.memory.scope = from_word(text_in(oom, "scope"), OomScope::Unknown);
}

void put_cpu(json::object& object, const Evidence& evidence) {
  put(object, "pids_limit_hits", evidence.pids_limit_hits);
  put(object, "recent_pids_limit_hits", evidence.recent_pids_limit_hits);
  put_flag(object, "over_cpu_rlimit", evidence.is_over_cpu_rlimit);
  put_flag(object, "has_file_size_rlimit", evidence.has_file_size_rlimit);
  if (evidence.cpu_user == Duration() && evidence.cpu_system == Duration()) return;
  object["cpu_seconds"] = {{"user", json_seconds(evidence.cpu_user)},
                           {"system", json_seconds(evidence.cpu_system)}};
}

void read_cpu(const json::object& object, Evidence& evidence) {
  evidence.pids_limit_hits = count_in(object, "pids_limit_hits");
  evidence.recent_pids_limit_hits = count_in(object, "recent_pids_limit_hits");
  evidence.is_over_cpu_rlimit = flag_in(object, "over_cpu_rlimit");
  evidence.has_file_size_rlimit = flag_in(object, "has_file_size_rlimit");
  const json::object& cpu = object_in(object, "cpu_seconds");
  evidence.cpu_user = microseconds_in(cpu, "user");
  evidence.cpu_system = microseconds_in(cpu, "system");
}

// What it was doing.

void put_requests(json::object& object, const Evidence& evidence) {
  put(object, "cut_requests", array_of(evidence.cut_requests, [](const auto& cut) {
        return json::object{{"method", json_text(cut.method)},
                            {"path", json_text(cut.path)},
                            {"age_seconds", json_seconds(cut.age)}};
      }));
}

void read_requests(const json::object& object, Evidence& evidence) {
  evidence.requests_served = count_in(object, "requests");
  for_each_object(object, "cut_requests", [&](const json::object& cut) {
    evidence.cut_requests.push_back(
        {text_in(cut, "method"), text_in(cut, "path"), microseconds_in(cut, "age_seconds")});
  });
}

void put_threads(json::object& object, const Evidence& evidence) {
  put(object, "threads", array_of(evidence.threads, [](const auto& thread) {
        json::object one{{"tid", thread.tid},
                         {"state", json_text(std::string(1, thread.state))},
                         {"name", json_text(thread.name)}};
        put(one, "waits_in", thread.waits_in);
        put(one, "stack", texts(thread.kernel_stack));
        return one;
      }));
}

void read_threads(const json::object& object, Evidence& evidence) {
  for_each_object(object, "threads", [&](const json::object& one) {
    const std::string state = text_in(one, "state");
    evidence.threads.push_back({small_number_in(one, "tid"), state.empty() ? '?' : state.front(),
                                text_in(one, "name"), text_in(one, "waits_in"),
                                texts_in(one, "stack")});
  });
}

// Its lines; where nobody noted which stream they came by, without that.
void put_output(json::object& object, const Evidence& evidence) {
  json::array output = array_of(evidence.output, [](const diagnosis::WrittenLine& line) {
    return json::object{{"stream", line.is_stderr ? "stderr" : "stdout"},
                        {"line", json_text(line.text)}};
  });
  if (output.empty()) {
    std::string_view rest = evidence.last_output;
    while (!rest.empty()) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(line.size() + 1, rest.size()));
      output.push_back(json::object{{"line", json_text(line)}});
    }
  }
  put(object, "output", std::move(output));
}

void read_output(const json::object& object, Evidence& evidence) {
  bool is_first = true;
  std::string line;
  for_each_object(object, "output", [&](const json::object& one) {
    line = text_in(one, "line");
    if (!std::exchange(is_first, false)) evidence.last_output += '\n';
    evidence.last_output += line;
    if (one.contains("stream"))
      evidence.output.push_back({text_in(one, "stream") == "stderr", line});
  });
  if (!is_first && line.empty()) evidence.last_output += '\n';  // else it would not be a line
}

void put_post_mortem(json::object& object, const Evidence& evidence) {
  if (evidence.core) {
    json::object core;
    put(core, "path", evidence.core->path);
    put(core, "bytes", evidence.core->bytes);
    put(core, "why_none", evidence.core->why_none);
    object["core_file"] = std::move(core);
  }
  put(object, "backtrace", texts(evidence.backtrace));
  put(object, "why_no_backtrace", evidence.why_no_backtrace);
}

void read_post_mortem(const json::object& object, Evidence& evidence) {
  evidence.backtrace = texts_in(object, "backtrace");
  evidence.why_no_backtrace = text_in(object, "why_no_backtrace");
  if (!object.contains("core_file")) return;
  const json::object& core = object_in(object, "core_file");
  evidence.core = {text_in(core, "path"), count_in(core, "bytes"), text_in(core, "why_none")};
}

// What was around it.

void put_surroundings(json::object& object, const Evidence& evidence) {
  put(object, "protocol_breach", evidence.protocol_breach);
  if (const auto& probe = evidence.probe) {
    json::object asked{{"path", json_text(probe->path)}};
    put(asked, "status", static_cast<std::uint64_t>(std::max(probe->status, 0)));
    put(asked, "error", probe->error);
    put_flag(asked, "answered", probe->was_answered);
    object["probe"] = std::move(asked);
  }
  put(object, "left_behind", texts(evidence.left_behind));
  if (const auto& holder = evidence.port_holder) {
    json::object port{{"port", holder->port}};
    put(port, "pid", static_cast<std::uint64_t>(std::max(holder->pid, 0)));
    put(port, "name", holder->name);
    object["port_holder"] = std::move(port);
  }
  put(object, "loader", array_of(evidence.loader, [](const diagnosis::LoaderFinding& finding) {
        json::object one;
        put(one, "object", finding.object);
        put(one, "needed", finding.needed);
        put(one, "found", finding.found);
        put(one, "machine", finding.machine);
        return one;
      }));
}

void read_surroundings(const json::object& object, Evidence& evidence) {
  evidence.protocol_breach = text_in(object, "protocol_breach");
  if (object.contains("probe")) {
    const json::object& asked = object_in(object, "probe");
    evidence.probe = {text_in(asked, "path"), small_number_in(asked, "status"),
                      text_in(asked, "error"), flag_in(asked, "answered")};
  }
  evidence.left_behind = texts_in(object, "left_behind");
  if (object.contains("port_holder")) {
    const json::object& port = object_in(object, "port_holder");
    evidence.port_holder = {static_cast<std::uint16_t>(count_in(port, "port")),
                            small_number_in(port, "pid"), text_in(port, "name")};
  }
  for_each_object(object, "loader", [&](const json::object& one) {
    evidence.loader.push_back({text_in(one, "object"), text_in(one, "needed"),
                               text_in(one, "found"), text_in(one, "machine")});
  });
}

// Why.

void put_diagnosis(json::object& object, const diagnosis::Diagnosis& why) {
  object["diagnosis"] = json_text(name(why.cause));
  if (why.detail != diagnosis::Detail::None) object["detail"] = json_text(name(why.detail));
  object["explanation"] = json_text(why.sentence);
  put(object, "next_step", why.next_step);
}

diagnosis::Diagnosis diagnosis_in(const json::object& object) {
  return {from_word(text_in(object, "diagnosis"), diagnosis::Cause::Unknown),
          from_word(text_in(object, "detail"), diagnosis::Detail::None),
          from_word(text_in(object, "sent_by"), diagnosis::Sender::Unknown),
          flag_in(object, "expected"),
          flag_in(object, "incurable"),
          text_in(object, "explanation"),
          text_in(object, "next_step")};
}

void put_circumstances(json::object& object, const Certificate& certificate) {
  object["uptime_seconds"] = json_seconds(certificate.uptime);
  object["ready"] = certificate.was_ready;
  object["intent"] = json_text(name(certificate.intent));
  put(object, "recycle_reason", certificate.recycle_reason);
  put(object, "debug_tool", certificate.debug_tool);
  if (certificate.diagnosis.sender != diagnosis::Sender::Unknown)
    object["sent_by"] = json_text(name(certificate.diagnosis.sender));
  put_status(object, certificate.evidence.status);
  put_fault(object, certificate.evidence.fault);
}

void put_use(json::object& object, const Evidence& evidence) {
  object["requests"] = evidence.requests_served;
  put_memory(object, evidence);
  put_cpu(object, evidence);
}

}  // namespace

json::object as_json(const Certificate& certificate) {
  json::object object{{"number", certificate.number}, {"pool", json_text(certificate.pool)},
                      {"worker", certificate.slot},   {"generation", certificate.generation},
                      {"pid", certificate.pid},       {"ended", json_time(certificate.ended)}};
  put_circumstances(object, certificate);
  put_diagnosis(object, certificate.diagnosis);
  object["expected"] = certificate.diagnosis.expected;
  put_flag(object, "incurable", certificate.diagnosis.incurable);
  const Evidence& evidence = certificate.evidence;
  put_use(object, evidence);
  put_requests(object, evidence);
  put_threads(object, evidence);
  put_output(object, evidence);
  put_post_mortem(object, evidence);
  put_surroundings(object, evidence);
  return object;
}

void add_end(json::object& event, const Certificate& certificate) {
  put(event, "certificate", certificate.number);
  put_circumstances(event, certificate);
  put_diagnosis(event, certificate.diagnosis);
  put_use(event, certificate.evidence);
}

Result<Certificate> certificate_from(const json::object& object) {
  const auto status = status_in(object);
  if (count_in(object, "number") == 0 || text_in(object, "pool").empty() || !status)
    return failure("it has no number, no pool, or does not say how the worker ended");
  // What it would be counted on from, or reckoned with: one line must not spoil what comes after.
  if (count_in(object, "number") > kHighestNumber || !is_within(object, "ended", kLatestEnd) ||
      !is_within(object, "uptime_seconds", kLongestLife))
    return failure("its number, its end or its length cannot be");
  Certificate certificate;
  certificate.number = count_in(object, "number");
  certificate.pool = text_in(object, "pool");
  certificate.slot = static_cast<std::uint32_t>(count_in(object, "worker"));
  certificate.generation = count_in(object, "generation");
  certificate.pid = small_number_in(object, "pid");
  certificate.ended = WallTime(microseconds_in(object, "ended"));
  certificate.uptime = microseconds_in(object, "uptime_seconds");
  certificate.was_ready = flag_in(object, "ready");
  certificate.intent = from_word(text_in(object, "intent"), diagnosis::Intent::None);
  certificate.recycle_reason = text_in(object, "recycle_reason");
  certificate.debug_tool = text_in(object, "debug_tool");
  certificate.diagnosis = diagnosis_in(object);
  Evidence& evidence = certificate.evidence;
  evidence.status = *status;
  evidence.fault = fault_in(object);
  read_memory(object, evidence);
  read_cpu(object, evidence);
  read_requests(object, evidence);
  read_threads(object, evidence);
  read_output(object, evidence);
  read_post_mortem(object, evidence);
  read_surroundings(object, evidence);
  return certificate;
}

}  // namespace poolwarden::journal
