"""An idle worker that is suspended costs nothing, and is still there for the next request."""

from machine import children, cpu_ticks, resident_bytes
from storm import LEDGER_IDS, ledger_pool, make_ledger
from waiting import eventually


def pids(supervisor):
    """Of workers that serve or rest: on a busy machine one rests sooner than it is asked about."""
    return [worker["pid"] for worker in supervisor.workers(state=None)]


def test_a_suspended_worker_rests_and_answers_again(supervise, program, tmp_path):
    """Beside it runs what never rests by itself, a child of it, so that rest can be seen. Its memory
    is a file that it alone has mapped: that can be taken back on machines without swap too."""
    settings = ledger_pool(program, make_ledger(tmp_path), workers=1,
                           idle={"after": "1s", "action": "suspend"})
    settings["command"] = "(while :; do :; done) & exec " + settings["command"][0]
    supervisor = supervise({"web": settings})
    [pid] = pids(supervisor)
    [loop] = children(pid)
    awake = cpu_ticks(loop)
    eventually(lambda: supervisor.get("/read-all").status == 200 and cpu_ticks(loop) > awake + 5
               and resident_bytes(pid) > LEDGER_IDS, "while there are requests, both of them run")

    eventually(lambda: supervisor.workers(state="suspended"), "it is suspended")
    eventually(lambda: resident_bytes(pid) < LEDGER_IDS / 4, "its memory is taken back")
    assert supervisor.metric("poolwarden_workers", state="suspended") == 1

    # While the supervisor uses time, they use none.
    asleep = cpu_ticks(pid), cpu_ticks(loop)
    own = cpu_ticks(supervisor.pid())
    eventually(lambda: supervisor.metrics() and cpu_ticks(supervisor.pid()) >= own + 20,
               "the supervisor's clock goes on")
    assert (cpu_ticks(pid), cpu_ticks(loop)) == asleep

    answer = supervisor.get("/")
    assert answer.status == 200
    assert int(answer.text) == pid
    assert pids(supervisor) == [pid]
    resumed = cpu_ticks(loop)
    eventually(lambda: supervisor.get("/").status == 200 and cpu_ticks(loop) > resumed + 5,
               "the loop goes on")
    names = supervisor.event_names()
    assert names.index("worker.suspended") < names.index("worker.resumed")
    assert supervisor.events_of("worker.suspended")[0]["was"] == 2310
