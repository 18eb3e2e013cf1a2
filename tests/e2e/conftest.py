"""Fixtures of the end-to-end tests: a real engine, the program's image, containers of it."""

import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
sys.path.append(str(TESTS / "integration"))  # web, waiting, exposition
sys.path.append(str(TESTS / "machine"))  # emulator, kernel

from container import Container  # noqa: E402
from engine import Engine  # noqa: E402
from images import program_image  # noqa: E402
from time_limit import time_limit  # noqa: E402

LONGEST_TEST = 300  # seconds; one that takes longer hangs


@pytest.fixture(scope="session")
def engine():
    engine = Engine()
    try:
        yield engine.start()
    finally:
        engine.stop()


@pytest.fixture(scope="session")
def image(engine):
    return program_image(engine)


@pytest.fixture(autouse=True)
def limited():
    with time_limit(LONGEST_TEST):  # what is made once a session is not within it
        yield


@pytest.fixture
def contain(engine, image):
    """Starts containers of the program: contain(pools={...}, options=[...], wait="ready", ...). All
    are removed when the test is over, and their logs shown when it failed."""
    made = []

    def start(pools=None, wait="ready", **how):
        container = Container(engine, how.pop("image", image), pools, **how)
        made.append(container)
        return container.start(wait)

    yield start
    for container in made:
        print(container.log_tail())  # shown by pytest when the test failed
        container.destroy()
