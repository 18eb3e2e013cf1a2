"""The machine whose kernel has every controller in one cgroup v2 hierarchy, and nothing else: no
systemd, no Python; a shell that runs the C++ tests about containment, and stories of the whole
program, and tells what came of them."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import emulator
from guest_disk import GuestDisk
from kernel import kernel

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BUILD", ROOT / "build" / "release")).resolve()
BINARIES = BUILD / "tests"
PROGRAM = Path(os.environ.get("POOLWARDEN", BUILD / "poolwarden")).resolve()
SOURCE = Path(__file__).parent / "guest"

# guest/enter says what each of them is.
RIGHTS = ("root", "delegated")
WITHOUT_MEMORY = "without_memory"
WITHOUT_MEMORY_TOO = re.compile("Real(Tree|LimitHits)|EachContainment|placement|fork_bomb"
                                "|processor_time|descendants|doctor")
TEST_PROGRAMS = ("integration_cgroup", "integration_process")
# What has nothing to do with the kernel's cgroups, or does without them: the same as anywhere else.
ELSEWHERE = re.compile(
    r"(OwnDirectory|Hierarchies|OnlyV1|NoC\w+|\w+Files|Events|Cures|LimitHitsLedger|SupervisorLeaf"
    r"|Alarms|Coroners|Worker(Output|Pings|Readiness)|EndsWithoutCgroups|Backtraces"
    r"|DebuggedProgram|TracingRights"
    r"|Threads)\."
    r"|Children\.(AHook|AService|FindDescriptors|FindWhat)|WorkerDrill\.(?!\w*MemoryLimit)"
    r"|WorkerLife\.Names(An|AFile|AMissing|ADirectory|ThePath)|EachConnect|/(None|OnlyV1)$|OnV1$")
# What only root may do: become another user, or give capabilities away.
AS_ROOT = re.compile(r"IsTheUserWithItsGroups|MayBeABareNumber|AnEmptyListOfCapabilities"
                     r"|ANamedCapability|DieWithTheirSupervisor")
ROUNDS = int(os.environ.get("ROUNDS", "3"))  # in which a tree of two hundred has to end
LONGEST_JOB = 120 + 20 * ROUNDS  # seconds, on an emulated processor
LONGEST = 600 + 30 * ROUNDS


@dataclass
class Told:
    """What a test or story told, and how it ended."""

    status: int
    seconds: int
    left: list  # cgroups and processes
    lines: list

    def of(self, key):
        """The values that a story told under this key."""
        return [value for found, _, value in (line.partition(" ") for line in self.lines)
                if found == key]


def rights_for(name):
    """What a test or story is run with."""
    rights = [rights for rights in RIGHTS if rights == "root" or not AS_ROOT.search(name)]
    return rights + [WITHOUT_MEMORY] * bool(WITHOUT_MEMORY_TOO.search(name))


def contained_tests():
    """(rights, test program, test) of every C++ test that is to be run here."""
    for program in TEST_PROGRAMS:
        listing = subprocess.run([BINARIES / program, "--gtest_list_tests"],
                                 capture_output=True, text=True, check=True).stdout
        suite = ""
        for line in listing.splitlines():
            name = line.partition("#")[0].rstrip()
            if not name.startswith(" "):
                suite = name
            elif not ELSEWHERE.search(suite + name.strip()):
                for rights in rights_for(suite + name.strip()):
                    yield rights, program, suite + name.strip()


def boot(folder, jobs, boot_options=""):
    """Runs the jobs (rights, kind, name), all in one boot; job -> Told."""
    disk = _disk(folder, jobs).image("600M")
    text = emulator.run(
        kernel(), folder, LONGEST, f"root=/dev/nvme0n1 rw init=/guest/init {boot_options}",
        devices=["-drive", f"file={disk},if=none,id=disk,format=raw,cache=unsafe",
                 "-device", "nvme,drive=disk,serial=disk"])
    return _read(text)


def _disk(folder, jobs):
    disk = GuestDisk(folder)
    disk.add_busybox(but=["nsenter", "unshare", "setpriv", "flock"])
    shutil.copytree(SOURCE, disk.place("guest"))
    disk.add_program(PROGRAM, "guest/poolwarden")
    for name in TEST_PROGRAMS:
        disk.add_program(BINARIES / name, BINARIES / name)
    for path in filter(Path.is_file, BINARIES.glob("workers/**/*")):  # tests know this path
        disk.add_program(path, path)
    disk.write("guest/jobs", "".join(" ".join(job) + "\n" for job in jobs))
    disk.write("guest/settings", f"BINARIES={BINARIES}\n"
                                 f"LONGEST={LONGEST_JOB}\nJOBS=2\nROUNDS={ROUNDS}\n")
    return disk


def _read(text):
    told, lines = {}, []
    for line in text.splitlines():
        word, _, rest = line.partition(" ")
        if word == "begin":
            job, lines = tuple(rest.split()), []
        elif word == "end" and rest:
            status, seconds, *left = rest.split()
            told[job] = Told(int(status), int(seconds), left, lines)
        elif line.startswith("|"):
            lines.append(line[1:])
    return told
