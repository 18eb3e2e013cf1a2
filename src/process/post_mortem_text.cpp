#include "process/post_mortem_text.h"

#include <charconv>
#include <vector>

#include "base/clean_text.h"
#include "base/cut_middle.h"

namespace poolwarden::process {
namespace {

using diagnosis::Evidence;
using diagnosis::FaultSite;

constexpr std::size_t kMostLoader = 32;
constexpr std::size_t kMostToldFrames = 64;
constexpr std::size_t kLongestField = 512;

// What comes of it is bounded, not only what goes in: an escape is longer than its byte. Cut
// between characters, for half of one would be escaped in its turn.
std::string bounded(std::string_view field) {
  return std::string(whole_characters(escaped(field.substr(0, kLongestField)), kLongestField));
}

std::string field(std::string_view text) { return "\t" + bounded(text); }
std::string field(std::uint64_t number) { return "\t" + std::to_string(number); }
template <typename Number>
std::string field(const std::optional<Number>& number) {
  return "\t" + (number ? std::to_string(*number) : "-");
}

class Fields {
 public:
  explicit Fields(std::string_view line) : rest_(line) {}

  std::string text() {
    const std::string_view field = rest_.substr(0, rest_.find('\t'));
    rest_.remove_prefix(std::min(rest_.size(), field.size() + 1));
    return bounded(field);
  }
  template <typename Number>
  std::optional<Number> number() {
    const std::string word = text();
    Number value = 0;
    const auto [rest, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    return error == std::errc() ? std::optional(value) : std::nullopt;
  }

 private:
  std::string_view rest_;
};

FaultSite read_fault(Fields fields) {
  FaultSite fault;
  fault.si_code = fields.number<int>();
  fault.address = fields.number<std::uint64_t>();
  fault.stack_pointer = fields.number<std::uint64_t>().value_or(0);
  fault.program_counter = fields.number<std::uint64_t>().value_or(0);
  fault.is_stack_exhausted = fields.number<int>() == 1;
  fault.sender_pid = fields.number<int>();
  fault.syscall_number = fields.number<int>();
  return fault;
}

void read_line(std::string_view line, Evidence& found) {
  Fields fields(line);
  const std::string kind = fields.text();
  if (kind == "fault") found.fault = read_fault(fields);
  if (kind == "core") {
    found.core.emplace();
    found.core->bytes = fields.number<std::uint64_t>().value_or(0);
    found.core->path = fields.text();
    found.core->why_none = fields.text();
  }
  if (kind == "no-core") {
    found.core.emplace();
    found.core->why_none = fields.text();
  }
  if (kind == "loader" && found.loader.size() < kMostLoader) {
    diagnosis::LoaderFinding finding;
    finding.object = fields.text();
    finding.needed = fields.text();
    finding.found = fields.text();
    finding.machine = fields.text();
    found.loader.push_back(std::move(finding));
  }
  if (kind == "holder") {
    found.port_holder.emplace();
    found.port_holder->port = fields.number<std::uint16_t>().value_or(0);
    found.port_holder->pid = fields.number<int>().value_or(0);
    found.port_holder->name = fields.text();
  }
  if (kind == "frame" && found.backtrace.size() < kMostToldFrames)
    found.backtrace.push_back(fields.text());
  if (kind == "no-frames") found.why_no_backtrace = fields.text();
}

}  // namespace

std::string post_mortem_text(const Evidence& found) {
  std::string text;
  if (const auto& fault = found.fault) {
    text += "fault" + field(fault->si_code) + field(fault->address) + field(fault->stack_pointer) +
            field(fault->program_counter) + (fault->is_stack_exhausted ? "\t1" : "\t0") +
            field(fault->sender_pid) + field(fault->syscall_number) + "\n";
  }
  if (found.core && !found.core->path.empty())
    text += "core" + field(found.core->bytes) + field(found.core->path) +
            field(found.core->why_none) + "\n";
  if (found.core && found.core->path.empty())
    text += "no-core" + field(found.core->why_none) + "\n";
  for (const diagnosis::LoaderFinding& each : found.loader)
    text += "loader" + field(each.object) + field(each.needed) + field(each.found) +
            field(each.machine) + "\n";
  if (const auto& holder = found.port_holder) {
    text += "holder" + field(holder->port) + field(std::optional(holder->pid)) +
            field(holder->name) + "\n";
  }
  for (const std::string& frame : found.backtrace) text += "frame" + field(frame) + "\n";
  if (!found.why_no_backtrace.empty()) text += "no-frames" + field(found.why_no_backtrace) + "\n";
  return text;
}

Evidence read_post_mortem(std::string_view text) {
  Evidence found;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    read_line(line, found);
  }
  return found;
}

}  // namespace poolwarden::process
