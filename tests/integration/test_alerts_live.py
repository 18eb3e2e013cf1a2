"""The rules as shipped in a real Prometheus that watches the real program, and what the runbooks tell
people to type."""

import re
import shlex
import subprocess

from alerting import commands_of_runbooks, prometheus
from waiting import eventually

WITHOUT_CONTROL = ("check", "version")  # commands that speak to no supervisor
NEEDS_CGROUP = re.compile(r"poolwarden_pool_(memory|cpu|process|pressure)")


def rules(server):
    return [rule for group in server.get("/api/v1/rules")["data"]["groups"]
            for rule in group["rules"]]


def value(server, expression):
    """Of its one series; nothing where there is none yet."""
    found = server.get("/api/v1/query", query=expression)["data"]["result"]
    return float(found[0]["value"][1]) if found else None


def alerts(server, **labels):
    """Descriptions of the alerts that fire with these labels."""
    return [alert["annotations"]["description"]
            for alert in server.get("/api/v1/alerts")["data"]["alerts"]
            if alert["state"] == "firing" and labels.items() <= alert["labels"].items()]


def test_no_rule_fails_and_a_crash_loop_is_told_until_it_is_over(supervise, tmp_path):
    supervisor = supervise({"web": {"workers": 2},
                            "sleepy": {"start": "on_demand", "routes": [{"path": "/sleepy"}]},
                            "manual": {"start": "manual", "routes": [{"path": "/manual"}]},
                            "batch": {"routes": [], "command": ["sleep", "infinity"],
                                      "rapid_fail": {"failures": 0}}}, wait="up")
    with prometheus(tmp_path, supervisor.admin_port) as server:
        ready = 'job_pool:poolwarden_workers_ready:sum{pool="web"}'
        eventually(lambda: value(server, ready) == 2, "the program scraped, and its workers recorded")
        eventually(lambda: all(rule["health"] == "ok" for rule in rules(server)),
                   "all rules evaluated")
        assert len(rules(server)) > 50
        assert not [rule for rule in rules(server) if rule.get("lastError")]
        # Pending while its workers started, perhaps.
        eventually(lambda: not [alert for alert in server.get("/api/v1/alerts")["data"]["alerts"]
                                if "pool" in alert["labels"]], "no alert of a pool")

        # Not five times: one that meets a worker at its end makes no further crash.
        eventually(lambda: supervisor.post("/crash").reason == "rapid_fail", "the trip")

        tripped = {"alertname": "PoolwardenRapidFailProtectionTripped", "pool": "web"}
        (told,) = eventually(lambda: alerts(server, **tripped), "the alert fires")
        assert "The last worker died of segfault (SIGSEGV)." in told
        assert told.endswith("run: poolwarden start web")
        eventually(lambda: "segfault 5" in alerts(server, **tripped)[0], "the failures are counted")
        assert all(rule["health"] == "ok" for rule in rules(server))

        assert supervisor.run("start", "web", "--wait").returncode == 0
        eventually(lambda: not alerts(server, **tripped), "the alert is over")


def test_commands_of_the_runbooks_are_commands(supervise, program):
    supervisor = supervise({"web": {"workers": 2, "rapid_fail": {"failures": 0}}})
    supervisor.get()
    has_cgroup = supervisor.status()["supervisor"]["containment"]["cgroup"] != "none"
    tried = 0
    for command, alert in commands_of_runbooks().items():
        here = re.sub(r"\bPOOL\b", "web", command).replace("FILE", str(supervisor.file))
        here = here.replace("HOST:9180", f"127.0.0.1:{supervisor.admin_port}")
        here = here.replace("HOST:8080", f"127.0.0.1:{supervisor.port}")
        if here.startswith("poolwarden"):
            words = shlex.split(here.split(" | ")[0])[1:]
            control = [] if words[0] in WITHOUT_CONTROL else ["--control", str(supervisor.control)]
            result = subprocess.run([program, *words, *control], capture_output=True, text=True)
            # 1: it may not be done here, as a drill that needs a memory limit. 2 would be wrong usage.
            assert result.returncode in (0, 1), f"{alert}: {command}: {result.stderr}"
            tried += 1
        elif "/metrics | grep" in here and (has_cgroup or not NEEDS_CGROUP.search(here)):
            here = here.removesuffix(" | grep -v ' 0$'")
            assert subprocess.run(["bash", "-c", here], capture_output=True).returncode == 0, (
                f"{alert}: {command} finds nothing")
            tried += 1
    assert tried > 20
