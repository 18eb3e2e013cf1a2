"""The alerts as tests read them (rules, unit tests, runbooks, the table of docs/alerts.md), and real
Prometheus and Alertmanager processes."""

import contextlib
import json
import re
import subprocess
import urllib.parse

import yaml

from deployment import DEPLOY, ROOT, load
from supervisor import free_port
from waiting import eventually
from web import request

PROMETHEUS = DEPLOY / "prometheus" / "prometheus.yml"
RULES = DEPLOY / "prometheus" / "rules"
UNIT_TESTS = sorted((DEPLOY / "prometheus" / "tests").glob("*.yml"))
ALERTMANAGER = DEPLOY / "alertmanager" / "alertmanager.yml"
RUNBOOKS = ROOT / "docs" / "runbooks"
TABLE = ROOT / "docs" / "alerts.md"


def alerting_rules():
    return [rule for group in load(RULES / "poolwarden.alerts.yml")["groups"]
            for rule in group["rules"]]


def alert_names():
    return {rule["alert"] for rule in alerting_rules()}


def variant(labels):
    """What tells rules of the same alert apart: the window of an error budget's burn."""
    return labels.get("long", "")


def table_rows():
    """Of docs/alerts.md: (alert, for, severity), in order."""
    row = re.compile(r"^\| \[(\w+)\]\(runbooks/\1\.md\) \| .+ \| ([\w ]+) \| (\w+) \|$", re.M)
    return row.findall(TABLE.read_text())


def commands_of_runbooks():
    """Each command that a runbook shows -> the alerts whose runbooks do."""
    found = {}
    for path in sorted(RUNBOOKS.glob("*.md")):
        for line in re.findall(r"^    \$ (.+)$", path.read_text(), re.M):
            found.setdefault(line, []).append(path.stem)
    return found


class Server:
    """A server with an HTTP API on a free port, for the length of a `with`."""

    def __init__(self, program, ready, arguments):
        self.port = free_port()
        self._ready = ready
        self._command = [program, f"--web.listen-address=127.0.0.1:{self.port}", *arguments]

    def __enter__(self):
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL,
                                         stderr=subprocess.DEVNULL)
        try:
            eventually(lambda: request(self.port, self._ready).status == 200, f"{self._command[0]} up")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *failure):
        self._process.terminate()
        self._process.wait(30)

    def get(self, path, **parameters):
        answer = request(self.port, f"{path}?{urllib.parse.urlencode(parameters)}")
        assert answer.status == 200, answer.text
        return answer.json

    def post(self, path, body):
        answer = request(self.port, path, method="POST", body=json.dumps(body),
                         headers={"Content-Type": "application/json"})
        assert answer.status == 200, answer.text


def alertmanager(folder, receivers=None):
    """A real Alertmanager with the configuration as shipped; `receivers`, by name, are the URLs of
    webhooks, which it leaves to its users."""
    settings = load(ALERTMANAGER)
    for receiver in settings["receivers"]:
        if url := (receivers or {}).get(receiver["name"]):
            receiver["webhook_configs"] = [{"url": url, "send_resolved": True}]
    path = folder / "alertmanager.yml"
    path.write_text(yaml.safe_dump(settings))
    return Server("prometheus-alertmanager", "/-/ready",
                  [f"--config.file={path}", f"--storage.path={folder}/alertmanager",
                   "--cluster.listen-address="])


@contextlib.contextmanager
def prometheus(folder, target, alertmanager=None):
    """A real Prometheus with the configuration and the rules as shipped, but each second, that
    scrapes the port `target`, and tells the Alertmanager at the other port or none."""
    settings = load(PROMETHEUS)
    settings["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    settings["scrape_configs"][0]["static_configs"] = [{"targets": [f"127.0.0.1:{target}"]}]
    if alertmanager is None:
        del settings["alerting"]
    else:
        settings["alerting"]["alertmanagers"] = [
            {"static_configs": [{"targets": [f"127.0.0.1:{alertmanager}"]}]}]
    for path in (folder / pattern for pattern in settings["rule_files"]):
        path.parent.mkdir(exist_ok=True)
    for path in RULES.glob("*.yml"):
        rules = load(path)
        for group in rules["groups"]:
            group.pop("interval", None)
        (folder / "rules" / path.name).write_text(yaml.safe_dump(rules))
    (folder / "prometheus.yml").write_text(yaml.safe_dump(settings))
    with Server("prometheus", "/-/ready", [f"--config.file={folder}/prometheus.yml",
                                           f"--storage.tsdb.path={folder}/data"]) as server:
        yield server
