"""Names in step: metrics, labels and their values in the program, the documentation, the rules, the
dashboards and the autoscaler, both ways."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "integration"))
from boards import board_queries  # noqa: E402  the path to it is known only now

RULES = sorted((ROOT / "deploy" / "prometheus" / "rules").glob("*.yml"))
ADAPTER = ROOT / "deploy" / "kubernetes" / "prometheus-adapter.yaml"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")),
         *sorted(path for path in (ROOT / "deploy").rglob("*")
                 if path.is_file() and path.suffix in (".yml", ".yaml", ".service"))]

# Labels that Prometheus, its service discovery or a rule adds.
OF_TARGETS = {"job", "instance", "namespace", "cluster", "pod", "le", "alertname", "severity",
              "long", "short", "version", "window"}
# Metrics that no board and no rule needs, and what they are for.
FOR_PEOPLE_ONLY = {}

NAME = re.compile(r"(?<![\w:])(?:poolwarden|process)_[a-z0-9_]++(?![\w:*(]|\.\w)")
RECORDED = re.compile(r"(?<![\w:])[a-z_]+:poolwarden_[a-z0-9_]+:[a-z0-9_]+|poolwarden:[a-z_]+:[a-z0-9_]+")
SELECTOR = re.compile(r"([a-z_:0-9]+)\{([^{}]*)\}")
MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^()]*)\)")


def catalogue():
    program = os.environ.get("POOLWARDEN", ROOT / "build" / "poolwarden")
    text = subprocess.run([program, "metrics", "--describe", "--json"], capture_output=True,
                          check=True, text=True).stdout
    return {metric["name"]: metric for metric in json.loads(text)}


@pytest.fixture(scope="module")
def metrics():
    return catalogue()


def series_of(metric):
    """Names under which its samples appear."""
    if metric["type"] != "histogram":
        return [metric["name"]]
    return [metric["name"] + suffix for suffix in ("_bucket", "_sum", "_count")]


def rules():
    return [rule for path in RULES for group in yaml.safe_load(path.read_text())["groups"]
            for rule in group["rules"]]


def expressions():
    """(where it stands, expression) of everything that Prometheus is asked."""
    for rule in rules():
        where = rule.get("alert") or rule["record"]
        yield where, rule["expr"]
        for text in rule.get("annotations", {}).values():
            for query in re.findall(r'printf "(.*?[^\\])" .*?\| query', text):
                yield f"{where}, a text", query.replace("%q", '"x"')
    for query in board_queries():
        yield f"{query.board}: {query.panel}", query.expression
    for document in yaml.safe_load_all(ADAPTER.read_text()):
        for text in adapter_texts(document):
            yield ADAPTER.name, text


def adapter_texts(value):
    """Every seriesQuery and metricsQuery, however deep and in whatever text of YAML."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("seriesQuery", "metricsQuery") and isinstance(inner, str):
                yield inner
            elif isinstance(inner, str) and "metricsQuery" in inner:
                yield from adapter_texts(yaml.safe_load(inner))
            else:
                yield from adapter_texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from adapter_texts(inner)


def without_texts(expression):
    return re.sub(r'"[^"]*"', '""', expression)


def known_series(metrics):
    return {series: metric for metric in metrics.values() for series in series_of(metric)}


def labels_of(metric):
    return {label["name"]: label["values"] for label in metric["labels"]}


def test_what_is_asked_exists(metrics):
    known = known_series(metrics)
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    asked = [(where, name) for where, expression in expressions()
             for name in NAME.findall(without_texts(expression))
             + RECORDED.findall(without_texts(expression))]

    assert len(asked) > 200
    assert [(where, name) for where, name in asked if name not in known and name not in recorded] == []


def test_labels_and_their_values_exist(metrics):
    known = known_series(metrics)
    wrong = []
    checked = 0
    for where, expression in expressions():
        for name, matchers in SELECTOR.findall(expression):
            for label, operator, value in MATCHER.findall(matchers):
                if name not in known or label in OF_TARGETS:
                    continue
                checked += 1
                values = labels_of(known[name]).get(label, [])
                if values is None:  # an open set
                    continue
                apart = "~" in operator and "(" not in value
                alternatives = value.split("|") if apart else [value]
                for text in alternatives:
                    fits = [each for each in [*values, ""]
                            if (re.fullmatch(text, each) if "~" in operator else text == each)]
                    if label not in labels_of(known[name]) or not fits:
                        wrong.append(f"{where}: {name}{{{label}{operator}{text}}}")

    assert checked > 40
    assert wrong == []


def test_groupings_are_by_labels_that_exist(metrics):
    every = OF_TARGETS | {label for metric in metrics.values() for label in labels_of(metric)}
    grouped = {(where, label.strip(), expression) for where, expression in expressions()
               for labels in GROUPING.findall(expression.replace("<<.GroupBy>>", "pod"))
               for label in labels.split(",") if label.strip()}

    assert len(grouped) > 50
    assert sorted((where, label) for where, label, expression in grouped if label not in every
                  and f'"{label}"' not in expression) == []


def test_every_metric_is_used(metrics):
    """A metric that no board shows and no rule reads helps nobody, unless it is said here whom."""
    asked = " ".join(without_texts(expression) for _, expression in expressions())
    names = set(NAME.findall(asked))
    unused = {name for name, metric in metrics.items() if not names & set(series_of(metric))}

    assert unused == set(FOR_PEOPLE_ONLY)


def test_every_recorded_rule_is_used(metrics):
    recorded = [rule["record"] for rule in rules() if "record" in rule]
    readers = "\n".join([*(expression for _, expression in expressions()),
                         *(path.read_text() for path in PAGES if path.suffix == ".md")])

    assert len(recorded) > 10
    assert [name for name in recorded
            if not re.search(rf"(?<![\w:]){re.escape(name)}(?![\w:])", readers)] == []


def test_documents_name_what_exists(metrics):
    made = set(re.findall(r"as: \"?(\w+)", ADAPTER.read_text()))  # for the autoscaler
    known = set(metrics) | set(known_series(metrics)) | made
    wrong = sorted({f"{path.relative_to(ROOT)}: {name}" for path in PAGES
                    for name in NAME.findall(path.read_text())
                    if name.startswith("poolwarden_") and name not in known})

    assert wrong == []


def test_the_page_of_metrics_has_them_all(metrics):
    page = (ROOT / "docs" / "metrics.md").read_text()
    rows = re.findall(r"^\| `((?:poolwarden|process)_\w+)` \| (counter|gauge|histogram) \| ([\w, ]*) \|",
                      page, re.M)

    assert [(name, kind, [word.strip() for word in labels.split(",") if word.strip()])
            for name, kind, labels in rows] == [
        (metric["name"], metric["type"], [label["name"] for label in metric["labels"]])
        for metric in metrics.values()]
