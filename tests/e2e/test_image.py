"""The image by itself, as a base of others' images, and its program copied into an empty one."""

import json
import os

import pytest

from engine import ROOT
from images import BASE, REVISION, build
from waiting import eventually

BASES = ROOT / "tests" / "e2e" / "images_of_users"
MOST_BYTES = 16_000_000  # the program and nothing else on top of Debian's base
CHECK_OFTEN = ["--health-interval", "1s", "--health-retries", "2"]


def configuration(engine, image):
    return json.loads(engine.docker("image", "inspect", image))[0]


@pytest.fixture(scope="module")
def users_image(engine, image):
    """Builds a target of the Dockerfile of somebody who uses the image."""
    made = []

    def make(target):
        tag = f"poolwarden-e2e-{target}"
        build(engine, tag, BASES, "--target", target, "--build-arg", f"POOLWARDEN={image}")
        made.append(tag)
        return tag

    yield make
    for tag in made:
        engine.try_docker("image", "rm", "--force", tag)


def health(container):
    return container.state["Health"]["Status"]


def last_check(container):
    return container.state["Health"]["Log"][-1]["Output"]


def test_describes_itself(engine, image):
    found = configuration(engine, image)["Config"]
    version = engine.docker("run", "--rm", image, "version").split()[1]
    labels = {name.rpartition(".")[2]: value for name, value in found["Labels"].items()}

    assert found["User"] == "10001:10001"
    assert found["StopSignal"] == "SIGTERM"
    assert set(found["ExposedPorts"]) == {"8080/tcp", "9180/tcp"}
    assert found["Healthcheck"]["Test"] == ["CMD", "poolwarden", "healthcheck"]
    assert labels["title"] == "Poolwarden" and labels["version"] == version
    assert labels["revision"]


def test_takes_its_revision_from_its_builder(engine, image):
    if os.environ.get("POOLWARDEN_IMAGE"):
        pytest.skip("$POOLWARDEN_IMAGE was built by somebody else: what revision they gave is not known")
    labels = configuration(engine, image)["Config"]["Labels"]
    told = engine.docker("run", "--rm", image, "version")

    assert labels["org.opencontainers.image.revision"] == REVISION
    assert f"({REVISION}, " in told


def test_adds_one_program_to_its_base(engine, image):
    added = configuration(engine, image)["Size"] - configuration(engine, BASE)["Size"]

    assert 0 < added < MOST_BYTES, f"{added} bytes"


def test_serves_something_before_it_is_configured(contain):
    container = contain()

    assert container.get("/").status == 200
    assert container.metric("poolwarden_workers_desired", pool="welcome") == 2
    eventually(lambda: health(container) == "healthy", "docker calls it healthy")
    assert container.stop() == 0


@pytest.mark.parametrize("options", [[], ["--user", "12345:0"],
                                     ["--read-only", "--tmpfs", "/run/poolwarden"]],
                         ids=["plain", "any user", "tmpfs"])
def test_its_sockets_have_their_place(contain, options):
    container = contain(options=options)

    assert container.exec("test", "-S", "/run/poolwarden/control.sock").returncode == 0
    [*_, worker] = container.workers("welcome")
    assert "unix:/run/poolwarden/" in json.dumps(worker)


def test_is_unhealthy_while_a_pool_is_out_of_service(contain):
    container = contain({"web": {"rapid_fail": {"failures": 2}}}, options=CHECK_OFTEN)
    eventually(lambda: health(container) == "healthy", "healthy")

    for _ in range(2):
        container.post("/crash")
        eventually(lambda: container.get().reason in (None, "rapid_fail"), "the next worker, or none")
    eventually(lambda: health(container) == "unhealthy", "unhealthy")
    assert "web" in last_check(container) and "rapid" in last_check(container)

    assert container.poolwarden("start", "web", "--wait").returncode == 0
    eventually(lambda: health(container) == "healthy", "healthy again")


def test_is_the_base_of_an_applications_image(contain, users_image):
    container = contain(image=users_image("application"))

    assert container.get("/anything").text == "the application says hello\n"
    assert all(uid == 10001 for _, uid, _ in container.processes())
    assert container.metric("poolwarden_pool_info", pool="web", runtime="gunicorn") == 1
    eventually(lambda: health(container) == "healthy", "healthy")
    assert container.poolwarden("recycle", "web", "--wait").returncode == 0
    assert container.stop() == 0


def test_supervises_one_command_without_a_file(contain, users_image):
    container = contain(image=users_image("one-command"))

    assert container.get("/").text == "the application says hello\n"
    assert container.metric("poolwarden_workers_desired", pool="default") == 1
    assert container.stop() == 0


@pytest.mark.parametrize("user", ["0", "10001:10001"])
def test_its_program_needs_nothing_else(contain, users_image, user):
    """An image that holds one file: no library, no shell, no /etc/passwd, no /tmp."""
    container = contain(image=users_image("empty"), options=["--user", user])

    assert container.get().status == 200
    container.post("/crash")
    eventually(lambda: container.get().status == 200, "the replacement")
    drilled = container.poolwarden("drill", "demo", "recycle")
    assert "lost 0" in drilled.stdout, drilled.stdout + drilled.stderr
    gateway = [uid for _, uid, arguments in container.processes() if "gateway" in arguments]
    assert gateway == [65534 if user == "0" else 10001]
    assert container.stop() == 0


def test_its_program_runs_beside_another_c_library(contain, users_image):
    """Busybox with a shell, as Alpine has one: nothing in the image is Debian's."""
    container = contain(image=users_image("busybox"), options=["--read-only"])

    [worker] = container.workers("shell")
    assert container.exec("/bin/busybox", "cat", f"/proc/{worker['pid']}/comm").stdout == "busybox\n"
    assert container.get().status == 200
    assert container.stop() == 0


def test_context_of_its_build_is_what_it_needs():
    """What .dockerignore keeps out does not travel, and does not make the build start anew."""
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    taken = {line[1:] for line in ignored if line.startswith("!")}
    copied = set()
    for line in (ROOT / "Dockerfile").read_text().splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            copied |= set(line.split()[1:-1])

    assert "*" in ignored
    assert all(any(path == name or path.startswith(f"{name}/") for name in taken) for path in copied)
    assert all(any(path == name or path.startswith(f"{name}/") for path in copied) for name in taken)
