"""The C++ tests about containment, on cgroup v2 with every controller: as root in a container that
may do everything, and as a user in a subtree that was handed to it."""

import re

import pytest

SKIPPED = re.compile(r": Skipped\n(.*?)\n*\[  SKIPPED \]", re.DOTALL)


def test_on_cgroup_v2(contained_test, told_of):
    it = told_of(contained_test)
    output = "\n".join(it.lines)
    assert it.status == 0, output
    assert it.left == [], "cgroups or processes that it left behind"
    skipped = SKIPPED.search(output)
    if skipped:
        assert not re.search("cgroup|controller", skipped[1]), "all of them are there"
        pytest.skip(skipped[1])
    assert f"[       OK ] {contained_test[2]}" in output
