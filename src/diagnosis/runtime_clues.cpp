// The texts of programs while they run: addresses that are taken, users that they may not become,
// memory that they do not get, what C libraries and languages say before they give up.

#include <array>
#include <charconv>
#include <string>

#include "diagnosis/clue_text.h"
#include "diagnosis/line_clues.h"

namespace poolwarden::diagnosis {
namespace {

using Text = std::string_view;

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::optional<std::uint16_t> as_port(Text digits) {
  std::uint16_t port = 0;
  const auto [rest, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || port == 0) return std::nullopt;
  if (rest != digits.data() + digits.size() && is_digit(*rest)) return std::nullopt;
  return port;
}

// strerror(EADDRINUSE) of C libraries and gunicorn's own, and the error's name in languages.
constexpr std::array<Text, 4> kTaken = {"Address already in use", "address already in use",
                                        "Address in use", "Connection in use"};
constexpr std::array<Text, 3> kTakenNames = {"EADDRINUSE", "eaddrinuse", "AddrInUse"};
struct Address {
  std::string text;
  std::optional<std::uint16_t> port;
};

constexpr bool is_of_address(char c) {
  return c > ' ' && c != '(' && c != '"' && c != ',' && c != '\'' && c != '/';
}

// "0.0.0.0", "[::]", "::", "localhost", "*" or nothing; no time of day and no file.
bool is_host(Text host) {
  if (host.empty() || host == "*" || host == "localhost" || host.starts_with("::")) return true;
  if (host.starts_with('[')) return host.ends_with(']');
  return mentions(host, ".") && host.find_first_not_of("0123456789.") == Text::npos;
}

// The last "host:port" of the line.
std::optional<Address> colon_address(Text line) {
  for (std::size_t at = line.rfind(':'); at != Text::npos;
       at = at == 0 ? Text::npos : line.rfind(':', at - 1)) {
    const auto port = as_port(line.substr(at + 1));
    std::size_t start = at;
    while (start > 0 && is_of_address(line[start - 1])) --start;
    const Text host = line.substr(start, at - start);
    if (port && is_host(host))
      return Address{std::string(host) + ":" + std::to_string(*port), port};
  }
  return std::nullopt;
}

// Python: ('0.0.0.0', 80)
std::optional<Address> tuple_address(Text line) {
  const std::size_t comma = line.rfind("', ");
  if (comma == Text::npos) return std::nullopt;
  const auto port = as_port(line.substr(comma + 3));
  const Text before = line.substr(0, comma);
  if (!port) return std::nullopt;
  const Text host = before.substr(before.rfind('\'') + 1);
  return Address{std::string(host) + ":" + std::to_string(*port), port};
}

std::optional<Address> worded_address(Text line) {
  for (const Text mark : {"port ", "Port ", "port: "}) {
    const auto port = as_port(text_after_word(line, mark).value_or(""));
    if (port) return Address{"port " + std::to_string(*port), port};
  }
  return std::nullopt;
}

Address find_address(Text line) {
  for (const auto find : {worded_address, tuple_address, colon_address}) {
    if (auto found = find(line)) return *found;
  }
  return {};
}

constexpr std::array<Text, 6> kNoUser = {"no such user",  "unknown user",   "invalid user",
                                         "bad user name", "name not found", "unable to find user"};
constexpr std::array<Text, 3> kUserDatabase = {"getpwnam(\"", "getgrnam(\"",
                                               "does not exist in /etc/passwd"};
constexpr std::array<Text, 7> kIdentityCalls = {"setuid",    "setgid",    "setgroups", "initgroups",
                                                "setresuid", "setresgid", "seteuid"};
constexpr std::array<Text, 3> kRefusals = {"not permitted", "failed", "denied"};

constexpr std::array<Text, 10> kNoMemory = {"std::bad_alloc",
                                            "MemoryError",
                                            "heap out of memory",
                                            "java.lang.OutOfMemoryError",
                                            "Cannot allocate memory",
                                            "insufficient memory for the Java Runtime",
                                            "fatal error: runtime: out of memory",
                                            "fatal error: out of memory",
                                            "NoMemoryError",
                                            "System.OutOfMemoryException"};

// strerror(EAGAIN) of clone(2), and what Python, Java, Ruby and Go make of it.
constexpr std::array<Text, 6> kNoFork = {"Resource temporarily unavailable",
                                         "EAGAIN",
                                         "can't start new thread",
                                         "unable to create native thread",
                                         "can't create Thread",
                                         "failed to create new OS thread"};

constexpr std::array<Text, 13> kDamagedHeap = {"free(): ",
                                               "double free or corruption",
                                               "malloc(): ",
                                               "realloc(): ",
                                               "munmap_chunk(): ",
                                               "malloc_consolidate(): ",
                                               "corrupted size vs. prev_size",
                                               "corrupted double-linked list",
                                               "invalid fastbin entry",
                                               "AddressSanitizer: heap-",
                                               "AddressSanitizer: attempting double-free",
                                               "AddressSanitizer: attempting free",
                                               "tcache_thread_shutdown(): "};
constexpr std::array<Text, 3> kSmashedStack = {"*** stack smashing detected ***",
                                               "*** buffer overflow detected ***",
                                               "AddressSanitizer: stack-buffer-overflow"};
constexpr std::array<Text, 2> kCheckFailed = {"Check failed: ", "ERROR: assertion failed"};

OutputClue clue(ClueKind kind, Text subject) {
  return {kind, std::string(stripped(subject)), "", std::nullopt};
}

// What stands behind the mark is the exception with its message.
constexpr std::array<Text, 5> kExceptionMarks = {
    "terminating due to uncaught exception of type ",  // libc++
    "terminating with uncaught exception of type ",    // libc++ before 16
    "Unhandled exception. ",                           // .NET
    "Fatal error: Uncaught ",                          // PHP
    "Fatal error:  Uncaught ",
};

}  // namespace

std::optional<OutputClue> port_clue(std::string_view line) {
  const bool is_sure = has_any_message(line, kTaken) || mentions_any_word(line, kTakenNames);
  if (!is_sure && !mentions(line, "already in use")) return std::nullopt;
  const Address address = find_address(line);
  // "… already in use" is said of much: of an address only where there is a port.
  if (!is_sure && !address.port) return std::nullopt;
  OutputClue found = clue(ClueKind::PortInUse, address.text);
  found.port = address.port;
  return found;
}

std::optional<OutputClue> identity_clue(std::string_view line) {
  if (has_any_message(line, kNoUser) || mentions_any(line, kUserDatabase))
    return clue(ClueKind::UnknownUser, line);
  const bool is_identity = mentions_any_word(line, kIdentityCalls) && mentions_any(line, kRefusals);
  if (is_identity || mentions(line, "drop privilege")) return clue(ClueKind::IdentityRefused, line);
  return std::nullopt;
}

std::optional<OutputClue> memory_clue(std::string_view line) {
  const bool is_phps = mentions(line, "Allowed memory size of ") && mentions(line, "exhausted");
  const bool is_rusts =
      mentions_word(line, "memory allocation of ") && mentions(line, "bytes failed");
  if (!mentions_any_word(line, kNoMemory) && !is_phps && !is_rusts) return std::nullopt;
  return clue(ClueKind::OutOfMemory, line);
}

std::optional<OutputClue> abort_clue(std::string_view line) {
  if (mentions_any(line, kSmashedStack)) return clue(ClueKind::SmashedStack, line);
  if (mentions_any_word(line, kDamagedHeap)) return clue(ClueKind::DamagedHeap, line);
  const bool is_glibcs = mentions(line, ": Assertion `") && mentions(line, "' failed");
  if (is_glibcs || line.starts_with("Assertion failed: ") || mentions_any(line, kCheckFailed))
    return clue(ClueKind::Assertion, line);
  return std::nullopt;
}

std::optional<OutputClue> exception_clue(std::string_view line) {
  for (const Text mark : kExceptionMarks) {
    if (const auto rest = text_after(line, mark)) return clue(ClueKind::UncaughtException, *rest);
  }
  // Java: Exception in thread "main" java.lang.IllegalStateException: why
  if (const auto rest = text_after(line, "Exception in thread \"")) {
    if (const auto exception = text_after(*rest, "\" "))
      return clue(ClueKind::UncaughtException, *exception);
  }
  return std::nullopt;
}

std::optional<OutputClue> fork_clue(std::string_view line) {
  if (!mentions_any_word(line, kNoFork)) return std::nullopt;
  return clue(ClueKind::RefusedFork, line);
}

std::optional<OutputClue> output_clue(std::string_view line) {
  // Python, at its end; programs of coreutils, shells.
  const bool is_broken = mentions(line, "Exception ignored in: <_io.TextIOWrapper name='<std") ||
                         line.ends_with("write error: Bad file descriptor") ||
                         line.ends_with("write error: Broken pipe");
  if (!is_broken) return std::nullopt;
  return clue(ClueKind::BrokenOutput, line);
}

}  // namespace poolwarden::diagnosis
