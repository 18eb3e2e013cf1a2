"""The queries of the dashboards, with the variables put in, for tests that ask them."""

import sys
from dataclasses import dataclass
from pathlib import Path

DASHBOARDS = Path(__file__).resolve().parents[2] / "dashboards"

sys.path.insert(0, str(DASHBOARDS))
from source import boards  # noqa: E402  the path to it is known only now

# As Grafana has them for a range of an hour, a step of 15 s and a scrape interval of 15 s.
INTERVALS = {"$__rate_interval": "1m", "$__interval_ms": "15000", "$__interval": "15s", "$__range": "1h"}


@dataclass(frozen=True)
class BoardQuery:
    board: str  # uid
    panel: str  # title; that of an annotation too
    expression: str
    # Why it may have no data while all is well: "no cgroup of its own", "no worker has failed".
    # None: it must have data.
    may_be_empty: str | None
    instant: bool


def substituted(expression, values=None, **intervals):
    """The expression for the given values of variables; one that is not given is All."""
    for name, value in {**INTERVALS, **{f"$__{name}": value for name, value in intervals.items()}}.items():
        expression = expression.replace(name, value)
    for name in ("job", "instance", "pool"):
        expression = expression.replace(f"${name}", (values or {}).get(name, ".+"))
    return expression


def board_queries(values=None, **intervals):
    """All queries of all boards. `values`: of job, instance and pool; `intervals`: rate_interval="20s",
    interval_ms, interval, range."""
    for board in boards():
        for panel in board.panels():
            for query in panel.queries:
                yield BoardQuery(board.uid, panel.title, substituted(query.expression, values, **intervals),
                                 query.optional or panel.nothing, query.instant)
        for annotation in board.json()["annotations"]["list"]:
            if "expr" in annotation:
                yield BoardQuery(board.uid, annotation["name"], substituted(annotation["expr"], values, **intervals),
                                 "nothing of the kind has happened", False)
