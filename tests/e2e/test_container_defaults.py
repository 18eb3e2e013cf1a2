"""`docker run` as it comes: a user without privileges, no cgroup to write to, PID 1."""

import json

from waiting import eventually


def test_serves_without_privileges(contain):
    container = contain({"web": {"workers": 2}})

    assert container.get().status == 200
    assert container.admin("/readyz").status == 200
    assert container.metric("poolwarden_workers", state="idle") == 2
    assert container.processes() and all(uid != 0 for _, uid, _ in container.processes())


def test_says_what_containment_is_lost(contain):
    container = contain({"web": {"limits": {"memory": "256MiB"},
                                 "containment": "best_effort"}})

    assert container.metric("poolwarden_containment_info", cgroup="none", pid1="true") == 1
    assert container.metric("poolwarden_pool_limits_enforced", pool="web") == 0
    said = container.events("containment.degraded")
    assert any(event["pool"] == "web" for event in said if "pool" in event), said
    logged = [json.loads(line) for line in container.logs().splitlines()]
    assert [line for line in logged if line.get("event") == "containment.degraded"], container.logs()


def test_leaves_no_zombies(contain):
    strangers = "( (exit 7) & ); ( (exit 0) & ); exec poolwarden sample-worker"
    container = contain({"web": {"command": strangers}})
    container.post("/fork?count=4")  # orphans, once the worker is dead
    container.post("/crash")

    eventually(lambda: container.metric("poolwarden_orphans_reaped_total") >= 2, "strangers reaped")
    eventually(lambda: container.get().status == 200, "the replacement")
    eventually(lambda: not [each for each in container.processes() if each[0].startswith("Z")],
               "no zombies")
