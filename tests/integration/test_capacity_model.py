"""The capacity model of docs/scaling.md against results that have been known for a century."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "bench"))

from capacity_model import predict  # noqa: E402


def test_without_a_queue_it_is_erlang_b():
    # 2 erlangs on 3 lines: (2^3/3!) / (1 + 2 + 2^2/2! + 2^3/3!) = 4/19.
    told = predict(rate=20, service=0.1, places=3, queue_limit=0)

    assert told.rejected == pytest.approx(4 / 19)
    assert told.waiting == 0


def test_one_place_and_a_long_queue_is_m_m_1():
    load, service = 0.8, 0.1
    told = predict(rate=load / service, service=service, places=1, queue_limit=2000)

    assert told.throughput == pytest.approx(load / service)
    assert told.waiting == pytest.approx(load)
    assert told.wait == pytest.approx(service / (1 - load))


def test_those_who_wait_wait_for_a_place_and_those_before_them():
    places, load, service = 8, 0.9, 0.05
    told = predict(rate=load * places / service, service=service, places=places, queue_limit=2000)

    assert told.busy == pytest.approx(load)
    assert told.wait == pytest.approx(service / places / (1 - load))


def test_overload_fills_places_and_queue_and_rejects_the_rest():
    told = predict(rate=200, service=0.1, places=10, queue_limit=1000)

    assert told.throughput == pytest.approx(100)
    assert told.rejected == pytest.approx(0.5)
    assert told.wait == pytest.approx(1000 * 0.1 / 10, rel=0.01)
