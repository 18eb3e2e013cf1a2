"""An idle worker that is suspended costs nothing, and is still there for the next request."""

from machine import children, cpu_ticks, resident_bytes
from storm import LEDGER_IDS, ledger_pool, make_ledger
from waiting import eventually


def test_a_suspended_worker_rests_and_answers_again(supervise, program, tmp_path):
    """Beside it runs what never rests by itself, a child of it, so that rest can be seen. Its memory
    is a file that it alone has mapped: that can be taken back on machines without swap too."""
    settings = ledger_pool(program, make_ledger(tmp_path), workers=1,
                           idle={"after": "1s", "action": "suspend"})
    settings["command"] = "(while :; do :; done) & exec " + settings["command"][0]
    supervisor = supervise({"web": settings})
    assert supervisor.get("/read-all").status == 200
    [pid] = supervisor.worker_pids()
    [loop] = children(pid)
    awake = cpu_ticks(loop)
    eventually(lambda: cpu_ticks(loop) > awake + 5, "the loop runs")
    assert resident_bytes(pid) > LEDGER_IDS

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
    assert supervisor.worker_pids() == [pid]
    resumed = cpu_ticks(loop)
    eventually(lambda: cpu_ticks(loop) > resumed + 5, "the loop goes on")
    names = supervisor.event_names()
    assert names.index("worker.suspended") < names.index("worker.resumed")
