"""Debian's kernel for virtual machines, taken from its package without installing it."""

import subprocess
import tempfile
from pathlib import Path

KEPT = Path(__file__).resolve().parents[2] / "build" / "machine"
NEWEST = "linux-image-cloud-amd64"  # depends on the package of the newest version


def kernel():
    """Path of the kernel. What is needed for memory, serial lines, NVMe disks, ext4 and cgroups is
    built in, so its modules are left out."""
    package = _package()
    kept = KEPT / package
    if not kept.exists():
        KEPT.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=KEPT) as folder:
            _apt("apt-get", "download", package, cwd=folder)
            [archive] = Path(folder).glob("*.deb")
            subprocess.run(["dpkg", "-x", archive, folder], check=True)
            [found] = Path(folder).glob("boot/vmlinuz-*")
            found.rename(kept)
    return kept


def _package():
    listed = _apt("apt-cache", "depends", NEWEST).split()
    return next(word for word in listed if word.startswith("linux-image-") and word != NEWEST)


def _apt(*command, cwd=None):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"cannot get a kernel: {' '.join(command)}: {done.stderr.strip()}; "
                           "`apt-get update` may help")
    return done.stdout
