"""A gateway that has run out of file descriptors keeps connections waiting, and says so."""

import os
import pwd
import resource
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from waiting import eventually

FAILURES = "poolwarden_http_accept_failures_total"


def lowest_free(pid):
    used = {int(entry.name) for entry in Path(f"/proc/{pid}/fd").iterdir()}
    return next(number for number in range(len(used) + 1) if number not in used)


def test_a_connection_waits_until_there_is_a_descriptor_for_it(supervise):
    # Of another user's process only CAP_SYS_RESOURCE may change the limits.
    supervisor = supervise({"web": {}}, gateway={"user": pwd.getpwuid(os.geteuid()).pw_name})
    gateway = supervisor.gateway_pid()
    assert supervisor.metric(FAILURES) == 0

    before = resource.prlimit(gateway, resource.RLIMIT_NOFILE)
    resource.prlimit(gateway, resource.RLIMIT_NOFILE, (lowest_free(gateway), before[1]))
    with ThreadPoolExecutor(1) as clients:
        request = clients.submit(supervisor.get)
        eventually(lambda: supervisor.metric(FAILURES) > 0, "a connection that is not accepted")
        assert not request.done()
        resource.prlimit(gateway, resource.RLIMIT_NOFILE, before)
        assert request.result().status == 200
