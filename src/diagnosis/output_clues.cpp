#include "diagnosis/output_clues.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "base/clean_text.h"
#include "base/cut_middle.h"
#include "diagnosis/clue_text.h"
#include "diagnosis/line_clues.h"

namespace poolwarden::diagnosis {
namespace {

using Text = std::string_view;

constexpr std::size_t kMostOutput = 64 * 1024;
constexpr std::size_t kMostOfLine = 1024;
constexpr std::size_t kMostOfText = 200;

using Finder = std::optional<OutputClue> (*)(Text line);
constexpr std::array<Finder, 10> kFinders = {loader_clue,    module_clue, shell_clue,  port_clue,
                                             identity_clue,  fork_clue,   memory_clue, abort_clue,
                                             exception_clue, output_clue};

// Made fit for a sentence. What is escaped gets longer, never shorter.
std::string cut(Text text) {
  constexpr std::size_t kLongestCharacter = 4;
  text = stripped(text);
  const bool is_whole = text.size() <= kMostOfText;
  std::string fit = escaped(text.substr(0, kMostOfText + kLongestCharacter));
  if (is_whole && fit.size() <= kMostOfText) return fit;
  return std::string(whole_characters(fit, kMostOfText)) + "…";
}

// Exceptions that are told over several lines, of which one is the message.
class ExceptionReader {
 public:
  // A clue when this line completes one.
  std::optional<OutputClue> read(Text line) {
    const Text text = stripped(line);
    const bool indented = !line.empty() && (line.front() == ' ' || line.front() == '\t');
    auto found = is_in_traceback_ ? end_of_traceback(text, indented) : std::nullopt;
    if (!found) found = message_of_panic(text);
    if (!found) found = what_of_cpp(text);
    if (!found) found = head_of_stack(text, indented);
    if (!found) found = fatal_go(text);
    if (found && text.starts_with("goroutine ")) is_in_dump_ = true;
    begin(text);
    before_ = indented ? "" : std::string(text);
    return found;
  }

  // Go tells of all its goroutines, and ends.
  bool is_in_dump() const { return is_in_dump_; }

 private:
  static OutputClue exception(Text subject) {
    return {ClueKind::UncaughtException, std::string(subject), "", std::nullopt};
  }

  // C++: terminate called after throwing an instance of 'std::runtime_error'
  //        what():  why
  std::optional<OutputClue> what_of_cpp(Text text) {
    if (const auto type = text_after(text, "terminate called after throwing an instance of ")) {
      thrown_ = unquoted(*type);
      return exception(thrown_);
    }
    if (thrown_.empty() || !text.starts_with("what():")) return std::nullopt;
    const Text why = stripped(text.substr(7));
    return exception(std::exchange(thrown_, "") + (why.empty() ? "" : ": " + std::string(why)));
  }

  // Python: Traceback (most recent call last):
  //           File …
  //         ValueError: why
  std::optional<OutputClue> end_of_traceback(Text text, bool indented) {
    if (indented || text.empty() || text.starts_with("Traceback ")) return std::nullopt;
    is_in_traceback_ = false;
    return exception(text);
  }

  // Rust: thread 'main' (17) panicked at src/main.rs:2:5:
  //       why
  // and before 1.73: thread 'main' panicked at 'why', src/main.rs:2:5
  std::optional<OutputClue> message_of_panic(Text text) {
    if (is_in_panic_ && !text.empty()) {
      is_in_panic_ = false;
      return exception("panic: " + std::string(text));
    }
    const auto rest = text_after(text, " panicked at ");
    if (!rest || !text.starts_with("thread '")) return std::nullopt;
    if (rest->ends_with(":")) {
      is_in_panic_ = true;
      return std::nullopt;
    }
    return exception("panic: " + std::string(*rest));
  }

  // Go: panic: why, then "goroutine 1 [running]:".
  std::optional<OutputClue> fatal_go(Text text) {
    if (text.starts_with("panic: ") || text.starts_with("fatal error: ")) go_ = text;
    if (go_.empty() || !text.starts_with("goroutine ")) return std::nullopt;
    return exception(std::exchange(go_, ""));
  }

  // Node and others: "TypeError: why", then "    at f (file.js:1:2)".
  std::optional<OutputClue> head_of_stack(Text text, bool indented) {
    const bool is_frame = indented && text.starts_with("at ");
    if (!is_frame || before_.empty()) return std::nullopt;
    if (auto whole = exception_clue(before_)) return whole;
    const Text type = text_before(before_, ":");
    const bool names_error = type.ends_with("Error") || type.ends_with("Exception") ||
                             type.ends_with("Rejection") ||
                             text_before(before_, " [").ends_with("Error");
    if (!names_error) return std::nullopt;
    return exception(before_);
  }

  void begin(Text text) {
    if (text.starts_with("Traceback (most recent call last):")) is_in_traceback_ = true;
  }

  bool is_in_traceback_ = false;
  bool is_in_panic_ = false;
  bool is_in_dump_ = false;
  std::string thrown_;
  std::string go_;
  std::string before_;
};

bool is_of_its_own(Text line) {
  if (line.empty()) return false;
  const auto first = static_cast<unsigned char>(line.front());
  return first >= 0x80 || std::isalnum(first) || first == '[' || first == '{' || first == '<';
}

void keep(OutputClue found, std::vector<OutputClue>& clues) {
  found.subject = cut(found.subject);
  found.object = cut(found.object);
  const auto same = std::find_if(clues.begin(), clues.end(),
                                 [&](const OutputClue& it) { return it.kind == found.kind; });
  if (same != clues.end()) {
    *same = std::move(found);
  } else {
    clues.push_back(std::move(found));
  }
}

Text tail(Text output) {
  return output.size() <= kMostOutput ? output : output.substr(output.size() - kMostOutput);
}

}  // namespace

std::vector<OutputClue> find_clues(std::string_view output) {
  std::vector<OutputClue> clues;
  ExceptionReader exceptions;
  Text rest = tail(output);
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    const Text line = rest.substr(0, std::min(end, kMostOfLine));
    rest.remove_prefix(end == Text::npos ? rest.size() : end + 1);
    if (is_of_its_own(line) && !exceptions.is_in_dump())
      for (OutputClue& clue : clues) ++clue.lines_after;
    if (auto found = exceptions.read(line)) keep(std::move(*found), clues);
    for (const Finder finder : kFinders) {
      auto found = finder(line);
      if (!found) continue;
      keep(std::move(*found), clues);
      break;  // the first that knows the line knows it best
    }
  }
  return clues;
}

const OutputClue* find_clue(const std::vector<OutputClue>& clues, ClueKind kind) {
  for (const OutputClue& clue : clues) {
    if (clue.kind == kind) return &clue;
  }
  return nullptr;
}

std::string last_line(std::string_view output) {
  Text rest = stripped(tail(output));
  const std::size_t end = rest.rfind('\n');
  return cut(end == Text::npos ? rest : rest.substr(end + 1));
}

}  // namespace poolwarden::diagnosis
