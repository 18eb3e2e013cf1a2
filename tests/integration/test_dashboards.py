"""The Grafana boards: what their files say fits together, before any data is seen."""

import json
import re
import subprocess
import sys

import pytest
import yaml

from boards import DASHBOARDS, board_queries, boards, substituted
from source import words

ROOT = DASHBOARDS.parent
FILES = sorted(DASHBOARDS.glob("*.json"))
BOARDS = {path.stem: json.loads(path.read_text()) for path in FILES}
PROVISIONING = ROOT / "deploy" / "grafana" / "provisioning"
SOURCE = {"type": "prometheus", "uid": "${datasource}"}

# Grafana's documentation, "Provision Grafana".
SOURCE_KEYS = {"name", "type", "access", "orgId", "uid", "url", "user", "database", "basicAuth", "basicAuthUser",
               "withCredentials", "isDefault", "jsonData", "secureJsonData", "version", "editable"}
PROVIDER_KEYS = {"name", "orgId", "folder", "folderUid", "type", "disableDeletion", "updateIntervalSeconds",
                 "allowUiUpdates", "options"}

each_board = pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)


def panels(board):
    for panel in board["panels"]:
        yield panel
        yield from panel.get("panels", [])


def drawn(board):
    """All panels but the titles of rows."""
    return [panel for panel in panels(board) if panel["type"] != "row"]


def matchers_of(expression):
    """What stands within the braces of each selector."""
    return re.findall(r"\{([^{}]*)\}", re.sub(r'"[^"]*"', lambda text: text[0].replace("{", "(").replace("}", ")"),
                                              expression))


def test_committed_files_are_what_the_source_says():
    result = subprocess.run([sys.executable, DASHBOARDS / "generate", "--check"], capture_output=True, text=True)

    assert (result.returncode, result.stdout) == (0, "")
    assert set(BOARDS) == {board.uid for board in boards()}


@each_board
def test_panels_say_what_they_show(board):
    for panel in drawn(board):
        assert panel["title"]
        sentences = panel["description"].split("\n\n")
        assert len(sentences) == 3 and all(sentences), f"{panel['title']}: what, why and what to do"
        if panel["type"] == "text":
            continue
        assert panel["targets"], panel["title"]
        defaults, overrides = panel["fieldConfig"]["defaults"], panel["fieldConfig"]["overrides"]
        units = [each for rule in overrides for each in rule["properties"] if each["id"] in ("unit", "mappings")]
        assert defaults.get("unit") or defaults.get("mappings") or units, f"{panel['title']} has no unit"


@each_board
def test_all_data_comes_from_the_chosen_source(board):
    queries = [target for panel in drawn(board) for target in panel.get("targets", [])]
    queries += [variable for variable in board["templating"]["list"] if variable["type"] == "query"]
    queries += [annotation for annotation in board["annotations"]["list"] if not annotation.get("builtIn")]
    queries += [panel for panel in drawn(board) if panel["type"] != "text"]

    assert queries
    assert [query for query in queries if query["datasource"] != SOURCE] == []


@each_board
def test_panels_lie_on_the_grid_without_overlap(board):
    numbers = [panel["id"] for panel in panels(board)]
    assert len(numbers) == len(set(numbers))

    taken = {}
    for panel in panels(board):
        at = panel["gridPos"]
        assert at["x"] >= 0 and at["x"] + at["w"] <= 24
        for cell in ((x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])):
            assert cell not in taken, f"{panel['title']} lies on {taken[cell]}"
            taken[cell] = panel["title"]


@each_board
def test_every_selector_follows_the_variables(board):
    expressions = [target["expr"] for panel in drawn(board) for target in panel.get("targets", [])]
    expressions += [each["expr"] for each in board["annotations"]["list"] if "expr" in each]
    names = {variable["name"] for variable in board["templating"]["list"]}

    for expression in expressions:
        selectors = matchers_of(expression)
        assert selectors, expression
        for selector in selectors:
            assert 'job=~"$job"' in selector and 'instance=~"$instance"' in selector, expression
        used = set(re.findall(r"\$(?!__)(\w+)", re.sub(r'"\$\d+"', "", expression)))
        assert used <= names, f"{expression}: no variable {used - names}"
        metrics = re.findall(r"\b(?:poolwarden|process)_\w+", expression)
        assert len([each for each in metrics if f"{each}{{" not in expression]) == 0, f"{expression}: bare metric"


def test_prometheus_understands_every_expression(tmp_path):
    rules = tmp_path / "rules.yml"
    expressions = [query.expression for query in board_queries()]
    rules.write_text(json.dumps({"groups": [{"name": "boards", "rules": [
        {"record": f"board:query:{number}", "expr": expression} for number, expression in enumerate(expressions)]}]}))

    result = subprocess.run(["promtool", "check", "rules", rules], capture_output=True, text=True)

    assert result.returncode == 0, result.stdout + result.stderr
    assert f"{len(expressions)} rules found" in result.stdout
    assert not [expression for expression in expressions if "$" in re.sub(r'"\$\d+"', "", expression)]


