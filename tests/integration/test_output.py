"""What workers write: captured, tagged, bounded, and never in anybody's way."""

import json
import os

from waiting import eventually
from web import Load


def test_output_is_tagged_with_pool_and_worker(supervise, program):
    command = f"echo $((6*7)) is the answer; exec {program} sample-worker"
    supervisor = supervise({"web": {"command": command}})

    line = eventually(lambda: next((line for line in supervisor.log_text().splitlines()
                                    if "42 is the answer" in line), None), "the line in the log")
    entry = json.loads(line)
    assert (entry["pool"], entry["worker"], entry["stream"]) == ("web", 0, "stdout")


def test_a_flood_does_not_stop_the_others(supervise):
    supervisor = supervise({"loud": {"routes": [{"path": "/flood"}]}, "web": {}})

    with Load(supervisor.port, "/flood?lines=20000", connections=2, limit=10) as flood:
        with Load(supervisor.port, "/info", connections=4) as load:
            load.wait_for_more(500)
        assert load.failures == []
        flood.join()

    assert flood.failures == []
    assert supervisor.get().status == 200


def test_a_blocked_standard_output_stops_nothing(supervise):
    unread, full = os.pipe()
    try:
        supervisor = supervise({"web": {}}, stdout=full)
        for _ in range(5):
            assert supervisor.post("/flood?lines=20000").status == 200

        with Load(supervisor.port, "/info", connections=4) as load:
            load.wait_for_more(200)

        assert load.failures == []
        supervisor.post("/crash")
        eventually(lambda: supervisor.get().status == 200, "the replacement")
        eventually(lambda: supervisor.admin("/readyz").status == 200, "ready again")
        assert supervisor.stop() == 0
    finally:
        os.close(unread)
        os.close(full)


def test_the_last_output_of_a_worker_is_kept_with_its_end(supervise):
    supervisor = supervise({"web": {"command": "echo out of luck >&2; exit 3"}}, wait="up")

    last = eventually(lambda: supervisor.pool()["last_exit"], "its end in the status")
    assert last["exit_code"] == 3
    assert "out of luck" in last["last_output"]


def test_a_broken_standard_output_ends_nothing(supervise):
    read, write = os.pipe()
    supervisor = supervise({"web": {}}, stdout=write)
    os.close(write)
    os.close(read)  # who wrote the log away has died

    supervisor.post("/flood?lines=100")
    supervisor.post("/crash")

    eventually(lambda: supervisor.get().status == 200, "the replacement")


def test_the_log_is_json_where_no_terminal_is(supervise):
    supervisor = supervise({"web": {}}, log={"level": "info"})
    assert supervisor.stop() == 0

    assert supervisor.log_text()
    for line in supervisor.log_text().splitlines():
        json.loads(line)
