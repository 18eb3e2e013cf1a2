// Ends by an exit code: what the code, the output and what was found beside it say together.

#include <gtest/gtest.h>

#include <csignal>

#include "unit/diagnosis/deaths.h"

namespace poolwarden::diagnosis {
namespace {

struct Row {
  int code;
  const char* output;
  Expected expected;
};

// So many that what stands before them is long past.
const std::string kManyLines = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\nGET / 200\n";

const Row kRows[] = {
    {0,
     "",
     {Cause::ExitZero, Detail::None, "exited with code 0 without having been asked to stop",
      "foreground"}},
    {1,
     "",
     {Cause::ExitNonzero, Detail::None, "exited with code 1", "It wrote nothing to its output"}},
    {1,
     "/bin/echo: write error: Bad file descriptor\n",
     {Cause::ExitNonzero, Detail::BrokenOutput,
      "exited with code 1 because its output was closed: /bin/echo: write error: Bad file "
      "descriptor",
      "closes its stdout or stderr"}},
    {3,
     "starting\ndatabase is not there\n",
     {Cause::ExitNonzero, Detail::None,
      "exited with code 3; its last words: \"database is not there\"", "Look in the worker's"}},
    {1,
     "Traceback (most recent call last):\n  File \"a.py\"\nValueError: told the client\n"
     "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\nGET / 200\n",
     {Cause::ExitNonzero, Detail::None, "exited with code 1; its last words: \"GET / 200\"",
      "Look in the worker's output"}},
    {2,
     "panic: no luck\n\ngoroutine 1 [running]:\nmain.a()\n\t/a.go:1\nmain.b()\nmain.c()\n"
     "main.d()\nmain.e()\nmain.f()\nmain.g()\nmain.h()\nmain.i()\nmain.j()\nmain.k()\nmain.l()",
     {Cause::ExitNonzero, Detail::UncaughtException,
      "exited with code 2 after an uncaught exception: panic: no luck", "exception"}},
    {69,
     "",
     {Cause::ExitNonzero, Detail::None, "exited with code 69 (EX_UNAVAILABLE)",
      "what it needs can be reached"}},
    {78,
     "no such key: prot",
     {Cause::ConfigError, Detail::None,
      "exited with code 78 (EX_CONFIG); its last words: \"no such key: prot\"",
      "worker's own configuration"}},
    {255, "", {Cause::Exit255, Detail::None, "exited with code 255", "exit(-1)"}},
    {255,
     "PHP Fatal error:  Uncaught Exception: boom in x.php:1",
     {Cause::Exit255, Detail::UncaughtException,
      "exited with code 255 after an uncaught exception: Exception: boom in x.php:1", "exception"}},
    {139,
     "Segmentation fault",
     {Cause::ExitNonzero, Detail::None,
      "exited with code 139 (128 + 11: SIGSEGV of a child, as shells tell it); its last words: "
      "\"Segmentation fault\"",
      "exec"}},
    {134,
     "free(): invalid pointer\nAborted",
     {Cause::ExitNonzero, Detail::DamagedHeap,
      "exited with code 134 because its heap was damaged: free(): invalid pointer",
      "AddressSanitizer"}},
    {126,
     "sh: 1: /srv/app: Permission denied",
     {Cause::ExecNotExecutable, Detail::NotExecutable,
      "exited with code 126 (a shell or wrapper could not execute /srv/app)", "mode"}},
    {126,
     "",
     {Cause::ExecNotExecutable, Detail::NotExecutable,
      "exited with code 126 (a shell or wrapper could not execute a program)", "mode"}},
    {127,
     "sh: 1: gunicorn: not found",
     {Cause::ExitNonzero, Detail::MissingProgram,
      "exited with code 127 (a shell found no gunicorn)", "Install gunicorn"}},
    {127, "", {Cause::ExitNonzero, Detail::None, "exited with code 127", "the loader"}},
    {127,
     "app: error while loading shared libraries: libx.so.1: cannot open shared object file: No "
     "such file or directory",
     {Cause::LoaderFailed, Detail::MissingLibrary,
      "exited with code 127 because its loader found no libx.so.1, which app needs",
      "Install the package that brings libx.so.1"}},
    {127,
     "Error loading shared library libx.so.1: No such file or directory (needed by /srv/app)",
     {Cause::LoaderFailed, Detail::MissingLibrary,
      "exited with code 127 because its loader found no libx.so.1, which /srv/app needs",
      "--with loader"}},
    {127,
     "app: error while loading shared libraries: /l/libx.so.1: file too short",
     {Cause::LoaderFailed, Detail::MissingLibrary,
      "exited with code 127 because /l/libx.so.1 is damaged, which app needs",
      "Install libx.so.1 again"}},
    {127,
     "app: error while loading shared libraries: libx.so.1: wrong ELF class: ELFCLASS32",
     {Cause::LoaderFailed, Detail::WrongArchitecture,
      "exited with code 127 because libx.so.1 is of another architecture, which app needs",
      "this machine's architecture"}},
    {127,
     "app: symbol lookup error: /l/libx.so: undefined symbol: f",
     {Cause::LoaderFailed, Detail::MissingSymbol,
      "exited with code 127 because /l/libx.so has no symbol f", "fit together"}},
    {1,
     "app: /lib/libc.so.6: version `GLIBC_2.38' not found (required by app)",
     {Cause::LoaderFailed, Detail::MissingSymbol,
      "exited with code 1 because /lib/libc.so.6 has no version GLIBC_2.38, which it was built for",
      "newer system"}},
    {1,
     "app: /l/libx.so: version `X_2' not found (required by app)",
     {Cause::LoaderFailed, Detail::MissingSymbol,
      "exited with code 1 because /l/libx.so has no version X_2, which it was built for",
      "Install the version of libx.so"}},
    {3,
     "app: error while loading shared libraries: libx.so.1: cannot open shared object file",
     {Cause::ExitNonzero, Detail::MissingLibrary,
      "exited with code 3 because its loader found no libx.so.1, which app needs",
      "Install the package that brings libx.so.1"}},
    {1,
     "OSError: [Errno 98] Address already in use",
     {Cause::PortInUse, Detail::None, "exited with code 1 because its address was in use",
      "$POOLWARDEN_SOCKET"}},
    {1,
     "Error: listen EADDRINUSE: address already in use :::80",
     {Cause::PortInUse, Detail::None, "exited with code 1 because :::80 was in use",
      "$POOLWARDEN_SOCKET"}},
    {0,
     "Address already in use",
     {Cause::ExitZero, Detail::None, "exited with code 0 without having been asked to stop",
      "foreground"}},
    {1,
     "Traceback (most recent call last):\n  File \"a.py\", line 1\nModuleNotFoundError: No module "
     "named 'app'\n",
     {Cause::ExitNonzero, Detail::MissingModule, "exited with code 1 because it could not load app",
      "Install app"}},
    {1,
     "ImportError: libpq.so.5: cannot open shared object file: No such file or directory",
     {Cause::ExitNonzero, Detail::MissingLibrary,
      "exited with code 1 because it could not load libpq.so.5", "Install libpq.so.5"}},
    {1,
     "nginx: [emerg] getpwnam(\"www\") failed",
     {Cause::ExitNonzero, Detail::UnknownUser,
      "exited with code 1 because a user does not exist: nginx: [emerg] getpwnam(\"www\") failed",
      "Make the user"}},
    {2,
     "setgid(33) failed (1: Operation not permitted)",
     {Cause::ExitNonzero, Detail::IdentityRefused,
      "exited with code 2 because it may not change its user: setgid(33) failed (1: Operation not "
      "permitted)",
      "identity.user"}},
    {1,
     "java.lang.OutOfMemoryError: Java heap space",
     {Cause::ExitNonzero, Detail::OutOfMemoryInside,
      "exited with code 1 because it got no more memory: java.lang.OutOfMemoryError: Java heap "
      "space",
      "-Xmx"}},
    {1,
     "Traceback (most recent call last):\n  File \"a.py\", line 1\nBrokenPipeError: [Errno 32] "
     "Broken pipe\n",
     {Cause::ExitNonzero, Detail::BrokenOutput,
      "exited with code 1 because the other end of a pipe or connection was closed: "
      "BrokenPipeError: [Errno 32] Broken pipe",
      "who closed"}},
    {120,
     "Exception ignored in: <_io.TextIOWrapper name='<stdout>' mode='w' encoding='utf-8'>",
     {Cause::ExitNonzero, Detail::BrokenOutput,
      "exited with code 120 because nobody read what it wrote: Exception ignored in: "
      "<_io.TextIOWrapper name='<stdout>' mode='w' encoding='utf-8'>",
      "who closed"}},
    {1,
     "Traceback (most recent call last):\n  File \"a.py\", line 1\nKeyError: 'x'\n",
     {Cause::ExitNonzero, Detail::UncaughtException,
      "exited with code 1 after an uncaught exception: KeyError: 'x'", "exception"}},
};

TEST(ExitCode, IsReadTogetherWithTheOutput) {
  for (const Row& row : kRows) expect(unasked(left(Exited{row.code}, row.output)), row.expected);
}

TEST(ExitCode, IsReadFromTheLinesWhereThereIsNoText) {
  Evidence evidence = left(Exited{127});
  evidence.output = {{false, "hello"}, {true, "sh: 1: gunicorn: not found"}};
  EXPECT_EQ(unasked(evidence).detail, Detail::MissingProgram);
}

TEST(ExitZero, IsADaemonsWhenItsTreeLivesOn) {
  Evidence evidence = left(Exited{0});
  evidence.left_behind = {"1234 gunicorn"};
  expect(unasked(evidence),
         {Cause::ExitZero, Detail::Daemonized,
          "exited with code 0 without having been asked to stop, while 1234 gunicorn lived on: it "
          "had put itself into the background",
          "daemon mode"});
  evidence.left_behind = {"1234 gunicorn", "1235 gunicorn", "1236 gunicorn"};
  EXPECT_THAT(unasked(evidence).sentence,
              testing::HasSubstr("while 1234 gunicorn and 2 more lived on"));
}

TEST(Loader, IsToldOfLibrariesThatItPassedOver) {
  Evidence evidence =
      left(Exited{127},
           "app: error while loading shared libraries: libx.so.1: cannot open shared object file");
  evidence.loader = {{"app", "libother.so", "", ""},
                     {"app", "libx.so.1", "/usr/lib/libx.so.1", "aarch64"}};
  expect(unasked(evidence),
         {Cause::LoaderFailed, Detail::WrongArchitecture,
          "exited with code 127 because its loader found /usr/lib/libx.so.1 as the libx.so.1 that "
          "app needs, but that is for aarch64",
          "Install libx.so.1 for this machine's architecture"});
}

TEST(Import, IsToldOfALibraryForAnotherMachine) {
  Evidence evidence =
      left(Exited{1}, "ImportError: /srv/libx.so.1: cannot open shared object file");
  EXPECT_EQ(unasked(evidence).detail, Detail::MissingLibrary);
  evidence.loader = {{"", "", "/srv/libx.so.1", "aarch64"}};
  expect(unasked(evidence),
         {Cause::ExitNonzero, Detail::WrongArchitecture,
          "exited with code 1 because it could not load /srv/libx.so.1, which is for aarch64",
          "Install libx.so.1 for this machine's architecture"});
}

TEST(Loader, IsBelievedWithoutATextWhereALibraryIsMissing) {
  Evidence evidence = left(Exited{127});
  evidence.loader = {{"/srv/app", "libx.so.1", "", ""}};
  expect(unasked(evidence),
         {Cause::LoaderFailed, Detail::MissingLibrary,
          "exited with code 127 because its loader found no libx.so.1, which /srv/app needs",
          "Install the package"});
  evidence.last_output = "sh: 1: app: not found";
  EXPECT_EQ(unasked(evidence).cause, Cause::ExitNonzero);
}

TEST(Shell, IsToldOfAProgramForAnotherMachine) {
  Evidence evidence = left(Exited{126}, "sh: 1: /srv/app: Exec format error");
  evidence.loader = {{"", "", "/srv/app", "aarch64"}};
  expect(unasked(evidence),
         {Cause::ExecNotExecutable, Detail::WrongArchitecture,
          "exited with code 126 (a shell could not execute /srv/app, which is for aarch64)",
          "this machine's architecture"});
}

TEST(PortInUse, NamesTheHolder) {
  Evidence evidence = left(Exited{1}, "bind: address already in use");
  evidence.port_holder = PortHolder{8080, 123, "nginx"};
  expect(unasked(evidence),
         {Cause::PortInUse, Detail::None,
          "exited with code 1 because port 8080 was in use by process 123 (nginx)",
          "Or end process 123 (nginx)."});
  evidence.port_holder = PortHolder{8080, 0, ""};
  EXPECT_EQ(unasked(evidence).sentence, "exited with code 1 because port 8080 was in use");
}

TEST(PortInUse, IsNotBelievedForSomebodyWhoListensThere) {
  Evidence evidence = left(Exited{1});
  evidence.port_holder = PortHolder{8080, 123, ""};
  EXPECT_EQ(unasked(evidence).cause, Cause::ExitNonzero);
  evidence.last_output = "bind: address already in use\n" + kManyLines;
  EXPECT_EQ(unasked(evidence).cause, Cause::ExitNonzero) << "it was long ago, and it went on";
}

TEST(PortInUse, MayBeOfASocketInTheFileSystem) {
  Evidence evidence = left(Exited{1}, "bind: Address already in use");
  evidence.port_holder = PortHolder{0, 123, "old"};
  EXPECT_EQ(unasked(evidence).sentence,
            "exited with code 1 because its socket was in use by process 123 (old)");
}

TEST(OldOutput, IsNotWhatItEndedOf) {
  const std::pair<int, const char*> rows[] = {
      {1, "app: /lib/libc.so.6: version `GLIBC_2.38' not found (required by app)"},
      {3, "app: error while loading shared libraries: libx.so.1: cannot open shared object file"},
      {134, "free(): invalid pointer"},
      {134, "MemoryError"},
      {1, "Error: listen EADDRINUSE: address already in use :::80"},
      {1, "Traceback (most recent call last):\n  File \"a.py\"\nValueError: told the client"},
  };
  for (const auto& [code, output] : rows) {
    const Diagnosis told = unasked(left(Exited{code}, output + ("\n" + kManyLines)));
    EXPECT_EQ(name(told.cause), name(Cause::ExitNonzero)) << output;
    EXPECT_EQ(name(told.detail), name(Detail::None)) << output;
    EXPECT_THAT(told.sentence, testing::HasSubstr("its last words: \"GET / 200\"")) << output;
  }
}

TEST(OldOutput, OfAShellOrLoaderCountsOnlyWhereNothingCouldBegin) {
  const std::string shell = "sh: 1: gunicorn: not found\n" + kManyLines;
  EXPECT_EQ(unasked(left(Exited{127}, shell)).detail, Detail::MissingProgram);
  EXPECT_EQ(diagnose(left(Exited{127}, shell), {.was_ready = true}).detail, Detail::None);
  const std::string loader = "app: symbol lookup error: app: undefined symbol: x\n" + kManyLines;
  EXPECT_EQ(unasked(left(Exited{127}, loader)).cause, Cause::LoaderFailed);
  EXPECT_EQ(diagnose(left(Exited{127}, loader), {.was_ready = true}).cause, Cause::ExitNonzero);
}

TEST(ExitCode, OfAShellWhoseChildTheOomKillerStruckIsOomKilled) {
  Evidence evidence = left(Exited{137}, "Killed");
  evidence.memory = {1, 1, 0, OomScope::OwnLimit, 1};
  evidence.memory_peak = 64u << 20;
  expect(unasked(evidence),
         {Cause::OomKilled, Detail::OwnMemoryLimit,
          "exited with code 137 (128 + 9), for its child was killed by the kernel's OOM killer at "
          "its own limit (limits.memory), with a peak of 64MiB",
          "limits.memory"});
  EXPECT_EQ(unasked(evidence).sender, Sender::KernelOom);
  evidence.memory.recent_oom_kills = 0;
  EXPECT_EQ(unasked(evidence).cause, Cause::ExitNonzero) << "it struck long before";
  EXPECT_EQ(unasked(evidence).sender, Sender::Itself);
}

TEST(ExitCode, TellsBesideItWhatBefellItsTree) {
  Evidence evidence = left(Exited{1});
  evidence.oom_kills = 1;
  EXPECT_EQ(unasked(evidence).cause, Cause::ExitNonzero);
  EXPECT_EQ(unasked(evidence).sentence,
            "exited with code 1; the kernel's OOM killer had struck 1 other process of its tree");
  evidence.oom_kills = 3;
  evidence.left_behind = {"5 a", "6 b"};
  EXPECT_EQ(unasked(evidence).sentence,
            "exited with code 1; the kernel's OOM killer had struck 3 other processes of its tree; "
            "2 processes of its tree lived on and were ended");
}

TEST(PidsLimit, IsBlamedForAFailureThatNothingElseExplains) {
  Evidence evidence = left(Exited{1});
  evidence.pids_limit_hits = 12;
  evidence.recent_pids_limit_hits = 2;
  expect(unasked(evidence),
         {Cause::ExitNonzero, Detail::PidsLimit,
          "exited with code 1 after limits.pids had refused it 12 new processes or threads",
          "Raise limits.pids"});
  evidence.pids_limit_hits = 1;
  EXPECT_EQ(unasked(evidence).sentence,
            "exited with code 1 after limits.pids had refused it 1 new process or thread");
  evidence.pids_limit_hits = 12;
  evidence.last_output =
      "Traceback (most recent call last):\n  x\nRuntimeError: can't start new thread\n";
  EXPECT_EQ(unasked(evidence).sentence,
            "exited with code 1 after limits.pids had refused it 12 new processes or threads; the "
            "last exception: RuntimeError: can't start new thread");
  evidence.last_output = "ModuleNotFoundError: No module named 'app'";
  EXPECT_EQ(unasked(evidence).sentence,
            "exited with code 1 because it could not load app; limits.pids had refused it 12 new "
            "processes or threads");
}

TEST(PidsLimit, IsNotBlamedForWhatItRefusedLongBefore) {
  Evidence evidence = left(Exited{1}, "database is not there");
  evidence.pids_limit_hits = 1;
  expect(unasked(evidence),
         {Cause::ExitNonzero, Detail::None,
          "exited with code 1; its last words: \"database is not there\"; limits.pids had refused "
          "it 1 new process or thread",
          "Look in the worker's output"});
  evidence.status = Signaled{SIGABRT};
  EXPECT_EQ(unasked(evidence).detail, Detail::None);
}

TEST(PidsLimit, IsBlamedWhereTheTextSaysSo) {
  for (const char* output :
       {"bash: fork: retry: Resource temporarily unavailable", "Error: spawn /bin/ls EAGAIN",
        "RuntimeError: can't start new thread",
        "java.lang.OutOfMemoryError: unable to create native thread: possibly out of memory"}) {
    Evidence evidence = left(Exited{1}, output);
    EXPECT_NE(unasked(evidence).detail, Detail::PidsLimit) << output;
    evidence.pids_limit_hits = 1;
    EXPECT_EQ(unasked(evidence).detail, Detail::PidsLimit) << output;
  }
}

TEST(Sentence, HasNothingThatMovesACursor) {
  const std::string output = "\x1b[2J\x1b]0;title\x07 \xff\xc3 failed";
  EXPECT_EQ(unasked(left(Exited{1}, output)).sentence,
            "exited with code 1; its last words: \"\\x1b[2J\\x1b]0;title\\x07 \\xff\\xc3 failed\"");
  Evidence evidence = left(Exited{0});
  evidence.left_behind = {"12 \x1b[2J"};
  EXPECT_THAT(unasked(evidence).sentence, testing::HasSubstr("while 12 \\x1b[2J lived on"));
}

TEST(Breach, IsToldBesideAnEndOfItsOwn) {
  Evidence evidence = left(Exited{1});
  evidence.protocol_breach = "SSH-2.0-x";
  EXPECT_EQ(unasked(evidence).cause, Cause::ExitNonzero);
  EXPECT_EQ(unasked(evidence).sentence,
            "exited with code 1; it had answered with something that is no HTTP: \"SSH-2.0-x\"");
}

TEST(ExitZero, OfAWorkerThatHadAnsweredIsNotBlamedOnADaemonMode) {
  const Evidence evidence = left(Exited{0});
  const Diagnosis served = diagnose(evidence, {.was_ready = true, .awaited = Awaited::Http});
  EXPECT_THAT(served.next_step, testing::Not(testing::HasSubstr("daemon mode")));
  EXPECT_THAT(served.next_step, testing::HasSubstr("SIGTERM"));
  const Diagnosis only_started = diagnose(evidence, {.was_ready = true});
  EXPECT_THAT(only_started.next_step, testing::HasSubstr("daemon mode"));
  EXPECT_THAT(only_started.next_step, testing::HasSubstr("SIGTERM"));
}

}  // namespace
}  // namespace poolwarden::diagnosis