def test_the_same_instance_in_two_namespaces_breaks_no_expression(tmp_path):
    """What joins metrics on (job, instance) alone would find two series where it needs one."""
    expressions = [query.expression for query in board_queries()]
    series = set()
    for expression in expressions:
        for metric, matchers in re.findall(r"(\w+)\{([^}]*)\}", expression):
            labels = {"job": "poolwarden", "instance": "web-0:9180", "pool": "web"}
            labels |= {name: value.split("|")[0] for name, operator, value in
                       re.findall(r'(\w+)(=~|=|!=)"([^"]*)"', matchers)
                       if operator != "!=" and name not in labels}
            series |= {(f"{metric}{{namespace=\"{namespace}\","
                        + ",".join(f'{name}="{value}"' for name, value in labels.items()) + "}")
                       for namespace in ("shop", "blog")}
    case = tmp_path / "case.yml"
    case.write_text(json.dumps({"rule_files": [], "tests": [{
        "interval": "1m", "input_series": [{"series": each, "values": "1+1x60"} for each in sorted(series)],
        "promql_expr_test": [{"expr": expression, "eval_time": "1h"} for expression in expressions]}]}))

    told = subprocess.run(["promtool", "test", "rules", case], capture_output=True, text=True)

    assert "got:" in told.stdout + told.stderr, "nothing was asked"
    assert not re.findall(r".*(?:found duplicate|multiple matches|matching labels must).*", told.stdout + told.stderr)


def links_of(board):
    """Of the header, of panels and of fields."""
    yield from (link["url"] for link in board["links"])
    for panel in drawn(board):
        defaults, overrides = panel["fieldConfig"]["defaults"], panel["fieldConfig"]["overrides"]
        yield from (link["url"] for link in defaults.get("links", []))
        for each in (each for rule in overrides for each in rule["properties"] if each["id"] == "links"):
            yield from (link["url"] for link in each["value"])


@each_board
def test_links_lead_to_boards_and_keep_what_was_chosen(board):
    links = list(links_of(board))
    others = {f"/d/{uid}" for uid in BOARDS} - {f"/d/{board['uid']}"}

    assert {link.partition("?")[0] for link in links} == others
    for link in board["links"]:
        assert link["keepTime"] and link["includeVars"]
    for link in (each for each in links if "?" in each):
        for kept in ("${__url_time_range}", "${datasource:queryparam}", "${job:queryparam}",
                     "${instance:queryparam}", "pool"):
            assert kept in link, link


def test_runbooks_that_are_linked_exist():
    linked = set()
    for panel in (panel for board in BOARDS.values() for panel in drawn(board) if panel["type"] == "text"):
        linked |= set(re.findall(re.escape(words.RUNBOOKS) + r"/([^)]*)\)", panel["options"]["content"]))

    assert linked
    assert [name for name in sorted(linked) if not (ROOT / "docs" / "runbooks" / name).exists()] == []


def test_words_are_those_of_the_program(supervise):
    supervisor = supervise({"web": {"workers": 1}})

    metrics = supervisor.metrics()

    def values(metric, label):
        return {labels[label] for labels, _ in metrics.matching(metric)}

    assert set(words.DIAGNOSES) == set(words.DIAGNOSIS_COLORS)
    assert set(words.DIAGNOSES) == values("poolwarden_worker_failures_total", "diagnosis")
    assert set(words.RECYCLE_COLORS) == values("poolwarden_worker_recycles_total", "reason")
    assert set(words.START_COLORS) == values("poolwarden_worker_starts_total", "reason")
    assert set(words.END_COLORS) == values("poolwarden_worker_exits_total", "reason")
    assert set(words.REJECTION_COLORS) == values("poolwarden_queue_rejected_total", "reason")
    assert set(words.FAILURE_COLORS) == values("poolwarden_http_request_failures_total", "reason")
    assert set(words.WORKER_STATES) == values("poolwarden_workers", "state")
    assert set(words.EXIT_CODES) >= values("poolwarden_worker_exit_codes_total", "exit_code")
    assert set(words.SIGNALS) >= values("poolwarden_worker_exit_signals_total", "signal")


def test_grafana_is_given_what_it_knows():
    """That the paths are those that deploy/compose mounts, test_deploy_files.py tells."""
    sources = yaml.safe_load((PROVISIONING / "datasources" / "prometheus.yaml").read_text())
    providers = yaml.safe_load((PROVISIONING / "dashboards" / "poolwarden.yaml").read_text())
    scrape = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text())

    assert set(sources) == {"apiVersion", "datasources"} and set(providers) == {"apiVersion", "providers"}
    assert sources["apiVersion"] == providers["apiVersion"] == 1
    [source], [provider] = sources["datasources"], providers["providers"]
    assert set(source) <= SOURCE_KEYS and set(provider) <= PROVIDER_KEYS
    assert (source["type"], source["uid"]) == ("prometheus", "prometheus")
    assert source["jsonData"]["timeInterval"] == scrape["global"]["scrape_interval"]
    assert provider["type"] == "file"


def test_substitution_leaves_no_variable():
    assert substituted('rate(a{pool=~"$pool"}[$__rate_interval]) * $__interval_ms', {"pool": "web"}) == \
        'rate(a{pool=~"web"}[1m]) * 15000'
