#!/usr/bin/python3
"""1 000 000 requests over 64 kept connections while workers are replaced every 100 ms for every
reason in turn. Prints what each reason brought, and ends with 1 when anything was lost or run twice.

    tests/bench/recycle_storm.py build/release/poolwarden [--requests N] [--turns N] [--only PHASE]
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

from storm import PHASES, Hammer, Phase, Storm, check, ledger_pool, make_ledger, recycles  # noqa: E402
from supervisor import Supervisor  # noqa: E402


def schedule():
    """The next minutes; so this phase lasts up to one."""
    now = time.time()
    times = [time.strftime("%H:%M", time.localtime(now + 60 * i)) for i in (1, 2)]
    return Phase("schedule", recycles("schedule"), settings={"recycle": {"at": times}})


def run(options):
    with tempfile.TemporaryDirectory(prefix="pw-storm-") as folder:
        Path(folder).chmod(0o755)
        ledger = make_ledger(folder)
        pool = ledger_pool(options.program.resolve(), ledger, connect=options.connect,
                           ready={"when": {"http": "/ping"}})
        supervisor = Supervisor(str(options.program.resolve()), {"web": pool})
        phases = [phase for phase in PHASES if options.only in (None, phase.name)]
        try:
            supervisor.start()
            hammer = Hammer(supervisor.program, supervisor.port, ledger)
            storm = Storm(supervisor, hammer)
            for phase in phases:
                storm.run(phase, options.turns, options.requests // len(phases))
                print(json.dumps(storm.report[-1]), flush=True)
            if options.only in (None, "schedule"):
                storm.run(schedule(), 2, 0)
                print(json.dumps(storm.report[-1]), flush=True)
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
    parser.add_argument("--log", type=Path, help="where the supervisor's log is kept")
    return run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
