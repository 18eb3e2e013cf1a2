"""What happens to each kind of request when its worker leaves (docs/http.md)."""

import asyncio
import http.client
import re
import socket
from pathlib import Path

import pytest
import websockets

from waiting import eventually, gone
from web import Load, exchange

FIRST_ONE_HANGS = Path(__file__).parent / "applications" / "first_one_hangs.py"


@pytest.fixture
def connected():
    """Connections to a supervisor's gateway, closed at the story's end."""
    made = []

    def connect(supervisor):
        made.append(socket.create_connection(("127.0.0.1", supervisor.port), timeout=60))
        return made[-1]

    yield connect
    for connection in made:
        connection.close()


def recycle(supervisor, old):
    """Without --wait: it is not done as long as the old worker has a request. Returns when the
    replacement serves and the old worker takes nothing more."""
    assert supervisor.run("recycle", "web").returncode == 0
    eventually(lambda: draining(supervisor) == old and supervisor.worker_pids(), "a replacement")
    assert old[0] not in supervisor.worker_pids()


def draining(supervisor):
    return [worker["pid"] for worker in supervisor.workers(state=None)
            if worker["state"] == "draining"]


def expect_nothing_lost(supervisor):
    for labels, value in supervisor.metrics().matching("poolwarden_http_requests_lost_total"):
        assert value == 0, labels


def in_flight(supervisor, count):
    eventually(lambda: supervisor.metric("poolwarden_http_requests_in_flight", pool="web") == count,
               f"{count} in flight")


def received(connection, end, so_far=b""):
    while not so_far.endswith(end):
        part = connection.recv(65536)
        assert part, f"closed after {so_far[-200:]!r}"
        so_far += part
    return so_far


def test_a_keep_alive_client_stays_connected(supervise):
    supervisor = supervise({"web": {}})
    connection = http.client.HTTPConnection("127.0.0.1", supervisor.port, timeout=60)
    pids = [exchange(connection, "/info").json["pid"]]
    port = connection.sock.getsockname()

    for _ in range(3):
        assert supervisor.run("recycle", "web", "--wait").returncode == 0
        pids.append(exchange(connection, "/info").json["pid"])

    assert connection.sock.getsockname() == port
    assert len(set(pids)) == 4
    connection.close()
    expect_nothing_lost(supervisor)


