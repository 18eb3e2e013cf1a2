"""deploy/systemd/poolwarden.service under a real systemd: its start, reloads, ends."""

from pathlib import Path

import pytest

from deployment import UNIT
from virtual_machine import boot

CONFIGURATION = """\
pools:
  web:
    command: [poolwarden, sample-worker]
    identity: {user: www-data}
    routes: [{path: /}]
    workers: 2
    limits: {memory: 64MiB, pids: 64}
"""


@pytest.fixture(scope="module")
def told(engine, image):
    """What systemd_story told: key -> words."""
    text = boot(engine, image, {
        "/etc/systemd/system/poolwarden.service": (UNIT.read_text(), 0o644),
        # As the unit has it, but sooner, and with room for the starts of this story.
        "/etc/systemd/system/poolwarden.service.d/test.conf": (
            "[Unit]\nStartLimitBurst=10\n[Service]\nWatchdogSec=8s\nTimeoutAbortSec=5s\n", 0o644),
        "/etc/poolwarden/poolwarden.yaml": (CONFIGURATION, 0o644),
        "/story": ((Path(__file__).parent / "systemd_story").read_text(), 0o755)})
    return {key: words for key, _, words in (line.partition(" ") for line in text.splitlines())}


def test_nothing_was_given_up(told):
    assert "end" in told and "gave-up" not in told


def test_start_returns_when_the_pools_serve(told):
    assert (told["start"], told["type"], told["ready"]) == ("0", "notify", "200")
    assert told["status"]


def test_workers_are_contained_and_have_no_privilege(told):
    assert told["worker-memory"] == str(64 * 1024 * 1024)
    assert int(told["worker-capabilities"], 16) == 0


def test_reload_changes_what_the_file_says(told):
    assert (told["reload"], told["workers"]) == ("0", "3")


def test_a_wrong_file_fails_the_reload_and_changes_nothing(told):
    assert (told["wrong-reload"], told["after-wrong-reload"]) == ("1", "active same-process")


def test_an_oom_kill_in_a_worker_leaves_the_service_alone(told):
    kills, state, restarts = told["oom"].split()
    assert int(kills) >= 1 and (state, restarts) == ("active", "0")


def test_a_supervisor_that_is_killed_is_started_again(told):
    assert told["killed"] == "1 3"


def test_a_supervisor_that_hangs_is_started_again(told):
    assert told["hung"] == "2 1"


def test_stop_answers_the_request_in_flight(told):
    assert (told["stop"], told["stopped"]) == ("0", "inactive 0 200 0")


def test_a_wrong_configuration_is_not_tried_again(told):
    assert told["wrong-start"] != "0"
    assert told["wrong"] == "2 0"
