"""Upgrade: a WebSocket passes through the gateway as a tunnel."""

import asyncio
from pathlib import Path

import pytest
import websockets

APPLICATIONS = Path(__file__).parent / "applications"
POOLS = {
    "sample": {},
    "python": {"command": ["/usr/bin/python3", str(APPLICATIONS / "websocket_echo.py")]},
}


async def echo(port, messages):
    async with websockets.connect(f"ws://127.0.0.1:{port}/websocket", max_size=None) as socket:
        answers = []
        for message in messages:
            await socket.send(message)
            answers.append(await socket.recv())
        return answers


@pytest.mark.parametrize("kind", POOLS)
def test_echoes_text_and_bytes(supervise, kind):
    supervisor = supervise({"web": POOLS[kind]})
    messages = ["hello", "ümlaut", b"\x00\x01\x02", b"x" * 300_000]
    assert asyncio.run(echo(supervisor.port, messages)) == messages


def test_many_at_once(supervise):
    supervisor = supervise({"web": {"concurrency": 64}})

    async def all_of_them():
        return await asyncio.gather(*(echo(supervisor.port, [f"number {i}"]) for i in range(50)))

    assert asyncio.run(all_of_them()) == [[f"number {i}"] for i in range(50)]


def test_an_ordinary_answer_to_an_upgrade_is_passed_on(supervise):
    supervisor = supervise({"web": {}})
    answer = supervisor.get("/info", headers={"Connection": "Upgrade", "Upgrade": "something/1"})
    assert answer.status == 200
    assert answer.json["path"] == "/info"


def test_request_timeout_is_for_requests_not_for_tunnels(supervise):
    supervisor = supervise({"web": {"health": {"request_timeout": "300ms"}}})

    async def talk_for_a_second():
        uri = f"ws://127.0.0.1:{supervisor.port}/websocket"
        async with websockets.connect(uri) as socket:
            loop = asyncio.get_running_loop()
            began = loop.time()
            while loop.time() - began < 1:
                await socket.send("still here")
                assert await socket.recv() == "still here"

    asyncio.run(talk_for_a_second())
