"""Workers that are replaced under load, and what must hold at every moment meanwhile."""

import json
import os
import signal
import threading

import pytest

from machine import memory_can_be_limited
from storm import ledger_pool, make_ledger
from waiting import eventually
from web import Load, request

WORKERS = 4


def numbers_of_ready_workers(supervisor):
    """How many there were after each event of the log, from when all were ready first."""
    ready, numbers = set(), []
    for line in supervisor.log_text().splitlines():
        event = json.loads(line)
        who = event.get("pool"), event.get("worker"), event.get("generation")
        if event["event"] == "worker.ready":
            ready.add(who)
        elif event["event"] in ("worker.draining", "worker.exited", "worker.stopped"):
            ready.discard(who)
        if numbers or len(ready) == WORKERS:
            numbers.append(len(ready))
    return numbers


class Sampler:
    """Looks at the published state again and again."""

    def __init__(self, supervisor):
        self.numbers = []
        self._supervisor = supervisor
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._sample)

    def _sample(self):
        while not self._stopping.wait(0.003):
            [pool] = self._supervisor.admin("/api/v1/status").json["pools"]
            self.numbers.append(sum(worker["state"] == "serving" for worker in pool["workers"]))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *failure):
        self._stopping.set()
        self._thread.join()


def test_workers_do_not_leave_together(supervise):
    supervisor = supervise({"web": {"workers": WORKERS, "log_level": "all",
                                    "recycle": {"after_requests": 500, "jitter": "10%"}}})

    with Load(supervisor.port, connections=8) as load, Sampler(supervisor) as sampler:
        eventually(lambda: supervisor.metric("poolwarden_worker_recycles_total",
                                             reason="requests") >= 4 * WORKERS, "16 recycles", 60)

    assert load.failures == []
    assert min(sampler.numbers) >= WORKERS - 1
    assert len(sampler.numbers) > 100
    history = numbers_of_ready_workers(supervisor)
    assert min(history) >= WORKERS - 1
    assert max(history) == WORKERS + 1, "one at a time"
    requests = [event["requests"] for event in supervisor.events_of("worker.stopped")]
    assert len(set(requests)) > 1, "jitter has each leave at another count"


def test_what_waits_for_a_deadlocked_worker_is_answered_by_its_replacement(
        supervise, program, tmp_path):
    """10 requests are in its hands, 100 wait; those are POSTs, and each runs once."""
    ledger = make_ledger(tmp_path)
    supervisor = supervise({"web": ledger_pool(
        program, ledger, workers=1, concurrency=10, stop={"drain": "500ms", "timeout": "1s"},
        health={"deadlock": {"after": "3s"}})})
    [stuck] = supervisor.worker_pids()
    os.kill(stuck, signal.SIGUSR1)

    answers = []

    def post(number):
        answers.append(request(supervisor.port, "/run", method="POST", body=f"id={number}"))

    with Load(supervisor.port, "/", connections=10, limit=10) as held:
        eventually(lambda: supervisor.metric("poolwarden_http_requests_in_flight") == 10, "10 held")
        posts = [threading.Thread(target=post, args=(number,)) for number in range(100)]
        for thread in posts:
            thread.start()
        eventually(lambda: supervisor.metric("poolwarden_queue_enqueued_total", pool="web") >= 100,
                   "100 wait")
        for thread in posts:
            thread.join()

    assert sorted(answer.text for answer in answers) == sorted(f"ran {n}\n" for n in range(100))
    assert ledger.read_bytes()[:101] == b"\x01" * 100 + b"\x00"
    assert held.failures == [], "they are GETs: the replacement got them too"
    [replacement] = supervisor.worker_pids()
    assert replacement != stuck
    assert supervisor.events_of("worker.unhealthy")[0]["ailment"] == "deadlock"
    assert supervisor.metric("poolwarden_worker_failures_total", diagnosis="deadlock") == 1
    assert supervisor.metric("poolwarden_http_requests_lost_total", pool="web") == 0


@pytest.mark.skipif(not memory_can_be_limited(), reason="no writable cgroup with memory")
def test_a_worker_that_leaks_is_replaced_before_the_kernel_kills_it(supervise, program, tmp_path):
    supervisor = supervise({"web": ledger_pool(
        program, make_ledger(tmp_path), workers=2, limits={"memory": "512MiB"},
        recycle={"over_memory": "64MiB"})})
    before = supervisor.worker_pids()

    with Load(supervisor.port, "/leak?kib=64", connections=8) as load:
        eventually(lambda: supervisor.metric("poolwarden_worker_recycles_total",
                                             reason="private_memory") >= 6, "6 recycles", 60)

    assert load.failures == []
    assert set(before).isdisjoint(supervisor.worker_pids())
    metrics = supervisor.metrics()
    assert metrics.value("poolwarden_worker_failures_total", pool="web") == 0
    assert metrics.value("poolwarden_pool_memory_events_total", event="oom_kill") == 0
    assert supervisor.events_of("worker.exited") == []
