#!/usr/bin/python3
"""Holds the capacity model of docs/scaling.md against real pools: offers them random load at several
rates, and prints what the model says beside what /metrics said.

    tests/bench/capacity.py build/release/poolwarden [--seconds 40] [--seed 1]
"""

import argparse
import asyncio
import random
import sys
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

from capacity_model import predict  # noqa: E402
from supervisor import Supervisor  # noqa: E402

SERVICE = 0.1      # seconds; the worker sleeps, so the machine's processors hardly matter
WARM_UP = 5.0      # seconds until the queues are as long as they get
SAMPLE_EVERY = 0.5
WAIT = "poolwarden_queue_wait_seconds"  # only of requests that did wait
UPSTREAM = "poolwarden_http_upstream_duration_seconds"


@dataclass
class Setup:
    name: str
    replicas: int
    workers: int
    concurrency: int
    queue_limit: int
    split: str = "random"  # or round robin
    service: str = "exponential"  # or constant

    @property
    def places(self):
        return self.workers * self.concurrency

    def pool(self):
        return {"workers": self.workers, "concurrency": self.concurrency,
                "queue": {"limit": self.queue_limit, "timeout": "1m", "recycle_over": 0}}


ONE = Setup("1 x 8 places", 1, 2, 4, 40)
RUNS = [
    *((ONE, load) for load in (0.5, 0.7, 0.8, 0.9, 1.0, 1.2)),
    (Setup("1 x 8, constant time", 1, 2, 4, 40, service="constant"), 0.8),
    (Setup("1 x 8, queue.limit 4", 1, 2, 4, 4), 0.9),
    (Setup("1 x 12 places", 1, 3, 4, 40), 0.8),
    (Setup("3 x 4, at random", 3, 1, 4, 40), 0.8),
    (Setup("3 x 4, in turn", 3, 1, 4, 40, split="round robin"), 0.8),
    (Setup("3 x 4, at random", 3, 1, 4, 40), 1.2),
]


class Client:
    """Open loop: a request is sent when its time has come, whatever became of those before. Kept
    connections, as many as it takes."""

    def __init__(self, ports, setup, random_numbers):
        self.setup, self.random = setup, random_numbers
        self.idle = {port: [] for port in ports}
        self.ports = ports
        self.latest = 0.0  # how late a request was sent at most

    async def offer(self, rate, seconds, tasks):
        began, due, sent = time.monotonic(), 0.0, 0
        while (due := due + self.random.expovariate(rate)) < seconds:
            await asyncio.sleep(max(0.0, began + due - time.monotonic()))
            self.latest = max(self.latest, time.monotonic() - began - due)
            port = (self.random.choice(self.ports) if self.setup.split == "random"
                    else self.ports[sent % len(self.ports)])
            task = asyncio.create_task(self._ask(port))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            sent += 1

    async def _ask(self, port):
        mean = SERVICE
        service = (self.random.expovariate(1 / mean) if self.setup.service == "exponential"
                   else mean)
        if self.idle[port]:
            reader, writer = self.idle[port].pop()
        else:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET /slow?seconds={service * 1e3:.0f}ms HTTP/1.1\r\nHost: bench\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in head.lower().splitlines()
                      if line.startswith(b"content-length:"))
        await reader.readexactly(length)
        self.idle[port].append((reader, writer))


class Watch:
    """What the replicas' metrics say of one run, all of them together."""

    def __init__(self, replicas):
        self.replicas = replicas
        self.began = time.monotonic()
        self.before = self._read()
        self.in_flight = []

    def _read(self):
        every = [replica.metrics() for replica in self.replicas]
        found = {f"{name}_{part}": sum(metrics.value(f"{name}_{part}", pool="web") for metrics in every)
                 for name in (WAIT, UPSTREAM) for part in ("sum", "count")}
        found["rejected"] = sum(metrics.value("poolwarden_queue_rejected_total", pool="web",
                                              reason="full") for metrics in every)
        return found

    async def go_on(self, until):
        while not until.done():
            self.in_flight.append(await asyncio.to_thread(self._in_flight))
            await asyncio.wait([until], timeout=SAMPLE_EVERY)

    def _in_flight(self):
        return sum(replica.metric("poolwarden_http_requests_in_flight", pool="web")
                   for replica in self.replicas)

    def end(self):
        after = self._read()
        took = time.monotonic() - self.began
        return {name: after[name] - self.before[name] for name in after}, took


async def offer_and_watch(client, replicas, rate, seconds):
    """The counts of `seconds`, after the warm-up; how long that was; how many were in flight."""
    asked = set()
    offering = asyncio.create_task(client.offer(rate, WARM_UP + seconds, asked))
    await asyncio.sleep(WARM_UP)
    watch = await asyncio.to_thread(Watch, replicas)
    await watch.go_on(offering)
    seen, took = watch.end()
    offering.result()
    await asyncio.gather(*asked)
    return seen, took, sum(watch.in_flight) / len(watch.in_flight)


def run(program, setup, load, seconds, seed):
    """One line of the table."""
    replicas = [Supervisor(program, {"web": setup.pool()}) for _ in range(setup.replicas)]
    try:
        for replica in replicas:
            replica.start()
        client = Client([replica.port for replica in replicas], setup, random.Random(seed))
        rate = load * setup.replicas * setup.places / SERVICE
        seen, took, in_flight = asyncio.run(offer_and_watch(client, replicas, rate, seconds))
    finally:
        for replica in replicas:
            replica.finish()
            replica.destroy()
    answered, rejected = seen[f"{UPSTREAM}_count"], seen["rejected"]
    offered = (answered + rejected) / took
    service = seen[f"{UPSTREAM}_sum"] / answered
    told = predict(offered / setup.replicas, service, setup.places, setup.queue_limit)
    waited = seen[f"{WAIT}_count"]
    wait = seen[f"{WAIT}_sum"] / waited if waited else 0.0
    print(f"| {setup.name} | {load:.0%} | {offered:.0f} | {service * 1000:.1f} "
          f"| {told.throughput * setup.replicas:.0f} / {answered / took:.0f} "
          f"| {told.busy:.0%} / {in_flight / setup.places / setup.replicas:.0%} "
          f"| {told.waiting:.0%} / {waited / answered:.0%} "
          f"| {told.wait * 1000:.0f} / {wait * 1000:.0f} "
          f"| {told.rejected:.1%} / {rejected / (answered + rejected):.1%} |", flush=True)
    if client.latest > SERVICE:
        print(f"  (a request was sent {client.latest * 1000:.0f} ms late: this machine was busy)",
              file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path)
    parser.add_argument("--seconds", type=float, default=40)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print("| pools | load | offered /s | service ms | answered /s | busy | waited | their wait ms "
          "| rejected |\n" + "|---" * 9 + "|")
    for setup, load in RUNS:
        run(str(options.program.resolve()), setup, load, options.seconds, options.seed)


if __name__ == "__main__":
    main()
