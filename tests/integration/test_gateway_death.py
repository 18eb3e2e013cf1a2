"""kill -9 of the gateway: it listens again at once, and no counter goes back."""

import os
import signal
import socket

from waiting import eventually, gone
from web import Load


def test_listens_again_on_the_same_socket(supervise):
    supervisor = supervise({"web": {"workers": 2}})
    first = supervisor.gateway_pid()

    with Load(supervisor.port, "/info", connections=8) as load:
        load.wait_for_more(500)
        before = supervisor.metrics().counters()
        os.kill(first, signal.SIGKILL)
        # Refused connections would be here at once: the listening socket must have stayed.
        for _ in range(50):
            socket.create_connection(("127.0.0.1", supervisor.port), timeout=10).close()
        eventually(lambda: gone(first), "the end of the first gateway")
        eventually(lambda: supervisor.gateway_pid() not in (0, first), "the second gateway")
        load.wait_for_more(500)

    assert [event["was"] for event in supervisor.events_of("gateway.exited")] == [5175]
    assert all("Refused" not in failure for failure in load.broken)
    assert set(load.answers) == {(200, None)}
    after = supervisor.metrics().counters()
    backwards = {key: (value, after.get(key)) for key, value in before.items()
                 if after.get(key, -1) < value}
    assert backwards == {}


def test_survives_dying_again_and_again(supervise):
    supervisor = supervise({"web": {}})
    workers = supervisor.worker_pids()
    seen = set()

    for _ in range(5):
        pid = eventually(lambda: supervisor.gateway_pid() not in seen | {0}
                         and supervisor.gateway_pid(), "a new gateway")
        seen.add(pid)
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: supervisor.get().status == 200, "an answer after it")

    assert supervisor.worker_pids() == workers
