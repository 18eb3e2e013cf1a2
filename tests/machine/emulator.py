"""Virtual machines by QEMU. Always with an emulated processor: a build machine is often a virtual
machine itself, in which KVM may be missing or hang."""

import subprocess


def command(kernel, boot_options, memory, *devices):
    """The command line of a machine with two processors and that many MiB of memory, whose console
    is its first serial line. Its kernel takes the timer for granted: it would find that it is broken
    when this machine is too busy."""
    return ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-smp", "2", "-m", str(memory),
            "-display", "none", "-no-reboot", "-kernel", kernel,
            "-append", f"console=ttyS0 quiet panic=-1 no_timer_check {boot_options}".strip(), *devices]


def run(kernel, folder, longest, boot_options="", memory=2048, devices=()):
    """Boots a machine without a network; what it wrote to its second serial line until it powered
    itself off, or until `longest` seconds had passed."""
    told, console = folder / "told", folder / "console"
    with console.open("wb") as out:
        try:
            subprocess.run(
                command(kernel, boot_options, memory, "-nic", "none", *devices,
                        "-serial", "stdio", "-serial", f"file:{told}"),
                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, timeout=longest,
                check=True)
        except subprocess.TimeoutExpired:
            pass  # what was told until then says where it hangs
    text = told.read_text(errors="replace").replace("\r", "")
    print(text, console.read_text(errors="replace")[-3000:], sep="\n")  # shown when the test failed
    return text