def test_pipelined_requests_go_on_with_the_replacement(supervise, connected):
    supervisor = supervise({"web": {}})
    old = supervisor.worker_pids()
    client = connected(supervisor)
    ask = "GET {} HTTP/1.1\r\nHost: a\r\n{}\r\n"

    client.sendall((ask.format("/bytes?count=20000000", "") + ask.format("/info", "") +
                    ask.format("/info", "Connection: close\r\n")).encode())
    in_flight(supervisor, 1)
    recycle(supervisor, old)  # while the client takes nothing of the first answer
    answers = b""
    while part := client.recv(1_000_000):
        answers += part

    assert re.findall(rb"HTTP/1.1 (\d+)", answers) == [b"200"] * 3
    assert [int(pid) for pid in re.findall(rb'"pid":(\d+)', answers)] == supervisor.worker_pids() * 2
    eventually(lambda: gone(old[0]), "the old worker has ended")
    expect_nothing_lost(supervisor)


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_slow_upload_is_taken_by_the_worker_that_has_it(supervise, connected, framing):
    supervisor = supervise({"web": {"stop": {"tunnels": 0}}})
    old = supervisor.worker_pids()
    client = connected(supervisor)
    half = b"x" * 100_000
    chunk = b"%x\r\n%s\r\n" % (len(half), half) if framing == "chunked" else half
    field = (b"Transfer-Encoding: chunked" if framing == "chunked"
             else b"Content-Length: %d" % (2 * len(half)))

    client.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + field +
                   b"\r\n\r\n" + chunk)
    in_flight(supervisor, 1)
    recycle(supervisor, old)
    assert not gone(old[0])
    assert supervisor.get().json["pid"] != old[0]
    client.sendall(chunk + (b"0\r\n\r\n" if framing == "chunked" else b""))
    answer = received(client, b"0\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.count(b"x") == 2 * len(half)
    eventually(lambda: gone(old[0]), "the old worker has ended")
    expect_nothing_lost(supervisor)


def test_a_long_download_is_sent_to_its_end(supervise, connected):
    size = 50_000_000
    supervisor = supervise({"web": {"stop": {"tunnels": 0}}})
    old = supervisor.worker_pids()
    client = connected(supervisor)

    client.sendall(b"GET /bytes?count=%d HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" % size)
    head, _, body = received(client, b"x").partition(b"\r\n\r\n")
    recycle(supervisor, old)  # while the client takes nothing
    assert not gone(old[0])
    left = size - len(body)
    while part := client.recv(1_000_000):
        left -= len(part)

    assert head.startswith(b"HTTP/1.1 200")
    assert left == 0
    eventually(lambda: gone(old[0]), "the old worker has ended")
    expect_nothing_lost(supervisor)


async def say(websocket, message):
    await websocket.send(message)
    assert await websocket.recv() == message


def open_websocket(supervisor):
    return websockets.connect(f"ws://127.0.0.1:{supervisor.port}/websocket")


def test_a_websocket_is_closed_when_its_time_is_over(supervise):
    supervisor = supervise({"web": {"stop": {"tunnels": "3s"}}})
    old = supervisor.worker_pids()

    async def talk():
        async with open_websocket(supervisor) as websocket:
            await say(websocket, "before")
            in_thread = asyncio.get_running_loop().run_in_executor
            waiting = in_thread(None, supervisor.run, "recycle", "web", "--wait")
            await in_thread(None, eventually, lambda: draining(supervisor) == old, "the mark")
            await say(websocket, "after the mark")
            with pytest.raises(websockets.exceptions.ConnectionClosed):
                await websocket.recv()
            assert (await waiting).returncode == 0
        async with open_websocket(supervisor) as websocket:
            await say(websocket, "to the new worker")

    asyncio.run(talk())
    assert gone(old[0])
    eventually(lambda: supervisor.metric("poolwarden_websockets_in_flight", pool="web") == 0,
               "their ends are counted")
    expect_nothing_lost(supervisor)


def test_a_websocket_without_a_limit_holds_a_recycle_up(supervise):
    supervisor = supervise({"web": {"stop": {"tunnels": "infinite"}}})
    old = supervisor.worker_pids()

    async def talk():
        async with open_websocket(supervisor) as websocket:
            await say(websocket, "before")
            recycle(supervisor, old)
            with Load(supervisor.port, connections=2) as load:  # as long as others are served
                load.wait_for_more(100)
            await say(websocket, "still here")
            assert not gone(old[0])

    asyncio.run(talk())
    eventually(lambda: gone(old[0]), "the old worker has ended")
    expect_nothing_lost(supervisor)


def test_a_websocket_does_not_hold_up_the_end_of_the_service(supervise):
    supervisor = supervise({"web": {"stop": {"drain": "infinite", "tunnels": "infinite"}}})

    async def talk():
        async with open_websocket(supervisor) as websocket:
            await say(websocket, "before")
            ending = asyncio.get_running_loop().run_in_executor(None, supervisor.stop)
            with pytest.raises(websockets.exceptions.ConnectionClosed):
                await websocket.recv()
            assert await ending == 0

    asyncio.run(talk())


def test_all_requests_of_a_deadlocked_worker_are_answered_by_its_replacement(supervise):
    requests = 100
    supervisor = supervise({"web": {
        "command": ["/usr/bin/python3", str(FIRST_ONE_HANGS)], "concurrency": 32,
        "queue": {"limit": requests, "restart_limit": 10},
        "health": {"deadlock": {"after": "3s", "cooldown": "1m"}},
        "stop": {"drain": "100ms", "timeout": "1s"}}})
    old = supervisor.worker_pids()

    with Load(supervisor.port, "/", connections=requests, limit=requests) as load:
        eventually(lambda: supervisor.metric("poolwarden_queue_enqueued_total", pool="web") >=
                   requests - 32, "the rest waits")
        load.join()

    assert load.failures == []
    assert load.answered == requests
    assert gone(old[0])
    assert supervisor.events_of("worker.unhealthy", ailment="deadlock")
    metrics = supervisor.metrics()
    assert metrics.value("poolwarden_worker_failures_total", diagnosis="deadlock") == 1
    expect_nothing_lost(supervisor)
