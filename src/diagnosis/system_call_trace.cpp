#include "diagnosis/system_call_trace.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace poolwarden::diagnosis {
namespace {

constexpr std::string_view kFailed = " = -1 E";
constexpr std::array<std::string_view, 5> kHarmless = {"EAGAIN", "EINTR", "EINPROGRESS", "ENOTTY",
                                                       "ECHILD"};

struct Line {
  int pid = 0;
  std::string_view time;
  std::string_view rest;  // what happened
};

std::string_view take_word(std::string_view& text) {
  const auto end = std::min(text.find(' '), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(end);
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  return word;
}

bool is_time(std::string_view word) { return word.size() >= 8 && word[2] == ':' && word[5] == ':'; }

Line split(std::string_view text) {
  Line line;
  const std::string_view number = take_word(text);
  const char* end = number.data() + number.size();
  if (std::from_chars(number.data(), end, line.pid).ptr != end) return {};
  line.time = take_word(text);
  line.rest = text;
  return is_time(line.time) ? line : Line{};
}

// "ENOENT (No such file or directory)", and not the end of a text that the call has written.
bool is_error(std::string_view text) {
  const auto blank = text.find(' ');
  return blank != std::string_view::npos && text.substr(blank).starts_with(" (") &&
         text.ends_with(')') && text.find('"') == std::string_view::npos;
}

bool is_harmless(std::string_view error) {
  const std::string_view word = error.substr(0, error.find(' '));
  return std::find(kHarmless.begin(), kHarmless.end(), word) != kHarmless.end();
}

// strace aligns the " = " by blanks.
std::string without_padding(std::string_view call) {
  const auto last = call.find_last_not_of(' ');
  return std::string(call.substr(0, last == std::string_view::npos ? 0 : last + 1));
}

template <typename Value>
void keep_last(std::vector<Value>& kept, std::size_t most, Value value) {
  kept.push_back(std::move(value));
  if (kept.size() > most) kept.erase(kept.begin());
}

void read_line(const Line& line, std::size_t most, SystemCallTrace& trace) {
  const std::string whole = std::to_string(line.pid) + " " + std::string(line.rest);
  if (line.rest.starts_with("+++ ")) return keep_last(trace.ends, most, whole);
  if (line.rest.starts_with("--- SIG")) return keep_last(trace.signals, most, whole);
  keep_last(trace.calls, most, whole);
  const auto at = line.rest.rfind(kFailed);
  if (at == std::string_view::npos) return;
  const std::string_view error = line.rest.substr(at + kFailed.size() - 1);
  if (!is_error(error) || is_harmless(error)) return;
  keep_last(trace.failed, most,
            FailedCall{line.pid, std::string(line.time), without_padding(line.rest.substr(0, at)),
                       std::string(error)});
}

}  // namespace

SystemCallTrace read_system_call_trace(std::string_view text, std::size_t most) {
  SystemCallTrace trace;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const Line line = split(text.substr(0, end));
    if (line.pid != 0) read_line(line, most, trace);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return trace;
}

}  // namespace poolwarden::diagnosis
