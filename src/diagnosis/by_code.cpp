// Ends with an exit code: what it means by itself, and what the output makes of it.

#include <algorithm>

#include "diagnosis/clue_text.h"
#include "diagnosis/exit_status.h"
#include "diagnosis/inquest.h"
#include "diagnosis/status_rows.h"
#include "diagnosis/status_table.h"

namespace poolwarden::diagnosis {
namespace {

constexpr int kConfigError = 78;
constexpr int kNotExecutable = 126;
constexpr int kNotFound = 127;
constexpr int kSignalBase = 128;
constexpr int kHighestSignal = 64;
constexpr int kHighest = 255;
constexpr int kAborted = 134;

Diagnosis told(Cause cause, const Exited& end, const Reading& reading) {
  Diagnosis made;
  made.cause = cause;
  made.detail = reading.detail;
  const bool is_apart = reading.words.empty() || reading.words.starts_with(';');
  made.sentence = describe(end) + (is_apart ? "" : " ") + reading.words;
  made.next_step = reading.next_step;
  return made;
}

std::string first_of(const std::vector<std::string>& processes) {
  const std::size_t others = processes.size() - 1;
  return processes.front() + (others == 0 ? "" : " and " + std::to_string(others) + " more");
}

// More than that its process was there.
bool has_answered(const Circumstances& circumstances) {
  return circumstances.was_ready && circumstances.awaited != Awaited::Nothing;
}

Diagnosis zero(const Exited& end, const Inquest& inquest) {
  const auto& left_behind = inquest.evidence.left_behind;
  if (left_behind.empty()) {
    const std::string next =
        has_answered(inquest.circumstances)
            ? "It had become ready, so it does not put itself into the background: look in its "
              "output for why it finished."
            : "A worker must stay in the foreground: switch off its daemon mode, or look in its "
              "output for why it finished.";
    return told(Cause::ExitZero, end,
                {Detail::None, "without having been asked to stop",
                 next + " Many programs also end like this when somebody else, an operator or a "
                        "script, sends them SIGTERM: that leaves no trace."});
  }
  return told(Cause::ExitZero, end,
              {Detail::Daemonized,
               "without having been asked to stop, while " + first_of(left_behind) +
                   " lived on: it had put itself into the background",
               "Keep it in the foreground: switch off its daemon mode (nginx: `daemon off;`, "
               "gunicorn: no --daemon), or let its script `exec` the server."});
}

bool has_loader_text(const Inquest& inquest) {
  return inquest.clue(ClueKind::MissingLibrary) || inquest.clue(ClueKind::UnfitLibrary) ||
         inquest.clue(ClueKind::DamagedLibrary) || inquest.clue(ClueKind::MissingSymbol) ||
         inquest.clue(ClueKind::MissingVersion);
}

// LoaderFailed needs the loader's own exit code: 127, and 1 where a version is missing. With
// another code it was the loader of a child.
bool is_loaders(const Exited& end, const Inquest& inquest) {
  if (end.code == 1 && inquest.clue(ClueKind::MissingVersion)) return true;
  if (end.code != kNotFound) return false;
  return has_loader_text(inquest) ||
         (!inquest.evidence.loader.empty() && !inquest.clue(ClueKind::CommandNotFound));
}

Reading not_executable(const Inquest& inquest) {
  const OutputClue* clue = inquest.clue(ClueKind::NotExecutable);
  if (const LoaderFinding* foreign = foreign_file(inquest.evidence)) {
    return {
        Detail::WrongArchitecture,
        "(a shell could not execute " + foreign->found + ", which is for " + foreign->machine + ")",
        "Install the program for this machine's architecture."};
  }
  return {Detail::NotExecutable,
          "(a shell or wrapper could not execute " + (clue ? clue->subject : "a program") + ")",
          "A shell or wrapper could not execute the program: check its mode and its owner, the "
          "directories above it, and with `file` what it was built for."};
}

Reading not_found(const Inquest& inquest) {
  if (const OutputClue* clue = inquest.clue(ClueKind::CommandNotFound)) {
    return {Detail::MissingProgram, "(a shell found no " + clue->subject + ")",
            "Install " + clue->subject + ", or correct PATH and the pool's command."};
  }
  return {Detail::None, "", explain(std::to_string(kNotFound)).front().next_step};
}

std::string name_of_sysexit(int code) {
  for (const ExitCodeRow& row : exit_code_rows()) {
    if (row.code == code && row.name.starts_with("EX_")) return std::string(row.name);
  }
  return "";
}

std::string last_words(const Inquest& inquest) {
  const std::string line = last_line(inquest.output);
  return line.empty() ? "" : "; its last words: \"" + line + "\"";
}

bool is_of_signal(int code) { return code > kSignalBase && code <= kSignalBase + kHighestSignal; }

// What is known of the code alone.
Reading by_code_alone(const Exited& end, const Inquest& inquest) {
  if (end.code == kNotFound) return not_found(inquest);
  if (end.code == kConfigError)
    return {Detail::None, "(EX_CONFIG)" + last_words(inquest),
            "Correct the worker's own configuration."};
  if (is_of_signal(end.code)) {
    const std::string signal = signal_name(end.code - kSignalBase);
    return {Detail::None,
            "(" + std::to_string(kSignalBase) + " + " + std::to_string(end.code - kSignalBase) +
                ": " + signal + " of a child, as shells tell it)" + last_words(inquest),
            explain(std::to_string(end.code)).front().next_step};
  }
  const std::string name = name_of_sysexit(end.code);
  const std::string words = (name.empty() ? "" : "(" + name + ")") + last_words(inquest);
  if (!name.empty()) return {Detail::None, words, explain(name).front().next_step};
  const std::string where =
      inquest.output.empty()
          ? "It wrote nothing to its output: see whether it keeps a log file, and have it log to "
            "stdout or stderr."
          : "Look in the worker's output for the error that it ended with.";
  return {Detail::None, words,
          (end.code == kHighest ? "255 is also what exit(-1) gives. " : "") + where};
}

Cause cause_of(int code) {
  if (code == kConfigError) return Cause::ConfigError;
  if (code == kHighest) return Cause::Exit255;
  return Cause::ExitNonzero;
}

}  // namespace

Diagnosis judge_code(const Exited& end, const Inquest& inquest) {
  if (end.code == 0) return zero(end, inquest);
  if (is_end_of_struck_child(end, inquest.evidence)) {
    Reading struck = read_oom(inquest.evidence);
    struck.words = "(128 + 9), for its child " + struck.words;
    return told(Cause::OomKilled, end, struck);
  }
  if (is_loaders(end, inquest)) return told(Cause::LoaderFailed, end, read_loader(inquest));
  if (const Reading port = read_port(inquest); !port.words.empty())
    return told(Cause::PortInUse, end, port);
  if (end.code == kNotExecutable)
    return told(Cause::ExecNotExecutable, end, not_executable(inquest));

  const Cause cause = cause_of(end.code);
  Reading reading;
  if (has_loader_text(inquest)) {
    reading = read_loader(inquest);
  } else if (end.code == kNotFound && inquest.clue(ClueKind::CommandNotFound)) {
    reading = not_found(inquest);
  } else {
    reading = read_failure(inquest);
  }
  if (reading.words.empty() && end.code == kAborted) reading = read_abort(inquest);
  if (reading.words.empty()) reading = by_code_alone(end, inquest);
  return told(cause, end, reading);
}

}  // namespace poolwarden::diagnosis
