// Texts that real programs wrote before they ended, and what is read from them; and any bytes.

#include "diagnosis/output_clues.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>
#include <span>

namespace poolwarden::diagnosis {
namespace {

using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

struct Row {
  const char* output;
  ClueKind kind;
  const char* subject;
  const char* object = "";
  std::uint16_t port = 0;
};

const Row kLoaderRows[] = {
    {"./app: error while loading shared libraries: libpwfoo.so: cannot open shared object file: "
     "No such file or directory",
     ClueKind::MissingLibrary, "libpwfoo.so", "./app"},
    {"./app: error while loading shared libraries: ./libpwfoo.so: file too short",
     ClueKind::DamagedLibrary, "./libpwfoo.so", "./app"},
    {"./app: error while loading shared libraries: libx.so.1: wrong ELF class: ELFCLASS32",
     ClueKind::UnfitLibrary, "libx.so.1", "./app"},
    {"./app: symbol lookup error: ./app: undefined symbol: f", ClueKind::MissingSymbol, "f",
     "./app"},
    {"app: symbol lookup error: /lib/libq.so: undefined symbol: q, version Q_2",
     ClueKind::MissingSymbol, "q", "/lib/libq.so"},
    {"app: relocation error: app: symbol f version V_2 not defined in file libx.so.1 with link "
     "time reference",
     ClueKind::MissingSymbol, "f", "libx.so.1"},
    {"./app2: ./libpwfoo.so: version `PW_2' not found (required by ./app2)",
     ClueKind::MissingVersion, "PW_2", "./libpwfoo.so"},
    {"app: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.38' not found (required by app)",
     ClueKind::MissingVersion, "GLIBC_2.38", "/lib/x86_64-linux-gnu/libc.so.6"},
    {"Error loading shared library libx.so.1: No such file or directory (needed by /srv/app)",
     ClueKind::MissingLibrary, "libx.so.1", "/srv/app"},
    {"Error loading shared library /lib/libx.so: Exec format error (needed by /srv/app)",
     ClueKind::UnfitLibrary, "/lib/libx.so", "/srv/app"},
    {"Error relocating /srv/app: f: symbol not found", ClueKind::MissingSymbol, "f", "/srv/app"},
};

const Row kShellRows[] = {
    {"sh: 1: nosuch: not found", ClueKind::CommandNotFound, "nosuch"},
    {"sh: nosuch: not found", ClueKind::CommandNotFound, "nosuch"},
    {"start: 3: nosuch: not found", ClueKind::CommandNotFound, "nosuch"},
    {"/srv/run.sh: nosuch: not found", ClueKind::CommandNotFound, "nosuch"},
    {"/bin/sh: nosuch: not found", ClueKind::CommandNotFound, "nosuch"},
    {"sh: 1: exec: nosuch: not found", ClueKind::CommandNotFound, "nosuch"},
    {"bash: line 1: nosuch: command not found", ClueKind::CommandNotFound, "nosuch"},
    {"/srv/run.sh: line 3: nosuch: command not found", ClueKind::CommandNotFound, "nosuch"},
    {"bash: /srv/x: No such file or directory", ClueKind::CommandNotFound, "/srv/x"},
    {"env: \xe2\x80\x98nosuchprog\xe2\x80\x99: No such file or directory",
     ClueKind::CommandNotFound, "nosuchprog"},
    {"/usr/bin/env: 'python': No such file or directory", ClueKind::CommandNotFound, "python"},
    {"env: can't execute 'python': No such file or directory", ClueKind::CommandNotFound, "python"},
    {"sh: 1: /etc/passwd: Permission denied", ClueKind::NotExecutable, "/etc/passwd"},
    {"bash: line 1: ./bad: cannot execute binary file: Exec format error", ClueKind::NotExecutable,
     "./bad"},
    {"sh: 1: ./bad: Exec format error", ClueKind::NotExecutable, "./bad"},
};

const Row kModuleRows[] = {
    {"ModuleNotFoundError: No module named 'nosuchmod'", ClueKind::MissingModule, "nosuchmod"},
    {"ImportError: libpq.so.5: cannot open shared object file: No such file or directory",
     ClueKind::MissingModule, "libpq.so.5"},
    {"ImportError: /srv/m.so: undefined symbol: PyThing", ClueKind::MissingModule, "/srv/m.so"},
    {"Error: Cannot find module 'nosuch'", ClueKind::MissingModule, "nosuch"},
    {"Error: Could not find or load main class NoSuchMain", ClueKind::MissingModule, "NoSuchMain"},
    {"Exception in thread \"main\" java.lang.NoClassDefFoundError: org/x/Y",
     ClueKind::MissingModule, "org/x/Y"},
    {"Can't locate Nosuch.pm in @INC (you may need to install the Nosuch module)",
     ClueKind::MissingModule, "Nosuch.pm"},
    {"main.rb:1:in `require': cannot load such file -- nosuch (LoadError)", ClueKind::MissingModule,
     "nosuch"},
    {"nginx: [emerg] dlopen() \"/m/x.so\" failed (/m/x.so: cannot open shared object file)",
     ClueKind::MissingModule, "/m/x.so"},
    {"2026-11-23 12:00:00 ERROR plugins: cannot load (/srv/my-x.so.2: invalid ELF header)",
     ClueKind::MissingModule, "/srv/my-x.so.2"},
    {"Error: /srv/build/native.node: file too short", ClueKind::MissingModule,
     "/srv/build/native.node"},
    {"OSError: libplain: cannot open shared object file: No such file or directory",
     ClueKind::MissingModule, "libplain"},
    {"OSError: 'libx.so': wrong ELF class: ELFCLASS32", ClueKind::MissingModule, "libx.so"},
};

const Row kPortRows[] = {
    {"OSError: [Errno 98] Address already in use", ClueKind::PortInUse, ""},
    {"12:30:05 OSError: [Errno 98] Address already in use", ClueKind::PortInUse, ""},
    {"server.go:45: address already in use", ClueKind::PortInUse, ""},
    {"Exception in thread \"main\" java.net.BindException: Address already in use",
     ClueKind::PortInUse, ""},
    {"Error: listen EADDRINUSE: address already in use 127.0.0.1:18473", ClueKind::PortInUse,
     "127.0.0.1:18473", "", 18473},
    {"Error: listen EADDRINUSE: address already in use :::80", ClueKind::PortInUse, ":::80", "",
     80},
    {"2026/11/23 02:17:59 [emerg] 8573#8573: bind() to 127.0.0.1:18473 failed (98: Address already "
     "in use)",
     ClueKind::PortInUse, "127.0.0.1:18473", "", 18473},
    {"2026/11/23 02:17:59 [emerg] bind() to [::]:80 failed (98: Address already in use)",
     ClueKind::PortInUse, "[::]:80", "", 80},
    {"[2026-11-23 02:18:08 +0000] [8667] [ERROR] Connection in use: ('127.0.0.1', 18473)",
     ClueKind::PortInUse, "127.0.0.1:18473", "", 18473},
    {"listen tcp :8080: bind: address already in use", ClueKind::PortInUse, ":8080", "", 8080},
    {"Web server failed to start. Port 8080 was already in use by another", ClueKind::PortInUse,
     "port 8080", "", 8080},
    {"bind: Address in use", ClueKind::PortInUse, ""},
    {"Address already in use - bind(2) for \"0.0.0.0\" port 3000 (Errno::EADDRINUSE)",
     ClueKind::PortInUse, "port 3000", "", 3000},
    {"(98)Address already in use: AH00072: make_sock: could not bind to address [::]:80",
     ClueKind::PortInUse, "[::]:80", "", 80},
    {"Os { code: 98, kind: AddrInUse, message: \"Address already in use\" }", ClueKind::PortInUse,
     ""},
    {"{error,eaddrinuse}", ClueKind::PortInUse, ""},
    {"support 5: Port 8080 is already in use", ClueKind::PortInUse, "port 8080", "", 8080},
};

const Row kForkRows[] = {
    {"sh: 1: Cannot fork: Resource temporarily unavailable", ClueKind::RefusedFork,
     "sh: 1: Cannot fork: Resource temporarily unavailable"},
    {"RuntimeError: can't start new thread", ClueKind::RefusedFork,
     "RuntimeError: can't start new thread"},
    {"runtime: failed to create new OS thread (have 5 already; errno=11)", ClueKind::RefusedFork,
     "runtime: failed to create new OS thread (have 5 already; errno=11)"},
    {"ThreadError: can't create Thread: Resource temporarily unavailable", ClueKind::RefusedFork,
     "ThreadError: can't create Thread: Resource temporarily unavailable"},
};

const Row kMemoryRows[] = {
    {"terminate called after throwing an instance of 'std::bad_alloc'", ClueKind::OutOfMemory,
     "terminate called after throwing an instance of 'std::bad_alloc'"},
    {"FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory",
     ClueKind::OutOfMemory,
     "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory"},
    {"java.lang.OutOfMemoryError: Java heap space", ClueKind::OutOfMemory,
     "java.lang.OutOfMemoryError: Java heap space"},
    {"MemoryError", ClueKind::OutOfMemory, "MemoryError"},
    {"fork: Cannot allocate memory", ClueKind::OutOfMemory, "fork: Cannot allocate memory"},
    {"PHP Fatal error:  Allowed memory size of 2097152 bytes exhausted", ClueKind::OutOfMemory,
     "PHP Fatal error:  Allowed memory size of 2097152 bytes exhausted"},
    {"memory allocation of 4096 bytes failed", ClueKind::OutOfMemory,
     "memory allocation of 4096 bytes failed"},
};

const Row kAbortRows[] = {
    {"t: t.cpp:6: int main(int, char**): Assertion `n==1' failed.", ClueKind::Assertion,
     "t: t.cpp:6: int main(int, char**): Assertion `n==1' failed."},
    {"Assertion failed: n==1 (t.c: main: 6)", ClueKind::Assertion,
     "Assertion failed: n==1 (t.c: main: 6)"},
    {"free(): double free detected in tcache 2", ClueKind::DamagedHeap,
     "free(): double free detected in tcache 2"},
    {"munmap_chunk(): invalid pointer", ClueKind::DamagedHeap, "munmap_chunk(): invalid pointer"},
    {"malloc(): corrupted top size", ClueKind::DamagedHeap, "malloc(): corrupted top size"},
    {"*** stack smashing detected ***: terminated", ClueKind::SmashedStack,
     "*** stack smashing detected ***: terminated"},
};

const Row kIdentityRows[] = {
    {"nginx: [emerg] getpwnam(\"www\") failed in /etc/nginx/nginx.conf:1", ClueKind::UnknownUser,
     "nginx: [emerg] getpwnam(\"www\") failed in /etc/nginx/nginx.conf:1"},
    {"KeyError: \"getpwnam(): name not found: 'nosuch'\"", ClueKind::UnknownUser,
     "KeyError: \"getpwnam(): name not found: 'nosuch'\""},
    {"setgid(33) failed (1: Operation not permitted)", ClueKind::IdentityRefused,
     "setgid(33) failed (1: Operation not permitted)"},
    {"chown: invalid user: 'nosuch'", ClueKind::UnknownUser, "chown: invalid user: 'nosuch'"},
    {"user nosuch does not exist in /etc/passwd", ClueKind::UnknownUser,
     "user nosuch does not exist in /etc/passwd"},
};

const Row kExceptionRows[] = {
    {"terminate called after throwing an instance of 'std::runtime_error'\n  what():  why not\n",
     ClueKind::UncaughtException, "std::runtime_error: why not"},
    {"terminate called after throwing an instance of 'int'\n", ClueKind::UncaughtException, "int"},
    {"libc++abi: terminating due to uncaught exception of type std::logic_error: why",
     ClueKind::UncaughtException, "std::logic_error: why"},
    {"Traceback (most recent call last):\n  File \"<string>\", line 1, in <module>\nKeyError: "
     "'x'\n",
     ClueKind::UncaughtException, "KeyError: 'x'"},
    {"Traceback (most recent call last):\n  File \"a\", line 1\nKeyError: 'x'\n\nDuring handling "
     "of "
     "the above exception, another exception occurred:\n\nTraceback (most recent call last):\n  "
     "File \"a\", line 2\nValueError: y\n",
     ClueKind::UncaughtException, "ValueError: y"},
    {"[eval]:1\nthrow new TypeError(\"boom\")\n^\n\nTypeError: boom\n    at [eval]:1:7\n    at "
     "runScriptInThisContext (node:internal/vm:209:10)\n\nNode.js v20.20.2\n",
     ClueKind::UncaughtException, "TypeError: boom"},
    {"UnhandledPromiseRejection: no .catch()\n    at throwUnhandledRejectionsMode (node:x:389:7)",
     ClueKind::UncaughtException, "UnhandledPromiseRejection: no .catch()"},
    {"TypeError [ERR_X]: boom\n    at f (a.js:1:7)", ClueKind::UncaughtException,
     "TypeError [ERR_X]: boom"},
    {"Exception in thread \"main\" java.lang.IllegalStateException: why\n\tat X.main(X.java:1)",
     ClueKind::UncaughtException, "java.lang.IllegalStateException: why"},
    {"panic: runtime error: index out of range\n\ngoroutine 1 [running]:\nmain.main()",
     ClueKind::UncaughtException, "panic: runtime error: index out of range"},
    {"fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 [chan receive]:",
     ClueKind::UncaughtException, "fatal error: all goroutines are asleep - deadlock!"},
    {"\nthread 'main' (8534) panicked at p.rs:1:151:\nindex out of bounds: the len is 0\nstack "
     "backtrace:",
     ClueKind::UncaughtException, "panic: index out of bounds: the len is 0"},
    {"thread 'main' panicked at 'bad', src/main.rs:2:5", ClueKind::UncaughtException,
     "panic: 'bad', src/main.rs:2:5"},
    {"PHP Fatal error:  Uncaught Exception: boom in Command line code:1",
     ClueKind::UncaughtException, "Exception: boom in Command line code:1"},
    {"Unhandled exception. System.Exception: boom\n   at P.Main()", ClueKind::UncaughtException,
     "System.Exception: boom"},
};

void expect_rows(std::span<const Row> rows) {
  for (const Row& row : rows) {
    const auto clues = find_clues(row.output);
    const OutputClue* clue = find_clue(clues, row.kind);
    ASSERT_NE(clue, nullptr) << row.output;
    EXPECT_EQ(clue->subject, row.subject) << row.output;
    EXPECT_EQ(clue->object, row.object) << row.output;
    EXPECT_EQ(clue->port.value_or(0), row.port) << row.output;
  }
}

TEST(OutputClues, ReadLoaders) { expect_rows(kLoaderRows); }
TEST(OutputClues, ReadShells) { expect_rows(kShellRows); }
TEST(OutputClues, ReadImports) { expect_rows(kModuleRows); }
TEST(OutputClues, ReadAddressesThatAreTaken) { expect_rows(kPortRows); }
TEST(OutputClues, ReadAllocationsThatFailed) { expect_rows(kMemoryRows); }
TEST(OutputClues, ReadProcessesThatWereRefused) { expect_rows(kForkRows); }
TEST(OutputClues, ReadWhatLibrariesSayWhenTheyAbort) { expect_rows(kAbortRows); }
TEST(OutputClues, ReadIdentities) { expect_rows(kIdentityRows); }
TEST(OutputClues, ReadExceptions) { expect_rows(kExceptionRows); }

TEST(OutputClues, FindNothingInEverydayOutput) {
  for (const char* output : {"",
                             "\n\n",
                             "listening on :8080\n",
                             "GET /address/80 200\n",
                             "at the end\n    at all\n",
                             "Permission denied\n",
                             "user root: Permission denied\n",
                             "the file is already in use\n",
                             "panic: a word in a log\nand nothing after it\n",
                             "2 modules loaded\n",
                             "publish: item 3: not found\n\n",
                             "what(): nothing was thrown\n",
                             "freed 3 pages, version 2 not found\n",
                             "Email address is already in use\n",
                             "WARN signup of user 5: the address already in use was sent\n",
                             "ticket moved to support 5, its name is already in use\n",
                             "2026-11-23 12:00:05 the name is already in use\n",
                             "WARN upload rejected: file too short\n",
                             "Error: upload: file too short\n",
                             "OSError: upload of a.zip: file too short\n",
                             "check of logo.png: invalid ELF header\n",
                             "pool_free(): 3 buffers kept\n",
                             "xmalloc(): 12 calls\n",
                             "peak memory allocation of pool 3 is 5 MB\n",
                             "Allowed memory size of tenant 5: 3 GB\n",
                             "page for the unknown user was shown\n",
                             "cap_setuid is denied to tenants\n",
                             "OutOfMemoryErrors so far: 0\n"}) {
    EXPECT_THAT(find_clues(output), IsEmpty()) << output;
  }
}

TEST(OutputClues, KeepTheLastOfEachKind) {
  const auto clues = find_clues("sh: 1: a: not found\nsh: 1: b: not found\nMemoryError\n");
  EXPECT_THAT(clues, SizeIs(2));
  EXPECT_EQ(find_clue(clues, ClueKind::CommandNotFound)->subject, "b");
  EXPECT_NE(find_clue(clues, ClueKind::OutOfMemory), nullptr);
  EXPECT_EQ(find_clue(clues, ClueKind::PortInUse), nullptr);
}

TEST(OutputClues, AreBounded) {
  const std::string early = "sh: 1: early: not found\n";
  EXPECT_THAT(find_clues(early + std::string(70000, 'x')), IsEmpty());
  const std::string name(3000, 'n');
  EXPECT_THAT(find_clues("sh: 1: " + name + ": not found\n"), IsEmpty());
  const auto clues = find_clues("Unhandled exception. " + std::string(900, 'n'));
  ASSERT_THAT(clues, SizeIs(1));
  EXPECT_EQ(clues[0].subject, std::string(200, 'n') + "…");
}

TEST(OutputClues, AreCutBetweenCharacters) {
  const auto thrown = [](const std::string& what) {
    return find_clues("Unhandled exception. " + what)[0].subject;
  };
  std::string umlauts, hundred;
  for (int i = 0; i < 200; ++i) umlauts += "ü";
  for (int i = 0; i < 100; ++i) hundred += "ü";
  EXPECT_EQ(thrown(umlauts), hundred + "…");
  EXPECT_EQ(thrown("x" + umlauts), "x" + hundred.substr(2) + "…");
  EXPECT_EQ(thrown(hundred), hundred) << "200 bytes are not too many";
}

TEST(OutputClues, HaveNothingThatMovesACursor) {
  EXPECT_EQ(find_clues("Unhandled exception. a\x1b[2Jb\xff")[0].subject, "a\\x1b[2Jb\\xff");
  EXPECT_EQ(last_line("one\n\x1b]0;title\x07"), "\\x1b]0;title\\x07");
  EXPECT_EQ(last_line(std::string(500, '\x1b')).size(), 200 + std::string_view("…").size());
}

TEST(LastLine, IsTheLastThatIsNotEmpty) {
  EXPECT_EQ(last_line("one\ntwo\r\n\n  \n"), "two");
  EXPECT_EQ(last_line("only"), "only");
  EXPECT_EQ(last_line(" \n"), "");
  EXPECT_THAT(last_line(std::string(1000, 'x')), SizeIs(200 + std::string_view("…").size()));
}

std::vector<std::string> pieces() {
  std::vector<std::string> found = {"\n",
                                    "\r",
                                    "'",
                                    "`",
                                    "\"",
                                    ": ",
                                    ":",
                                    "(",
                                    ")",
                                    "80",
                                    "65536",
                                    "Traceback (most recent call last):\n",
                                    "    at x\n",
                                    "\xff",
                                    std::string(1, '\0'),
                                    "panicked at ",
                                    "version `",
                                    "what():",
                                    "Connection in use: ('",
                                    "', ",
                                    "exec: ",
                                    "port ",
                                    "::"};
  const std::span<const Row> tables[] = {kLoaderRows, kShellRows, kModuleRows, kPortRows,
                                         kExceptionRows};
  for (const auto rows : tables) {
    for (const Row& row : rows) found.emplace_back(row.output);
  }
  return found;
}

// Whole texts, cut anywhere, in any order, with any bytes between them.
std::string any_output(std::mt19937& random) {
  static const std::vector<std::string> all = pieces();
  std::string output;
  const std::size_t parts = random() % 12;
  for (std::size_t i = 0; i < parts; ++i) {
    if (random() % 3 == 0) {
      for (std::size_t n = random() % 40; n > 0; --n) output += static_cast<char>(random() % 256);
      continue;
    }
    const std::string& piece = all[random() % all.size()];
    const std::size_t from = random() % 4 == 0 ? random() % piece.size() : 0;
    output += piece.substr(from, random() % 4 == 0 ? random() % piece.size() : piece.size());
  }
  return output;
}

TEST(OutputClues, TakeAnyBytes) {
  std::mt19937 random(5);
  for (int round = 0; round < 20000; ++round) {
    const std::string output = any_output(random);
    const auto clues = find_clues(output);
    std::set<ClueKind> kinds;
    for (const OutputClue& clue : clues) {
      EXPECT_TRUE(kinds.insert(clue.kind).second);
      EXPECT_LE(clue.subject.size(), 203u);
      EXPECT_LE(clue.object.size(), 203u);
    }
    EXPECT_LE(last_line(output).size(), 203u);
  }
}

}  // namespace
}  // namespace poolwarden::diagnosis
