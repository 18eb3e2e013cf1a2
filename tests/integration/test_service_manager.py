"""What systemd hears of the supervisor over $NOTIFY_SOCKET (sd_notify(3)): a real datagram socket."""

import os
import signal
import socket
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from waiting import eventually

SLOW_TO_BE_READY = {"environment": {"SAMPLE_NEVER_READY": "1"}, "stop": {"timeout": "300ms"}}


class Manager:
    """The service manager's end: every message so far, as mappings of NAME to value."""

    def __init__(self, address):
        self.address = address
        self._messages = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address.replace("@", "\0", 1) if address.startswith("@") else address)
        self._socket.setblocking(False)

    @property
    def messages(self):
        while True:
            try:
                text = self._socket.recv(4096).decode()
            except BlockingIOError:
                return self._messages
            self._messages.append(dict(line.split("=", 1) for line in text.splitlines()))

    def of(self, name):
        return [message[name] for message in self.messages if name in message]

    def states(self):
        """The words that change a unit's state, in order."""
        return [name for message in self.messages
                for name in ("READY", "RELOADING", "STOPPING") if message.get(name) == "1"]

    def status(self):
        return (self.of("STATUS") or [""])[-1]

    def environment(self, **more):
        return {"NOTIFY_SOCKET": self.address, **more}

    def close(self):
        self._socket.close()


@contextmanager
def manager_at(address):
    manager = Manager(address)
    try:
        yield manager
    finally:
        manager.close()


@pytest.fixture
def manager(tmp_path):
    with manager_at(str(tmp_path / "notify")) as made:
        yield made


def test_a_life_from_ready_to_stopping(supervise, manager):
    supervisor = supervise({"web": {"stop": {"drain": "7s", "timeout": "3s"}}},
                           shutdown={"delay": "1s"}, environment=manager.environment())
    eventually(lambda: manager.states() == ["READY"], "READY=1")
    assert manager.status() == "1 pool serves"
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000

    supervisor.process.send_signal(signal.SIGHUP)
    eventually(lambda: manager.states() == ["READY", "RELOADING", "READY"], "the reload")
    assert int(manager.of("MONOTONIC_USEC")[0]) >= before

    assert supervisor.stop() == 0
    assert manager.states() == ["READY", "RELOADING", "READY", "STOPPING"]
    stopping = next(message for message in manager.messages if "STOPPING" in message)
    assert stopping["STATUS"] == "stopping"
    assert int(stopping["EXTEND_TIMEOUT_USEC"]) == (1 + 7 + 3 + 10) * 1_000_000
    assert manager.messages[-1] == stopping


def test_an_abstract_socket(supervise):
    with manager_at(f"@poolwarden-story-{os.getpid()}") as manager:
        supervise({"web": {}}, environment=manager.environment())
        eventually(lambda: manager.states() == ["READY"], "READY=1")


def test_ready_waits_for_every_pool(supervise, manager, program, tmp_path):
    gate = tmp_path / "gate"
    late = f"while ! [ -e {gate} ]; do sleep 0.05; done; exec {program} sample-worker"
    supervisor = supervise({"web": {}, "late": {"command": late, "routes": [{"path": "/late"}]}},
                           wait=None, environment=manager.environment())
    eventually(lambda: manager.status() == "1 of 2 pools serve; pool late: starting", "web serves")
    assert manager.states() == []

    supervisor.process.send_signal(signal.SIGHUP)  # READY=1 of a reload would end the start
    eventually(lambda: "config.reloaded" in supervisor.event_names(), "the reload")
    assert manager.states() == []

    gate.touch()
    eventually(lambda: manager.states() == ["READY"], "READY=1")
    assert manager.status() == "2 pools serve"


def test_a_pool_that_never_gets_ready_does_not_keep_the_unit_from_starting(supervise, manager):
    supervise({"web": {}, "never": {**SLOW_TO_BE_READY, "routes": [{"path": "/never"}],
                                    "ready": {"timeout": "1s"}, "rapid_fail": {"failures": 100}}},
              wait=None, environment=manager.environment())

    eventually(lambda: manager.states() == ["READY"], "READY=1")

    assert "pool never" in manager.status()
    assert int(manager.of("EXTEND_TIMEOUT_USEC")[0]) == (90 + 10) * 1_000_000  # web's ready.timeout


