"""The images that the tests run: Debian's, made here without a registry, and the program's."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from engine import ROOT

BASE = "debian:bookworm-slim"
PROGRAM = "poolwarden:e2e"
REVISION = "given-by-tests/e2e"  # no commit is called so

# What the published slim image leaves out too.
_UNWANTED = ["./var/cache/apt/archives/*.deb", "./var/lib/apt/lists/*", "./var/log/*",
             "./usr/share/doc/*", "./usr/share/man/*", "./usr/share/locale/*"]
_DPKG_SETTINGS = """\
path-exclude /usr/share/doc/*
path-exclude /usr/share/man/*
path-exclude /usr/share/locale/*
force-unsafe-io
"""


def exists(engine, image):
    return engine.try_docker("image", "inspect", image).returncode == 0


def program_image(engine):
    """$POOLWARDEN_IMAGE, or what the Dockerfile makes of the sources as they are."""
    given = os.environ.get("POOLWARDEN_IMAGE")
    if given:
        assert exists(engine, given), f"POOLWARDEN_IMAGE: there is no image {given}"
        return given
    build(engine, PROGRAM, ROOT, "--build-arg", f"REVISION={REVISION}", timeout=1200)
    return PROGRAM


def build(engine, tag, context, *options, timeout=300):
    """`docker build` with the packages of this machine's mirror at hand."""
    ensure_base(engine)
    # Containers of a network of their own may have no name server that they can reach.
    command = ["build", "--quiet", "--network", "host", "--tag", tag, *options]
    if proxy := apt_proxy():
        command += ["--build-arg", f"http_proxy={proxy}"]
    engine.docker(*command, context, timeout=timeout)
    return tag


def ensure_base(engine):
    """Debian's base image, by debootstrap from the mirror that this machine itself uses."""
    if exists(engine, BASE):
        return
    mirror = next(uri for uri, suite in apt_sources() if suite == "bookworm")
    folder = Path(tempfile.mkdtemp(prefix="pw-base-"))
    try:
        _run(["debootstrap", "--variant=minbase", *_needed_for(mirror), "bookworm", folder, mirror])
        sources = "".join(f"deb {uri} {suite} main\n" for uri, suite in apt_sources())
        (folder / "etc/apt/sources.list").write_text(sources)
        (folder / "etc/dpkg/dpkg.cfg.d/image").write_text(_DPKG_SETTINGS)
        excluded = [f"--exclude={pattern}" for pattern in _UNWANTED]
        with subprocess.Popen(["tar", "-C", folder, *excluded, "-c", "."],
                              stdout=subprocess.PIPE) as tar:
            engine.docker("import", "-", BASE, stdin=tar.stdout, timeout=300)
        assert tar.returncode == 0, "tar failed"
    finally:
        shutil.rmtree(folder)


def _run(command):
    environment = {**os.environ, "http_proxy": apt_proxy() or os.environ.get("http_proxy", "")}
    result = subprocess.run(command, capture_output=True, text=True, timeout=600, env=environment)
    assert result.returncode == 0, f"{command[0]} failed:\n{(result.stdout + result.stderr)[-4000:]}"


def _needed_for(mirror):
    return ["--include=ca-certificates"] if mirror.startswith("https:") else []


def apt_sources():
    """(address, suite) of the Debian archives in this machine's configuration."""
    listing = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)",
         "Created-By: Packages"], capture_output=True, text=True, check=True).stdout
    lines = [line.split() for line in listing.splitlines()]
    found = [(uri, suite) for uri, suite, component, *_ in lines
             if component == "main" and suite.startswith("bookworm")]
    assert found, f"apt knows no Debian 12 archive here:\n{listing}"
    return list(dict.fromkeys(found))


def apt_proxy():
    said = subprocess.run(["apt-config", "shell", "PROXY", "Acquire::http::Proxy"],
                          capture_output=True, text=True, check=True).stdout.strip()
    return said.removeprefix("PROXY=").strip("'")
