"""A worker with two hundred grandchildren, every other one orphaned and in a session of its own, is
gone with all of them when `stop` returns, every time."""

import os
from pathlib import Path

import pytest

from machine import WITHOUT_CGROUPS, is_sanitized
from waiting import eventually

GRANDCHILDREN = 200
CHILDREN = GRANDCHILDREN // 2  # the parents of those that stay in the worker's session


@pytest.mark.parametrize("prefix, containment", [
    pytest.param([], None, id="with_cgroups"),
    pytest.param(WITHOUT_CGROUPS, "none", id="without_cgroups",
                 marks=pytest.mark.skipif(os.geteuid() != 0, reason="only root may unmount"))])
def test_a_tree_of_two_hundred_is_gone(supervise, program, prefix, containment):
    fork_tree = Path(program).parent / "tests" / "workers" / "fork_tree"
    supervisor = supervise({"tree": {"command": [str(fork_tree), str(GRANDCHILDREN), "stay"],
                                     "routes": [], "start": "manual"}}, wait="up", prefix=prefix)
    found = supervisor.status()["supervisor"]["containment"]["cgroup"]
    if containment is None and found in ("none", "v2_readonly"):
        pytest.skip("no cgroup can be made here")
    assert containment in (None, found)
    ours = set(supervisor.survivors())

    for run in range(10 if is_sanitized(program) else 100):
        assert supervisor.run("start", "tree").returncode == 0
        tree = eventually(lambda: _complete(set(supervisor.survivors()) - ours),
                          f"run {run}: the whole tree")

        assert supervisor.run("stop", "tree", "--wait").returncode == 0

        left = set(supervisor.survivors()) - ours
        assert not left, f"run {run}: {len(left)} of {len(tree)} are left"


def _complete(tree):
    return tree if len(tree) == 1 + CHILDREN + GRANDCHILDREN else None
