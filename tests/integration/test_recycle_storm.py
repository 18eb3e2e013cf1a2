"""The seed of source document 3: no request is lost and no POST is run twice while workers are
replaced every 100 ms for every reason in turn. The long run of it is tests/bench/recycle_storm.py."""

import os
import signal

import pytest

from storm import PHASES, Hammer, Storm, check, ledger_pool, make_ledger
from waiting import eventually

TURNS = 4  # of each reason
REQUESTS = 2500  # while each lasts


@pytest.fixture
def storm(supervise, program, tmp_path):
    ledger = make_ledger(tmp_path)
    supervisor = supervise({"web": ledger_pool(program, ledger)})
    hammer = Hammer(program, supervisor.port, ledger)
    yield Storm(supervisor, hammer)
    hammer.kill()


def test_nothing_is_lost_whatever_the_reason(storm):
    for phase in PHASES:
        storm.run(phase, TURNS, REQUESTS)
    outcome = storm.hammer.finish()

    print(outcome, *storm.report, sep="\n")
    assert outcome["sent"] >= REQUESTS * len(PHASES)
    assert outcome["posts"] > 0
    assert check(storm, outcome) == []


def test_the_hammer_sees_what_is_lost(storm):
    """A worker that is killed takes POSTs with it: they are told, and not repeated."""
    storm.hammer.posts(100)
    before = storm.hammer.answered()
    eventually(lambda: storm.hammer.answered() > before + 1000, "a load of POSTs")
    pid = storm.supervisor.workers()[0]["pid"]

    def worker():
        return next(worker for worker in storm.supervisor.workers() if worker["pid"] == pid)

    os.kill(pid, signal.SIGSTOP)
    eventually(lambda: worker()["in_flight"] > 0, "a worker with POSTs in its hands")
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: storm.lost()["worker_died"] > 0, "requests that died with it")
    outcome = storm.hammer.finish()

    assert outcome["exit"] == 1
    assert outcome["wrong"] > 0
    assert outcome["posts_run_twice"] == 0
    assert storm.lost()["worker_died"] == outcome["wrong"] + outcome["broken"], \
        storm.hammer.complaints[:50]
    assert any("worker_died" in line for line in storm.hammer.complaints)
    assert storm.hammer.complaints, "each is told with its time"


def test_the_hammer_sees_what_runs_twice(storm, tmp_path):
    eventually(lambda: storm.hammer.answered() > 1000, "a load")
    storm.hammer.posts(0)
    with open(tmp_path / "ledger", "r+b") as ledger:
        place = ledger.read(10_000).index(b"\x01")
        ledger.seek(place)
        ledger.write(b"\x02")

    outcome = storm.hammer.finish()

    assert (outcome["exit"], outcome["posts_run_twice"]) == (1, 1)
    assert storm.hammer.complaints == [f"hammer: POST id={place} ran 2 times"]
