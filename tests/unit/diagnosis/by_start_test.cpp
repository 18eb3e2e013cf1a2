// Workers that never ran: each step, with each errno that means something of its own there.

#include <gtest/gtest.h>

#include <cerrno>

#include "unit/diagnosis/deaths.h"

namespace poolwarden::diagnosis {
namespace {

struct Row {
  NotStarted end;
  Detail detail;
  const char* sentence;  // a part of it
  const char* next_step;
  bool incurable;
};

const Row kRows[] = {
    {{SpawnStage::Exec, ENOENT, "/srv/app"},
     Detail::MissingProgram,
     "could not be started (exec): /srv/app: No such file or directory",
     "Correct the pool's",
     true},
    {{SpawnStage::Exec, EACCES, "/srv/app"},
     Detail::NotExecutable,
     "Permission denied",
     "executable for the pool's user",
     true},
    {{SpawnStage::Exec, ENOEXEC, "/srv/app"},
     Detail::NotExecutable,
     "neither a program of this machine's architecture nor a script",
     "#!/bin/sh",
     true},
    {{SpawnStage::Exec, E2BIG, "app"},
     Detail::None,
     "arguments and environment",
     "ulimit -s",
     true},
    {{SpawnStage::Exec, ETXTBSY, "app"}, Detail::None, "open for writing", "renaming", false},
    {{SpawnStage::Exec, ELOOP, "app"}, Detail::PathBlocked, "symbolic links", "namei", true},
    {{SpawnStage::Exec, ENAMETOOLONG, "app"}, Detail::MissingProgram, "too long", "Correct", true},
    {{SpawnStage::Exec, ENOTDIR, "app"}, Detail::PathBlocked, "no directory", "namei", true},
    {{SpawnStage::Exec, EPERM, "app"}, Detail::NotExecutable, "file capabilities", "getcap", true},
    {{SpawnStage::Exec, ELIBBAD, "app"},
     Detail::MissingInterpreter,
     "loader is damaged",
     "Install",
     true},
    {{SpawnStage::Exec, EISDIR, "app"},
     Detail::MissingInterpreter,
     "loader is a directory",
     "Install",
     true},
    {{SpawnStage::Exec, EINVAL, "app"}, Detail::NotExecutable, "two loaders", "Install", true},
    {{SpawnStage::Exec, EIO, "app"}, Detail::None, "could not be read", "dmesg", false},
    {{SpawnStage::Exec, ENOMEM, "app"}, Detail::None, "not enough memory", "memory", false},
    {{SpawnStage::Exec, EMFILE, "app"}, Detail::None, "too many files", "open_files", false},
    {{SpawnStage::Exec, ENFILE, "app"}, Detail::None, "too many files", "file-max", false},
    {{SpawnStage::Exec, 0, "cannot run an empty command"},
     Detail::None,
     "empty command",
     "Correct the pool's command",
     true},
    {{SpawnStage::Exec, ENOENT, "app", Obstacle::MissingDirectory},
     Detail::MissingProgram,
     "app",
     "a directory of its path",
     true},
    {{SpawnStage::Exec, ENOENT, "app", Obstacle::MissingInterpreter},
     Detail::MissingInterpreter,
     "app",
     "first line",
     true},
    {{SpawnStage::Exec, ENOENT, "app", Obstacle::MissingLoader},
     Detail::MissingInterpreter,
     "app",
     "musl",
     true},
    {{SpawnStage::Exec, EACCES, "app", Obstacle::BlockedDirectory},
     Detail::PathBlocked,
     "app",
     "pass through",
     true},
    {{SpawnStage::Exec, EACCES, "app", Obstacle::NotExecutable},
     Detail::NotExecutable,
     "app",
     "Make the program executable",
     true},
    {{SpawnStage::Exec, EACCES, "app", Obstacle::IsDirectory},
     Detail::NotExecutable,
     "app",
     "not its directory",
     true},
    {{SpawnStage::Exec, EACCES, "app", Obstacle::MountedNoexec},
     Detail::NotExecutable,
     "app",
     "without noexec",
     true},
    {{SpawnStage::Directory, ENOENT, "/gone"},
     Detail::MissingDirectory,
     "could not be started (directory): /gone: No such file or directory",
     "Correct the pool's directory",
     true},
    {{SpawnStage::Directory, EACCES, "/root"}, Detail::PathBlocked, "/root", "enter", true},
    {{SpawnStage::Identity, 0, "there is no user \"www\""},
     Detail::UnknownUser,
     "no user \"www\"",
     "useradd",
     true},
    {{SpawnStage::Identity, EPERM, "cannot become user 33"},
     Detail::IdentityRefused,
     "cannot become user 33",
     "setuid and setgid",
     true},
    {{SpawnStage::Identity, EAGAIN, "cannot become user 33"},
     Detail::IdentityRefused,
     "too many processes",
     "RLIMIT_NPROC",
     false},
    {{SpawnStage::Cgroup, ENOENT, "cannot enter its cgroup"},
     Detail::CgroupGone,
     "removed under it",
     "who removes cgroups",
     false},
    {{SpawnStage::Cgroup, ENODEV, "cannot enter its cgroup"},
     Detail::CgroupGone,
     "removed under it",
     "who removes cgroups",
     false},
    {{SpawnStage::Identity, ESRCH, "there is no user \"www\""},
     Detail::UnknownUser,
     "no user \"www\"",
     "useradd",
     true},
    {{SpawnStage::Cgroup, EBUSY, "x"},
     Detail::None,
     "may not have children",
     "Delegate=yes",
     false},
    {{SpawnStage::Cgroup, EOPNOTSUPP, "x"}, Detail::None, "threaded", "type domain", true},
    {{SpawnStage::Cgroup, EACCES, "x"}, Detail::None, "Permission denied", "best_effort", true},
    {{SpawnStage::Limits, EPERM, "x"}, Detail::None, "limits", "sys_resource", true},
    {{SpawnStage::Limits, EINVAL, "cannot set limits.affinity to 9"},
     Detail::None,
     "limits.affinity to 9",
     "Cpus_allowed_list",
     true},
    {{SpawnStage::Clone, EAGAIN, ""}, Detail::None, "clone", "pids limits", false},
    {{SpawnStage::Clone, ENOMEM, ""}, Detail::None, "clone", "memory limit", false},
    {{SpawnStage::Session, EPERM, ""}, Detail::None, "session", "descriptors", true},
    {{SpawnStage::Stdio, EMFILE, ""}, Detail::None, "stdio", "descriptors", false},
};

TEST(FailedStart, SaysWhichStepFailedAndWhatToDo) {
  for (const Row& row : kRows) {
    const Diagnosis told = unasked(left(row.end));
    EXPECT_EQ(told.cause, Cause::ExecFailed);
    EXPECT_EQ(name(told.detail), name(row.detail)) << told.sentence;
    EXPECT_THAT(told.sentence, testing::HasSubstr(row.sentence));
    EXPECT_THAT(told.next_step, testing::HasSubstr(row.next_step)) << told.sentence;
    EXPECT_EQ(told.incurable, row.incurable) << told.sentence;
    EXPECT_EQ(told.sender, Sender::Unknown) << told.sentence;
    EXPECT_FALSE(told.expected);
  }
}

TEST(FailedStart, NamesTheMachineThatAProgramIsFor) {
  Evidence evidence = left(NotStarted{SpawnStage::Exec, ENOEXEC, "/srv/app"});
  evidence.loader = {{"/srv/app", "", "/srv/app", "aarch64"}};
  expect(unasked(evidence), {Cause::ExecFailed, Detail::WrongArchitecture,
                             "could not be started (exec): /srv/app: Exec format error: /srv/app "
                             "is for aarch64",
                             "--platform"});
}

TEST(FailedStart, IsPutDownToThePidsLimitWhereThatRefusedIt) {
  Evidence evidence = left(NotStarted{SpawnStage::Clone, EAGAIN, ""});
  evidence.pids_limit_hits = 1;
  expect(unasked(evidence), {Cause::ExecFailed, Detail::PidsLimit,
                             "could not be started (clone): Resource temporarily unavailable: "
                             "limits.pids refused it",
                             "Raise limits.pids"});
}

}  // namespace
}  // namespace poolwarden::diagnosis
