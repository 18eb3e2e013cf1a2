"""log_level: which recycle events are logged; all of them are remembered and counted."""

import json

import pytest
from waiting import eventually


def logged(supervisor):
    events = [json.loads(line) for line in supervisor.log_text().splitlines() if line[:1] == "{"]
    return [event for event in events if event.get("event", "").startswith("worker.")]


PLANNED = "manual"
UNPLANNED = "worker_request"
NUMBERS = {PLANNED: 5079, UNPLANNED: 5078}


@pytest.mark.parametrize("level, expected", [
    ("all", {PLANNED, UNPLANNED}), ("errors", {UNPLANNED}), ("none", set())])
def test_only_these_are_logged(supervise, level, expected):
    supervisor = supervise({"web": {"log_level": level}})

    assert supervisor.run("recycle", "web", "--wait").returncode == 0
    supervisor.post("/unhealthy")
    eventually(lambda: len(supervisor.events_of("worker.recycled")) == 2, "both recycles")

    def reasons():
        return {event["reason"] for event in logged(supervisor)
                if event["event"] == "worker.recycling"}
    # The last thing that both recycles lead to is logged at every level.
    eventually(lambda: len([event for event in logged(supervisor)
                            if event["event"] == "worker.stopped"]) == 2, "the log is written")
    assert reasons() == expected
    for reason in (PLANNED, UNPLANNED):
        assert supervisor.metric("poolwarden_worker_recycles_total", reason=reason) == 1
        assert supervisor.events_of("worker.recycling", reason=reason, was=NUMBERS[reason])


def test_unexpected_ends_are_logged_unless_nothing_is(supervise):
    for level in ("errors", "none"):
        supervisor = supervise({"web": {"log_level": level}})
        supervisor.post("/exit?code=3")
        eventually(lambda: supervisor.events_of("worker.exited"), "its end")
        eventually(lambda: len([event for event in logged(supervisor)
                                if event["event"] == "worker.ready"]) == 2, "its successor")
        told = [event for event in logged(supervisor) if event["event"] == "worker.exited"]
        assert len(told) == (1 if level == "errors" else 0)
