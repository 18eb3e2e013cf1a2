"""Three replicas on Docker Swarm, deploy/swarm/stack.yml, behind the routing mesh."""

import shutil
import subprocess
from pathlib import Path

import pytest

from swarm import Swarm
from swarm_machine import PATIENCE, SwarmMachine
from waiting import eventually
from web import Load, request

MESH = 8080
CONNECTIONS = 6  # of each kind of client
PAUSE = 0.05     # seconds between requests: the machine may be emulated


def has_ipvs():
    """Whether the kernel here can do what the routing mesh is made of."""
    if shutil.which("modprobe"):
        subprocess.run(["modprobe", "ip_vs"], capture_output=True, check=False)
    return Path("/proc/net/ip_vs").exists()


class Here:
    """The engine of the other tests, where its kernel will do."""

    def __init__(self, engine):
        self.docker, self.try_docker = engine.docker, engine.try_docker

    @staticmethod
    def port(inside):
        return inside


@pytest.fixture(scope="module")
def machine(engine, image):
    if has_ipvs():
        try:
            yield Here(engine)
        finally:
            engine.try_docker("swarm", "leave", "--force")
        return
    machine = SwarmMachine(engine, [image], [MESH])
    try:
        yield machine.start()
    finally:
        print(machine.log_tail())
        machine.stop()


@pytest.fixture(scope="module")
def swarm(machine, image, tmp_path_factory):
    swarm = Swarm(machine, image, tmp_path_factory.mktemp("swarm")).start()
    for _ in range(20):  # a replica is healthy a moment before the mesh has it
        eventually(lambda: request(machine.port(MESH), "/info").status == 200, "the mesh",
                   PATIENCE)
    return swarm


@pytest.fixture
def clients(machine):
    """Through the mesh: connections that are kept, and one for each request."""
    port = machine.port(MESH)
    kept = Load(port, connections=CONNECTIONS, pause=PAUSE)
    fresh = Load(port, connections=CONNECTIONS, pause=PAUSE, headers={"Connection": "close"})
    with kept, fresh:
        yield kept, fresh


def test_a_rolling_update_loses_nothing(swarm, clients):
    before = swarm.containers()
    for load in clients:
        load.wait_for_more(50, PATIENCE)

    assert swarm.update("poolwarden:next") == "completed"
    for load in clients:
        load.wait_for_more(50, PATIENCE)
        load.stop()
        print(load.answered, "answers")

    after = swarm.containers()
    assert len(after) == 3 and not set(after) & set(before)
    assert {swarm.inspect(container)["Config"]["Image"] for container in after} == {"poolwarden:next"}
    assert [swarm.inspect(each)["State"]["ExitCode"] for each in before] == [0, 0, 0]
    assert [load.failures for load in clients] == [[], []]


def test_a_replica_with_a_tripped_pool_is_replaced(swarm, clients):
    broken = swarm.containers("health=healthy")[0]

    trip(swarm, broken)
    for load in clients:
        eventually(lambda load=load: load.answers[503, "rapid_fail"], "refusals of the broken one",
                   PATIENCE)
    eventually(lambda: broken not in swarm.containers(), "the end of the replica", PATIENCE)
    refused = [load.answers[503, "rapid_fail"] for load in clients]
    eventually(lambda: swarm.healthy() == 3, "another one in its place", PATIENCE)
    for load in clients:
        load.wait_for_more(100, PATIENCE)
        load.stop()
        print(dict(load.answers))

    state = swarm.inspect(broken)["State"]
    assert (state["Health"]["Status"], state["ExitCode"]) == ("unhealthy", 0)
    assert [load.answers[503, "rapid_fail"] for load in clients] == refused
    # While its workers are killed, a request may have been in the hands of one, or found none.
    assert {reason for load in clients for _, reason in load.answers} <= {
        None, "rapid_fail", "restarting", "worker_died"}
    assert [load.broken for load in clients] == [[], []]


def trip(swarm, container):
    """Kills workers of the pool until rapid-fail protection takes it out of service."""
    def is_tripped():
        pool = swarm.pool(container)
        if pool["disabled"]:
            return True
        for worker in pool["workers"]:
            if worker["state"] == "serving":
                swarm.kill(container, worker["pid"])
        return False
    eventually(is_tripped, "rapid-fail protection", PATIENCE)
