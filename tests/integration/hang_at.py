"""Runs a command while a directory hangs: whoever looks at it waits for a file system's server that
never answers (fuse(4)). Meant for a mount namespace of its own: hang_at.py DIRECTORY COMMAND...

With --taken before DIRECTORY the server has taken what is asked of it, so that who waits cannot even
be killed; until SIGUSR1, from which on all of it fails."""

import ctypes
import os
import select
import signal
import struct
import subprocess
import sys
import threading

FUSE_INIT = 26


def mount_without_a_server(directory):
    server = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={server},rootmode=40000,user_id=0,group_id=0,allow_other"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"nobody", directory.encode(), b"fuse", 0, options.encode()) != 0:
        raise OSError(ctypes.get_errno(), "mount")
    return server


def take_requests(server, over):
    """All are read and none is answered, but for the first one, without which no other comes."""
    while not over.is_set():
        if not select.select([server], [], [], 0.05)[0]:
            continue
        request = os.read(server, 1 << 20)
        _, opcode, unique = struct.unpack_from("=IIQ", request)
        if opcode == FUSE_INIT:
            answer = struct.pack("=IIIIHHIIHHI28x", 7, 31, 0, 0, 0, 0, 4096, 0, 0, 0, 0)
            os.write(server, struct.pack("=IiQ", 16 + len(answer), 0, unique) + answer)
    os.close(server)


if __name__ == "__main__":
    is_taken = sys.argv[1] == "--taken"
    place, *command = sys.argv[1 + is_taken:]
    end = mount_without_a_server(place)
    if is_taken:
        has_ended = threading.Event()
        signal.signal(signal.SIGUSR1, lambda *_: has_ended.set())
        threading.Thread(target=take_requests, args=(end, has_ended), daemon=True).start()
    sys.exit(subprocess.run(command, check=False).returncode)
