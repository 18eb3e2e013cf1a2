"""A virtual machine with Debian's kernel and systemd, whose disk is an image of the engine held in
memory: for what no container shows, such as a real cgroup v2 hierarchy of systemd's own."""

import shutil
import subprocess
import tempfile
from pathlib import Path

import emulator
from images import build
from kernel import kernel

DOCKERFILE = """\
FROM {base}
USER root
RUN apt-get update && apt-get install -y --no-install-recommends systemd systemd-sysv curl procps \\
    && rm -rf /var/lib/apt/lists/* /var/cache/apt /usr/share/doc /usr/share/locale \\
    && ln -s /lib/systemd/systemd /init
"""
LONGEST = 270  # seconds; the processor is emulated


def boot(engine, base, files, tag="poolwarden-e2e-systemd"):
    """Boots, runs /story, which is to end with `poweroff -f -f`; what that wrote. `files`: path in
    the machine -> (contents, mode)."""
    folder = Path(tempfile.mkdtemp(prefix="pw-vm-"))
    try:
        (folder / "Dockerfile").write_text(DOCKERFILE.format(base=base))
        build(engine, tag, folder)
        root = folder / "root"
        _unpack(engine, tag, root)
        for path, (contents, mode) in {**files, **_STORY}.items():
            place = root / path.lstrip("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(contents)
            place.chmod(mode)
        disk = folder / "initrd.gz"
        subprocess.run("find . | cpio --create --format newc --quiet | gzip -1", shell=True, cwd=root,
                       check=True, stdout=disk.open("wb"))
        shutil.rmtree(root)
        return emulator.run(kernel(), folder, LONGEST, devices=["-initrd", disk])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _unpack(engine, image, root):
    root.mkdir()
    container = engine.docker("create", "--label", engine.label, image)
    with subprocess.Popen(["docker", "export", container], stdout=subprocess.PIPE) as export:
        subprocess.run(["tar", "-C", root, "-x"], stdin=export.stdout, check=True)
    engine.docker("rm", container)
    (root / ".dockerenv").unlink(missing_ok=True)  # else systemd believes that it is in a container


_STORY = {
    "/etc/systemd/system/story.service": (
        "[Service]\nExecStart=/story\nStandardOutput=file:/dev/ttyS1\nStandardError=inherit\n", 0o644),
    "/etc/systemd/system/multi-user.target.d/story.conf": ("[Unit]\nWants=story.service\n", 0o644),
}
