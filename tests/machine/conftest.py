"""One boot for all tests that were selected."""

import os

import pytest

import guest

def pytest_generate_tests(metafunc):
    if "contained_test" in metafunc.fixturenames:
        metafunc.parametrize("contained_test", list(guest.contained_tests()), ids="-".join)
    if "rights" in metafunc.fixturenames:
        metafunc.parametrize("rights", guest.rights_for(story_of(metafunc.function)))


def story_of(test):
    """A story has the name of the test that judges it."""
    return test.__name__.removeprefix("test_")


def job_of(item):
    """(rights, kind, name) of what a test judges."""
    given = item.callspec.params
    return given.get("contained_test") or (given["rights"], "story", story_of(item.function))


@pytest.fixture(scope="session")
def told_of(request, tmp_path_factory):
    """What the machine told of a job. $BOOT_OPTIONS are given to its kernel: to see that tests fail
    with `cgroup_disable=memory`, for one."""
    told = guest.boot(tmp_path_factory.mktemp("machine"), list(map(job_of, request.session.items)),
                      os.environ.get("BOOT_OPTIONS", ""))

    def told_of(job):
        assert job in told, "it did not run: the machine's console tells why"
        print(*told[job].lines, sep="\n")  # shown when the test failed
        return told[job]

    return told_of


@pytest.fixture
def story(request, rights, told_of):
    """What the story told that is run with these rights."""
    return told_of(job_of(request.node))
