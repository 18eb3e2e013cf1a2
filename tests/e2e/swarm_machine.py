"""A virtual machine with Debian's kernel and a Docker engine in it: for what the kernel of this
machine may lack, such as IPVS, which the routing mesh of Docker Swarm is made of."""

import shutil
import subprocess
import tempfile
from pathlib import Path

import emulator
from engine import Engine
from images import build
from supervisor import free_port
from waiting import eventually

TAG = "poolwarden-e2e-swarm-machine"
ENGINE = 2375
PATIENCE = 900  # seconds: an emulated processor, on a machine that may be busy
ADDRESS = "10.0.2.15"  # what qemu's user network gives to its only guest
DISK = "8G"            # sparse

DOCKERFILE = """\
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends \\
        docker.io iptables iproute2 kmod linux-image-cloud-amd64 initramfs-tools busybox zstd \\
    && rm -rf /var/lib/apt/lists/* /var/cache/apt /usr/share/doc /usr/share/locale
COPY init /sbin/engine-init
"""

# PID 1 of the machine: as little of a system as the engine needs.
INIT = f"""\
#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mountpoint -q /dev || mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
for place in /dev/shm /run /tmp; do mount -t tmpfs tmpfs $place; done
mount -t cgroup2 cgroup2 /sys/fs/cgroup
for module in virtio_net ip_vs ip_vs_rr overlay vxlan br_netfilter; do modprobe $module; done
ip link set lo up
card=$(ls /sys/class/net | grep -v -e lo -e docker | head -n 1)
ip address add {ADDRESS}/24 dev $card
ip link set $card up
ip route add default via 10.0.2.2
hostname swarm
exec dockerd --host tcp://0.0.0.0:{ENGINE} --tls=false --host unix:///var/run/docker.sock
"""


class SwarmMachine(Engine):
    """An engine like the one it is built with, but its commands go to the one in the machine.
    `images` of `builder` are in it from the start. Ports in `published` are reached at port()."""

    def __init__(self, builder, images, published):
        super().__init__()
        self.builder, self.images = builder, images
        self.ports = {port: free_port() for port in (*published, ENGINE)}
        self.folder = Path(tempfile.mkdtemp(prefix="pw-machine-"))
        self.console = self.folder / "console"
        self._machine = None

    def start(self):
        self._make_disk()
        self._machine = self._boot()
        eventually(self._is_up, "an engine in the virtual machine", PATIENCE)
        return self

    def stop(self):
        if self._machine is not None:
            self._machine.kill()
            self._machine.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def port(self, inside):
        return self.ports[inside]

    def try_docker(self, *arguments, timeout=120, **how):
        return super().try_docker("--host", f"tcp://127.0.0.1:{self.ports[ENGINE]}", *arguments,
                                  timeout=timeout, **how)

    def log_tail(self):
        return "\n".join(self.console.read_text(errors="replace").splitlines()[-40:])

    # Its disk

    def _make_disk(self):
        source = self.folder / "source"
        source.mkdir()
        (source / "Dockerfile").write_text(DOCKERFILE)
        (source / "init").write_text(INIT)
        (source / "init").chmod(0o755)
        build(self.builder, TAG, source)
        root = self.folder / "root"
        self._unpack(root)
        self._place_images(root / "var/lib/docker")
        for name in ("vmlinuz", "initrd.img"):
            found = next((root / "boot").glob(f"{name}-*"))
            shutil.move(found, self.folder / name)
        subprocess.run(["mkfs.ext4", "-q", "-d", root, self.folder / "disk", DISK], check=True)
        shutil.rmtree(root)

    def _unpack(self, root):
        root.mkdir()
        container = self.builder.docker("create", "--label", self.builder.label, TAG, "true")
        with subprocess.Popen(["docker", "export", container], stdout=subprocess.PIPE) as export:
            subprocess.run(["tar", "-C", root, "-x"], stdin=export.stdout, check=True)
        self.builder.docker("rm", container)

    def _place_images(self, data):
        """By an engine of their own on this machine: loading them in the other one takes minutes."""
        folder = Path(tempfile.mkdtemp(prefix="pw-place-"))  # short: it has sockets
        address = f"unix://{folder}/docker.sock"
        log = self.folder / "placing.log"
        daemon = subprocess.Popen(
            # In a network of its own: an engine without a bridge deletes the other one's docker0.
            ["unshare", "--net",
             "dockerd", "--host", address, "--data-root", data, "--exec-root", folder / "exec",
             "--pidfile", folder / "pid", "--bridge", "none", "--iptables=false",
             "--storage-driver", "overlay2"],
            stdin=subprocess.DEVNULL, stdout=log.open("wb"), stderr=subprocess.STDOUT)
        try:
            eventually(lambda: super(SwarmMachine, self).try_docker(
                "--host", address, "version").returncode == 0, "an engine to place images with", 90)
            with subprocess.Popen(["docker", "save", *self.images], stdout=subprocess.PIPE) as save:
                subprocess.run(["docker", "--host", address, "load", "--quiet"], stdin=save.stdout,
                               check=True, stdout=subprocess.DEVNULL)
            assert save.returncode == 0, "docker save failed"
        finally:
            daemon.terminate()
            daemon.wait(60)
            shutil.rmtree(folder, ignore_errors=True)

    # Its life

    def _boot(self):
        forwards = "".join(f",hostfwd=tcp:127.0.0.1:{outside}-:{inside}"
                           for inside, outside in self.ports.items())
        return subprocess.Popen(
            emulator.command(
                self.folder / "vmlinuz", "root=/dev/vda rw init=/sbin/engine-init", 3072,
                "-cpu", "max", "-initrd", self.folder / "initrd.img",
                "-drive", f"file={self.folder / 'disk'},if=virtio,format=raw,cache=unsafe",
                "-nic", f"user,model=virtio-net-pci{forwards}", "-serial", f"file:{self.console}"),
            stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT,
            stdout=(self.folder / "qemu.log").open("wb"))

    def _is_up(self):
        status = self._machine.poll()
        assert status is None, f"qemu ended with {status}: {(self.folder / 'qemu.log').read_text()}"
        try:
            return self.try_docker("version", timeout=5).returncode == 0
        except subprocess.TimeoutExpired:
            return False  # qemu takes connections long before the machine does
