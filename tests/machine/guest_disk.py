"""The disk of a machine: a file system made from programs of this one and the libraries they need."""

import re
import shutil
import subprocess
from pathlib import Path

ACCOUNTS = {
    "etc/passwd": """\
root:x:0:0:root:/root:/bin/sh
www-data:x:33:33:www-data:/var/www:/bin/false
tester:x:1000:1000:tester:/tmp:/bin/sh
nobody:x:65534:65534:nobody:/nonexistent:/bin/false
""",
    "etc/group": "root:x:0:\nadm:x:4:\nwww-data:x:33:\ntester:x:1000:\nnogroup:x:65534:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\n",
}


class GuestDisk:
    def __init__(self, folder):
        self._root, self._image = folder / "root", folder / "disk"
        for name in ("bin", "dev", "etc", "proc", "run", "sys", "tmp", "usr/share"):
            (self._root / name).mkdir(parents=True)
        (self._root / "usr/bin").symlink_to("../bin")
        for path, text in ACCOUNTS.items():
            self.write(path, text)

    def write(self, path, text):
        self.place(path).write_text(text)

    def place(self, path):
        """Where a path of the machine is for now."""
        place = self._root / str(path).lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        return place

    def add_busybox(self, but):
        """With all its commands but these, which are the ones of this machine."""
        self.add_program(_found("busybox"), "bin/busybox")
        for name in _output("busybox", "--list").split():
            if name not in ("busybox", *but):
                self.place(f"bin/{name}").symlink_to("busybox")
        for name in but:
            self.add_program(_found(name), f"bin/{name}")

    def add_program(self, source, path):
        """Without its symbols, with its libraries."""
        place = self.place(path)
        shutil.copy(source, place)
        subprocess.run(["strip", place], check=True)
        listed = subprocess.run(["ldd", source], capture_output=True, text=True).stdout  # 1: static
        for library in re.findall(r"(/\S+) \(0x", listed):
            if not self.place(library).exists():
                shutil.copy(library, self.place(library))

    def image(self, size):
        _output("mkfs.ext4", "-q", "-d", self._root, self._image, size)
        shutil.rmtree(self._root)
        return self._image


def _found(name):
    path = shutil.which(name)
    if path is None:
        raise RuntimeError(f"there is no {name}: run `make deps-e2e`")
    return Path(path)


def _output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
