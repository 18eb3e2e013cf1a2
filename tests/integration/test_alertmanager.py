"""deploy/alertmanager: who is told, and a real Alertmanager that holds back what is said already."""

import re
import subprocess

import pytest

from alerting import ALERTMANAGER, alert_names, alertmanager
from deployment import load
from waiting import eventually

REPLICA, OTHER_REPLICA = {"instance": "a:9180"}, {"instance": "b:9180"}
FLEET = {}  # no instance: over all replicas
# As pods have it: the same instance in two namespaces.
POD, OTHER_POD = ({"namespace": namespace, "pod": "web-0", "instance": "web-0:9180"}
                  for namespace in ("shop", "blog"))


def alert(name, where, severity="critical", pool="web"):
    return {"alertname": f"Poolwarden{name}", "job": "poolwarden", "pool": pool,
            "severity": severity, **where}


# What fires -> what it holds back, and what it must not.
CASES = {
    "tripped": ([alert("RapidFailProtectionTripped", REPLICA)],
                [alert("NoReadyWorkers", REPLICA), alert("WorkersCrashing", REPLICA, "warning"),
                 alert("RapidFailProtectionApproaching", REPLICA, "warning")],
                [alert("NoReadyWorkers", OTHER_REPLICA), alert("NoReadyWorkers", REPLICA, pool="api"),
                 alert("WorkerOOMKilled", REPLICA, "warning"),
                 # The other replicas may fail for another reason.
                 alert("ErrorBudgetBurn", FLEET)]),
    "in a namespace": ([alert("RapidFailProtectionTripped", POD), alert("QueueRejecting", POD, pool="api")],
                       [alert("NoReadyWorkers", POD),
                        alert("QueueWaitHigh", POD, "warning", pool="api")],
                       [alert("NoReadyWorkers", OTHER_POD),
                        alert("QueueWaitHigh", OTHER_POD, "warning", pool="api"),
                        alert("ErrorBudgetBurn", {"namespace": "shop"})]),
    "cannot start": ([alert("PoolCannotStart", REPLICA)],
                     [alert("WorkerStartFailing", REPLICA, "warning")],
                     [alert("WorkerStartFailing", OTHER_REPLICA, "warning")]),
    "nobody ready": ([alert("NoReadyWorkers", REPLICA)],
                     [alert("QueueWaitHigh", REPLICA, "warning"),
                      alert("WorkersBelowDesired", REPLICA, "warning")],
                     [alert("QueueWaitHigh", OTHER_REPLICA, "warning"),
                      alert("QueueRejecting", REPLICA)]),
    "rejecting": ([alert("QueueRejecting", REPLICA, pool="reports")],
                  [alert("QueueNearLimit", REPLICA, "warning", pool="reports")],
                  [alert("QueueNearLimit", REPLICA, "warning", pool="web")]),
    "burning": ([alert("ErrorBudgetBurn", FLEET)],
                [alert("ErrorBudgetBurn", FLEET, "warning")],
                [alert("ErrorBudgetBurn", FLEET, "warning", pool="api")]),
}


def amtool(*arguments):
    result = subprocess.run(["amtool", *arguments], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_amtool_takes_it():
    amtool("check-config", ALERTMANAGER)


def test_amtool_takes_it_with_its_examples_uncommented(tmp_path):
    file = tmp_path / "alertmanager.yml"
    file.write_text(re.sub(r"^    # (?=webhook_configs|  )", "    ", ALERTMANAGER.read_text(), flags=re.M))
    receivers = {each["name"]: each.get("webhook_configs") for each in load(file)["receivers"]}
    assert receivers["page"] and receivers["chat"] and not receivers["quiet"]
    amtool("check-config", file)


@pytest.mark.parametrize("severity, receiver",
                         [("critical", "page"), ("warning", "chat"), ("info", "quiet"), ("", "chat")])
def test_severity_decides_who_is_told(severity, receiver):
    told = amtool("config", "routes", "test", f"--config.file={ALERTMANAGER}",
                  "alertname=PoolwardenX", f"severity={severity}")
    assert told.strip() == receiver


def test_inhibition_names_only_alerts_that_there_are():
    named = set(re.findall(r"Poolwarden\w+", ALERTMANAGER.read_text().split("inhibit_rules:")[1]))
    assert named and named <= alert_names()


@pytest.mark.parametrize("case", CASES)
def test_holds_back_what_is_said_already(tmp_path, case):
    firing, held_back, told = CASES[case]
    with alertmanager(tmp_path) as server:
        server.post("/api/v2/alerts", [{"labels": labels} for labels in firing + held_back + told])

        def states():
            return {tuple(sorted(found["labels"].items())): found["status"]["state"]
                    for found in server.get("/api/v2/alerts")}

        wanted = {tuple(sorted(labels.items())): state
                  for state, alerts in (("active", firing + told), ("suppressed", held_back))
                  for labels in alerts}
        eventually(lambda: states() == wanted, f"{wanted}, but {states()}")
