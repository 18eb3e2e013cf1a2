"""Runs a command while a directory hangs: whoever looks at it waits for a file system's server that
never answers (fuse(4)). Meant for a mount namespace of its own: hang_at.py DIRECTORY COMMAND..."""

import ctypes
import os
import subprocess
import sys


def mount_without_a_server(directory):
    server = os.open("/dev/fuse", os.O_RDWR)  # what is asked of it, is never read
    options = f"fd={server},rootmode=40000,user_id=0,group_id=0,allow_other"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"nobody", directory.encode(), b"fuse", 0, options.encode()) != 0:
        raise OSError(ctypes.get_errno(), "mount")


if __name__ == "__main__":
    mount_without_a_server(sys.argv[1])
    sys.exit(subprocess.run(sys.argv[2:], check=False).returncode)
