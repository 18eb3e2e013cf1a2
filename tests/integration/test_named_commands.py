"""Every command that the documents and the help of metrics name is one that the program has."""

import re
import subprocess

import pytest

from deployment import ROOT

HIDDEN = {"sample-worker"}  # the pools of the samples run it; nobody types it
TOLD = {"itself", "killed"}  # what it prints of itself is quoted as code, too
CODE = re.compile(r"^```.*?^```|^    .*?$|(`+)(?!`).+?\1", re.M | re.S)
NAMED = re.compile(r"\bpoolwarden +(?!poolwarden\b)([a-z][a-z-]*)")  # `exec poolwarden poolwarden plan`
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def output(program, *arguments):
    return subprocess.run([program, *arguments], capture_output=True, text=True, timeout=30,
                          check=True).stdout


@pytest.fixture(scope="module")
def commands(program):
    found = set(re.findall(r"^  ([a-z][a-z-]*)  ", output(program, "--help"), re.M))
    assert {"run", "status", "events"} <= found
    return found | HIDDEN


def in_code(text):
    return [word for code in CODE.finditer(text) for word in NAMED.findall(code.group())]


def test_documents_name_commands_that_there_are(commands):
    named = {path: in_code(path.read_text()) for path in DOCUMENTS}
    assert sum(map(len, named.values())) > 100, "the search finds no commands any more"
    unknown = {str(path.relative_to(ROOT)): words for path in DOCUMENTS
               if (words := sorted(set(named[path]) - commands - TOLD))}
    assert unknown == {}


def test_help_of_metrics_names_commands_that_there_are(program, commands):
    assert set(NAMED.findall(output(program, "metrics", "--describe"))) <= commands
