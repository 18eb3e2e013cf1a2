#!/usr/bin/python3
"""1 000 000 requests over 64 kept connections while workers are replaced every 100 ms for every
reason in turn. Prints what each reason brought, and ends with 1 when anything was lost or run twice.

    tests/bench/recycle_storm.py build/release/poolwarden [--requests N] [--turns N] [--only PHASE]

With --mixed SECONDS: all reasons but deadlocks at once, and settings that change at random.
"""

import argparse
import json
import random
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

from storm import (EVERY, PHASES, Hammer, Phase, Storm, check, ledger_pool,  # noqa: E402
                   make_ledger, recycles)
from supervisor import Supervisor  # noqa: E402


def schedule():
    """The next minutes; so this phase lasts up to one."""
    now = time.time()
    times = [time.strftime("%H:%M", time.localtime(now + 60 * i)) for i in (1, 2)]
    return Phase("schedule", recycles("schedule"), settings={"recycle": {"at": times}})


def run_phases(storm, options):
    phases = [phase for phase in PHASES if options.only in (None, phase.name)]
    for phase in phases:
        storm.run(phase, options.turns, options.requests // len(phases))
        print(json.dumps(storm.report[-1]), flush=True)
    if options.only in (None, "schedule"):
        storm.run(schedule(), 2, 0)
        print(json.dumps(storm.report[-1]), flush=True)


def any_settings(choice):
    settings = {
        "workers": choice([1, 2, 3, 4, {"min": 1, "max": 4}]), "concurrency": choice([1, 4, 32]),
        "recycle": {"over_memory": "48MiB", "after_requests": choice([0, 300, 2000]),
                    "after_time": choice([0, "200ms", "1s"]), "overlapped": choice([True, False]),
                    "at_once": choice([1, 2])},
        "queue": {"recycle_over": choice([0, 10, 5000])},
        "idle": {"after": choice([0, "50ms", "100ms"]), "action": choice(["terminate", "suspend"]),
                 "spare_after": "200ms"},
        "health": {"ping": {"http": "/ping", "interval": "50ms",
                            "timeout": choice(["150ms", "1s"])}}}
    if choice([True, False]):
        settings["environment"] = {"TURN": str(time.monotonic())}
    return settings


def recycle_if_it_runs(storm):
    try:
        storm.order(command="recycle", pool="web")
    except AssertionError as refused:
        assert "is starting" in str(refused)  # just now it has no worker


def run_mixed(storm, options):
    dice = random.Random(options.seed)
    choice = dice.choice
    deeds = [
        lambda: recycle_if_it_runs(storm),
        lambda: storm.order(command="scale", pool="web", min=1, max=choice([1, 2, 5])),
        lambda: storm.ask("/leak?mib=30"),
        lambda: storm.ask("/unhealthy"),
        lambda: choice([storm.ask, lambda path: None])("/fail-pings"),
        lambda: storm.reload(any_settings(choice), wait=False),
        lambda: storm.hammer.burst(choice([0, 200, 2000]), choice([20, 100, 200])),
        lambda: storm.hammer.burst(0, 0),
    ]
    pause = threading.Event()
    end = time.monotonic() + options.mixed
    while time.monotonic() < end:
        choice(deeds)()
        pause.wait(choice([0, 0.02, EVERY]))
    storm.hammer.burst(0, 0)
    storm.reload({})


def run(options):
    with tempfile.TemporaryDirectory(prefix="pw-storm-") as folder:
        Path(folder).chmod(0o755)
        ledger = make_ledger(folder)
        program = options.program.resolve()
        supervisor = Supervisor(str(program), {"web": ledger_pool(
            program, ledger, connect=options.connect, ready={"when": {"http": "/ping"}})})
        try:
            supervisor.start()
            hammer = Hammer(program, supervisor.port, ledger)
            storm = Storm(supervisor, hammer)
            (run_mixed if options.mixed else run_phases)(storm, options)
            outcome = hammer.finish()
            print(json.dumps(outcome))
            problems = check(storm, outcome)
            supervisor.finish()
        finally:
            if options.log:
                options.log.write_bytes(supervisor.log_path.read_bytes())
            supervisor.destroy()
    print(*problems, sep="\n")
    print(f"{outcome['sent']} requests, {outcome['sent'] - outcome['answered']} lost, "
          f"{outcome['posts_run_twice']} run twice")
    return 1 if problems else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", type=Path, help="build/release/poolwarden")
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--turns", type=int, default=20, help="replacements for each reason")
    parser.add_argument("--connect", default="unix", choices=["unix", "tcp", "inherit"])
    parser.add_argument("--only", help="one phase")
    parser.add_argument("--mixed", type=int, metavar="SECONDS", help="everything at once")
    parser.add_argument("--seed", type=int, default=1, help="of --mixed")
    parser.add_argument("--log", type=Path, help="where the supervisor's log is kept")
    return run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
