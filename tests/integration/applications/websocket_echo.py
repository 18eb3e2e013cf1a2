# A WebSocket server of Python's websockets package on the socket path that it is given.
import asyncio
import os

import websockets


async def echo(socket):
    async for message in socket:
        await socket.send(message)


async def serve():
    async with websockets.unix_serve(echo, os.environ["POOLWARDEN_SOCKET"]):
        await asyncio.Future()


asyncio.run(serve())
