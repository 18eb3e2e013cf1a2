"""Fixtures of the stories: tests of the whole program, started as its users start it."""

import os
from pathlib import Path

import pytest

from supervisor import Supervisor
from time_limit import time_limit

ROOT = Path(__file__).resolve().parents[2]
LONGEST_STORY = 180  # seconds; one that takes longer hangs


@pytest.fixture(scope="session")
def program():
    path = Path(os.environ.get("POOLWARDEN", ROOT / "build" / "poolwarden")).resolve()
    if not path.exists():
        pytest.exit(f"{path} does not exist: run `make build`", returncode=2)
    return str(path)


@pytest.fixture(autouse=True)
def limited():
    with time_limit(LONGEST_STORY):
        yield


@pytest.fixture
def supervise(program):
    """Starts supervisors: supervise(pools={...}, ...). All of them are ended, and checked for what
    they leave behind, when the story is over."""
    made = []

    def start(pools, **options):
        supervisor = Supervisor(program, pools, **options)
        made.append(supervisor)
        supervisor.start()
        return supervisor

    yield start
    for supervisor in made:
        print(supervisor.log_tail())  # shown by pytest when the story failed
    try:
        for supervisor in made:
            supervisor.finish()
    finally:
        for supervisor in made:
            supervisor.destroy()
