// The texts of dynamic loaders, of imports that load libraries, and of shells that find no program.

#include <algorithm>
#include <array>
#include <span>
#include <string>

#include "diagnosis/clue_text.h"
#include "diagnosis/line_clues.h"

namespace poolwarden::diagnosis {
namespace {

using Text = std::string_view;

OutputClue clue(ClueKind kind, Text subject, Text object = {}) {
  return {kind, std::string(unquoted(subject)), std::string(unquoted(object)), std::nullopt};
}

constexpr std::array<Text, 3> kOtherArchitecture = {
    "wrong ELF class", "cannot open shared object file: Exec format error",
    "ELF file OS ABI invalid"};
constexpr std::array<Text, 3> kDamaged = {"invalid ELF header", "file too short",
                                          "ELF load command past end of file"};

ClueKind kind_of_library(Text line) {
  if (mentions_any(line, kOtherArchitecture)) return ClueKind::UnfitLibrary;
  return mentions_any(line, kDamaged) ? ClueKind::DamagedLibrary : ClueKind::MissingLibrary;
}

// "app: error while loading shared libraries: libx.so.1: cannot open shared object file: …"
std::optional<OutputClue> glibc_library(Text line) {
  const auto rest = text_after(line, "error while loading shared libraries: ");
  if (!rest) return std::nullopt;
  const Text library = text_before(*rest, ": ");
  const Text program = text_before(line, ": error while");
  return clue(kind_of_library(*rest), library, program);
}

// "app: /lib/libc.so.6: version `GLIBC_2.38' not found (required by app)"
std::optional<OutputClue> glibc_version(Text line) {
  const auto version = text_after(line, ": version `");
  if (!version || !mentions(*version, "' not found")) return std::nullopt;
  const Text before = text_before(line, ": version `");
  const std::size_t colon = before.rfind(": ");
  const Text library = colon == Text::npos ? before : before.substr(colon + 2);
  return clue(ClueKind::MissingVersion, text_before(*version, "'"), library);
}

// "app: symbol lookup error: libx.so: undefined symbol: f", "app: relocation error: …"
std::optional<OutputClue> glibc_symbol(Text line) {
  if (const auto rest = text_after(line, "symbol lookup error: ")) {
    const auto symbol = text_after(*rest, "undefined symbol: ");
    return clue(ClueKind::MissingSymbol, text_before(symbol.value_or(""), ","),
                text_before(*rest, ": "));
  }
  if (const auto rest = text_after(line, "relocation error: ")) {
    const auto symbol = text_after(*rest, "symbol ");
    const auto where = text_after(*rest, "not defined in file ");
    return clue(ClueKind::MissingSymbol, text_before(symbol.value_or(""), " "),
                text_before(where.value_or(text_before(*rest, ": ")), " "));
  }
  return std::nullopt;
}

// "Error loading shared library libx.so: No such file or directory (needed by app)"
// "Error relocating app: f: symbol not found"
std::optional<OutputClue> musl(Text line) {
  if (const auto rest = text_after(line, "Error loading shared library ")) {
    const Text needer = text_before(text_after(line, "(needed by ").value_or(""), ")");
    const bool unfit = mentions(line, "Exec format error");
    return clue(unfit ? ClueKind::UnfitLibrary : ClueKind::MissingLibrary, text_before(*rest, ": "),
                needer);
  }
  const auto rest = text_after(line, "Error relocating ");
  if (!rest || !mentions(*rest, "symbol not found")) return std::nullopt;
  const auto symbol = text_after(*rest, ": ");
  return clue(ClueKind::MissingSymbol, text_before(symbol.value_or(""), ": "),
              text_before(*rest, ": "));
}

struct Phrase {
  Text before;  // the name
  Text after;
};

// Where the name stands between two texts.
constexpr Text kEnd = "\n";  // no line has one

constexpr Phrase kModules[] = {
    {"No module named ", kEnd},                    // Python
    {"Cannot find module ", kEnd},                 // Node
    {"Cannot find package ", " imported"},         // Node, of ES modules
    {"cannot load such file -- ", " ("},           // Ruby
    {"java.lang.NoClassDefFoundError: ", kEnd},    // Java
    {"java.lang.ClassNotFoundException: ", kEnd},  // Java
    {"java.lang.UnsatisfiedLinkError: ", kEnd},    // Java
    {"Could not find or load main class ", kEnd},  // Java
    {"Unable to load dynamic library ", " ("},     // PHP
    {"Can't locate ", " in @INC"},                 // Perl
    {"Could not load file or assembly ", ", "},    // .NET
    {"dlopen() ", " failed"},                      // nginx
    {"Cannot load ", " into server"},              // Apache
};
constexpr Phrase kMissingPrograms[] = {
    {"env: can't execute ", ": "},
    {"env: ", ": No such file"},
    {"exec: ", ": not found"},
    {"exec: ", ": executable file not found"},
};

template <typename Phrases>
std::optional<OutputClue> by_phrase(Text line, const Phrases& phrases, ClueKind kind) {
  for (const Phrase& phrase : phrases) {
    const auto rest = text_after(line, phrase.before);
    if (!rest || (phrase.after != kEnd && !mentions(*rest, phrase.after))) continue;
    const Text subject = unquoted(text_before(*rest, phrase.after));
    if (!subject.empty()) return clue(kind, subject);
  }
  return std::nullopt;
}

// The word before the last ": " of "sh: 1: gunicorn", "run.sh: line 3: gunicorn", "sh: gunicorn".
Text last_word(Text head) {
  const std::size_t colon = head.rfind(": ");
  return colon == Text::npos ? head : head.substr(colon + 2);
}

constexpr std::array<Text, 7> kShells = {"sh", "bash", "dash", "ash", "ksh", "zsh", "busybox"};

// Whether a line comes from a shell: "/bin/bash: …", "run.sh: …", "start: 3: …", "start: line 3:
// …".
bool is_of_shell(Text line) {
  const Text speaker = text_before(line, ": ");
  const Text name = speaker.substr(speaker.rfind('/') + 1);
  for (const Text shell : kShells) {
    if (name == shell) return true;
  }
  const Text place = text_before(text_after(line, ": ").value_or(""), ": ");
  const bool is_number = !place.empty() && place.find_first_not_of("0123456789") == Text::npos;
  return name.ends_with(".sh") || is_number || place.starts_with("line ");
}

// What dlopen() says of a library, behind its name.
constexpr std::array<Text, 7> kDlopen = {
    ": cannot open shared object file",   ": undefined symbol: ", ": wrong ELF class",
    ": ELF file OS ABI invalid",          ": invalid ELF header", ": file too short",
    ": ELF load command past end of file"};
// What Python and Ruby make of it.
constexpr std::array<Text, 3> kImportErrors = {"ImportError: ", "OSError: ", "LoadError: "};

bool ends_with_any(Text text, std::span<const Text> endings) {
  return std::any_of(endings.begin(), endings.end(),
                     [&](Text ending) { return text.ends_with(ending); });
}

bool is_library(Text name) { return mentions(name, ".so") || name.ends_with(".node"); }

// "ImportError: libx.so.1", "cannot load (/srv/libx.so"
Text last_name(Text text) {
  const std::size_t begin = text.find_last_of(" (");
  return unquoted(begin == Text::npos ? text : text.substr(begin + 1));
}

}  // namespace

std::optional<OutputClue> loader_clue(std::string_view line) {
  if (auto found = glibc_library(line)) return found;
  if (auto found = glibc_version(line)) return found;
  if (auto found = glibc_symbol(line)) return found;
  return musl(line);
}

std::optional<OutputClue> module_clue(std::string_view line) {
  if (auto found = by_phrase(line, kModules, ClueKind::MissingModule)) return found;
  for (const Text words : kDlopen) {
    const Text before = text_before(line, words);
    if (before.size() == line.size()) continue;
    const Text library = last_name(before);
    // What is too short or has no header may be anything that was uploaded.
    const Text error = before.substr(0, before.size() - library.size());
    if (is_library(library) || ends_with_any(error, kImportErrors))
      return clue(ClueKind::MissingModule, library);
  }
  return std::nullopt;
}

std::optional<OutputClue> shell_clue(std::string_view line) {
  if (auto found = by_phrase(line, kMissingPrograms, ClueKind::CommandNotFound)) return found;
  if (!is_of_shell(line)) return std::nullopt;
  for (const Text ending : {": command not found", ": not found", ": No such file or directory"}) {
    if (stripped(line).ends_with(ending))
      return clue(ClueKind::CommandNotFound, last_word(text_before(line, ending)));
  }
  for (const Text ending : {": Permission denied", ": cannot execute", ": Exec format error"}) {
    if (mentions(line, ending))
      return clue(ClueKind::NotExecutable, last_word(text_before(line, ending)));
  }
  return std::nullopt;
}

}  // namespace poolwarden::diagnosis
