"""The dashboards as Python: each board a module, the words and shapes that they share beside it."""

from . import failures, overview, pool, supervisor


def boards():
    """All boards, in the order in which one drills down."""
    return [overview.BOARD, pool.BOARD, failures.BOARD, supervisor.BOARD]
