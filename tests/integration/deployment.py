"""The files of deploy/ as tests read them, and how long what they deploy takes to stop."""

import re
import subprocess
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
COMPOSE = DEPLOY / "compose" / "docker-compose.yml"
STACK = DEPLOY / "swarm" / "stack.yml"
UNIT = DEPLOY / "systemd" / "poolwarden.service"

# Poolwarden's spelling (1m30s), Docker's and systemd's (1min 30s, 15).
_UNITS = {"ms": 0.001, "s": 1, "": 1, "m": 60, "min": 60, "h": 3600}


def seconds(text):
    parts = re.findall(r"(\d+)\s*([a-z]*)", str(text))
    return sum(int(number) * _UNITS[unit] for number, unit in parts)


def load(path):
    return yaml.safe_load(path.read_text())


def kubernetes_objects():
    """Of all manifests: file name -> its objects."""
    return {path.name: [found for found in yaml.safe_load_all(path.read_text()) if found]
            for path in sorted(KUBERNETES.glob("*.yaml"))}


def kubernetes_object(kind):
    found = [each for each_file in kubernetes_objects().values() for each in each_file
             if each.get("kind") == kind]
    assert len(found) == 1, f"{len(found)} objects are a {kind}"
    return found[0]


def adapter_queries(group="pod", matchers='namespace="default",pod=~"poolwarden-.*"'):
    """Metric of the autoscaler -> the query behind it, as the adapter asks it."""
    return {rule["name"]["as"]: rule["metricsQuery"].replace("<<.GroupBy>>", group).replace(
                "<<.LabelMatchers>>", matchers)
            for rule in load(KUBERNETES / "prometheus-adapter.yaml")["rules"]}


def unit_settings():
    """Of the systemd unit: (section, key) -> its values, in order."""
    settings, section = {}, None
    for line in UNIT.read_text().splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            key, value = line.split("=", 1)
            settings.setdefault((section, key), []).append(value)
    return settings


def longest_stop(program, configuration):
    """What a shutdown takes at most: shutdown.delay, the longest stop.drain of all pools, then the
    longest stop.timeout."""
    result = subprocess.run([program, "check", "--effective", configuration], capture_output=True,
                            text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    settings = yaml.safe_load(result.stdout)
    stops = [pool["stop"] for pool in settings["pools"].values()]
    return (seconds(settings["shutdown"]["delay"]) + max(seconds(stop["drain"]) for stop in stops)
            + max(seconds(stop["timeout"]) for stop in stops))