def test_a_pool_out_of_service_is_told_in_the_status(supervise, manager):
    supervisor = supervise({"web": {"rapid_fail": {"failures": 1}}}, environment=manager.environment())

    supervisor.post("/crash")

    eventually(lambda: manager.status().startswith("0 of 1 pools serve; pool web: disabled (rapid_fail): "),
               "the pool's end")
    assert manager.states() == ["READY"]


def test_a_reload_that_fails_is_told_and_ended(supervise, manager):
    supervisor = supervise({"web": {}}, environment=manager.environment())
    eventually(lambda: manager.states() == ["READY"], "READY=1")
    supervisor.change({"web": {"workrs": 3}})

    assert supervisor.run("reload").returncode == 2

    eventually(lambda: manager.states() == ["READY", "RELOADING", "READY"], "the reload's end")
    assert manager.status().startswith("the last reload failed: ") and "workrs" in manager.status()
    assert manager.status().endswith("; 1 pool serves")
    supervisor.change({"web": {"workers": 1}})
    assert supervisor.run("reload").returncode == 0
    eventually(lambda: manager.status() == "1 pool serves", "the next reload's end")


def test_the_watchdog_is_fed_until_the_supervisor_stands_still(supervise, manager):
    supervisor = supervise({"web": {}}, environment=manager.environment(WATCHDOG_USEC="200000"))

    def fed_again():
        count = len(manager.of("WATCHDOG"))
        return eventually(lambda: len(manager.of("WATCHDOG")) >= count + 5, "WATCHDOG=1")

    fed_again()
    os.kill(supervisor.pid(), signal.SIGSTOP)
    try:
        stat = Path(f"/proc/{supervisor.pid()}/stat")
        eventually(lambda: stat.read_text().rpartition(")")[2].split()[0] == "T", "it stands still")
        # Its workers serve on, and so show that time passes: five times what the watchdog allows.
        count, until = len(manager.of("WATCHDOG")), time.monotonic() + 1
        eventually(lambda: supervisor.get().status == 200 and time.monotonic() > until, "a second")
        assert len(manager.of("WATCHDOG")) == count
    finally:
        os.kill(supervisor.pid(), signal.SIGCONT)
    fed_again()


def test_a_watchdog_for_somebody_else_is_not_fed(supervise, manager):
    supervise({"web": {}}, environment=manager.environment(WATCHDOG_USEC="50000", WATCHDOG_PID="1"))

    eventually(lambda: manager.states() == ["READY"], "READY=1")
    assert manager.of("WATCHDOG") == []


def test_workers_and_gateway_do_not_inherit_it(supervise, manager):
    supervisor = supervise({"web": {}}, environment=manager.environment(WATCHDOG_USEC="200000"))

    for pid in [*supervisor.worker_pids(), supervisor.gateway_pid()]:
        environment = Path(f"/proc/{pid}/environ").read_text()
        assert manager.address not in environment
        assert "WATCHDOG_USEC" not in environment


def test_a_manager_that_does_not_read_holds_up_nothing(supervise, manager):
    filler = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    filler.setblocking(False)
    with pytest.raises(BlockingIOError):
        while True:
            filler.sendto(b"X_FILLER=1", manager.address)
    supervisor = supervise({"web": {}}, environment=manager.environment())

    assert supervisor.get().status == 200

    eventually(lambda: manager.states() == ["READY"], "READY=1, when there is room again")


def test_a_bad_address_is_said_and_changes_nothing(supervise):
    supervisor = supervise({"web": {}}, environment={"NOTIFY_SOCKET": "vsock:2:1234"})

    assert "NOTIFY_SOCKET=vsock:2:1234 is neither a path nor an abstract socket" in supervisor.log_text()
