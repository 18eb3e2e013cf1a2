"""The rules of deploy/prometheus: valid, tested on both sides, documented, with a runbook each."""

import json
import re
import subprocess

import pytest

from alerting import (PROMETHEUS, RULES, RUNBOOKS, UNIT_TESTS, alert_names, alerting_rules,
                      table_rows, variant)
from deployment import ROOT, load

RUNBOOK_URL = "https://github.com/poolwarden/poolwarden/blob/main/docs/runbooks/"
HEADINGS = ["What it means for users", "Look", "Likely causes", "Cure", "Do not",
            "When to change the threshold"]


def promtool(*arguments, folder=None):
    result = subprocess.run(["promtool", *arguments], cwd=folder, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def test_promtool_takes_the_rules():
    promtool("check", "rules", *sorted(RULES.glob("*.yml")))


def test_promtool_takes_the_configuration():
    promtool("check", "config", PROMETHEUS)


@pytest.mark.parametrize("path", UNIT_TESTS, ids=lambda path: path.stem)
def test_unit_tests(path):
    promtool("test", "rules", path.name, folder=path.parent)


def test_each_alert_has_a_case_that_fires_and_one_that_is_silent():
    fires, silent = set(), set()
    for path in UNIT_TESTS:
        for case in load(path)["tests"]:
            for check in case.get("alert_rule_test", []):
                expected = check["exp_alerts"]
                fires |= {(check["alertname"], variant(alert["exp_labels"])) for alert in expected}
                silent |= {check["alertname"]} if not expected else set()

    assert fires == {(rule["alert"], variant(rule["labels"])) for rule in alerting_rules()}
    assert silent == alert_names()


@pytest.mark.parametrize("rule", alerting_rules(),
                         ids=lambda rule: rule["alert"] + variant(rule["labels"]))
def test_alert_says_what_it_must(rule):
    notes = rule["annotations"]
    assert re.fullmatch(r"Poolwarden([A-Z]+[a-z]+)+|PoolwardenCPUThrottled", rule["alert"])
    assert rule["labels"]["severity"] in ("critical", "warning", "info")
    assert "{{" not in notes["summary"], "a summary that varies cannot be grouped by"
    # Of something that is not there at all there is nothing to name.
    assert "$labels" in notes["description"] or "absent(" in rule["expr"]
    assert notes["runbook_url"] == f"{RUNBOOK_URL}{rule['alert']}.md"
    assert {"summary", "description", "runbook_url"} <= notes.keys() <= {
        "summary", "description", "runbook_url", "dashboard_path"}


@pytest.mark.parametrize("path", sorted({rule["annotations"]["dashboard_path"]
                                         for rule in alerting_rules()
                                         if "dashboard_path" in rule["annotations"]}))
def test_dashboard_path_leads_to_a_board_with_these_variables(path):
    uid, parameters = re.fullmatch(r"/d/([\w-]+)\?(.+)", path).groups()
    boards = [json.loads(file.read_text()) for file in (ROOT / "dashboards").glob("*.json")]
    (board,) = [board for board in boards if board["uid"] == uid]
    variables = {variable["name"] for variable in board["templating"]["list"]}
    assert set(re.findall(r"var-(\w+)=", parameters)) <= variables


def test_each_alert_has_a_runbook_and_each_runbook_an_alert():
    assert {path.stem for path in RUNBOOKS.glob("*.md")} == alert_names()


@pytest.mark.parametrize("path", sorted(RUNBOOKS.glob("*.md")), ids=lambda path: path.stem)
def test_runbook_has_all_its_parts(path):
    text = path.read_text()
    assert text.startswith(f"# {path.stem}\n")
    assert re.findall(r"^## (.+)$", text, re.M) == HEADINGS
    parts = re.split(r"^## .+$", text, flags=re.M)[1:]
    assert all(part.strip() for part in parts)
    for linked in re.findall(r"\]\((\w+)\.md\)", text):
        assert linked in alert_names()
    # Without an empty line before it a command is text of the paragraph above.
    assert not re.findall(r"^(?! {4}).+\n {4}\$ .+", text, re.M)


def test_the_table_of_the_docs_is_right():
    assert table_rows() == [(rule["alert"], rule.get("for", "at once"), rule["labels"]["severity"])
                            for rule in alerting_rules()]
