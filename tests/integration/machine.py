"""What this machine lets a story see."""

import re
import subprocess
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
# Put before a command, which then sees no cgroup file system at all; as root.
WITHOUT_CGROUPS = ["unshare", "--mount", "--fork", "sh", "-c",
                   'umount -a -t cgroup,cgroup2 && exec "$@"', "sh"]


def memory_can_be_limited():
    return _has_controller("memory")


def pids_can_be_limited():
    return _has_controller("pids")


def cpu_can_be_limited():
    return _has_controller("cpu")


def cores_are_files():
    """The kernel writes a core file where the process is (core_pattern of core(5))."""
    return not Path("/proc/sys/kernel/core_pattern").read_text().startswith(("|", "/"))


def _has_controller(name):
    if (CGROUPS / "cgroup.controllers").exists():
        controllers = (CGROUPS / "cgroup.controllers").read_text().split()
        return name in controllers and _writable(CGROUPS)
    return _writable(CGROUPS / name)


def _writable(folder):
    probe = folder / "poolwarden-probe"
    try:
        probe.mkdir()
        probe.rmdir()
    except OSError:
        return False
    return True


def is_sanitized(program):
    """Its processes have far more memory than a small limit lets them take."""
    return "libasan" in subprocess.run(["ldd", program], capture_output=True, text=True).stdout


def cgroups_of(pid):
    """Its folders below the mounted hierarchies, but not the hierarchies' own roots."""
    found = []
    for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        tops = [CGROUPS / name.removeprefix("name=") for name in controllers.split(",")]
        tops.append(CGROUPS / "unified")
        found += [top / path[1:] for top in tops if path != "/" and (top / path[1:]).is_dir()]
    return list(dict.fromkeys(found))


def cpu_ticks(pid):
    """User and system time of a process, in clock ticks."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def resident_bytes(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines()
                if line.startswith("VmRSS"))


def tracer_of(pid):
    """The process that traces it, or 0."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"TracerPid:\s*(\d+)", status)[1])


def children(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
