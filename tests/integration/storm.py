"""The recycle storm: a load that forgives nothing (tests/bench/hammer.cpp) on workers that count
what they run (tests/workers/ledger.cpp), while workers are replaced every 100 ms for every reason
there is, in turn. test_recycle_storm.py runs a short one, tests/bench/recycle_storm.py a long one."""

import copy
import json
import os
import signal
import socket
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from waiting import eventually, gone
from web import request

EVERY = 0.1  # seconds
LONGEST_PHASE = 120
LEDGER_IDS = 64 * 1024 * 1024  # a sparse file
CONNECTIONS = 64
POST_PERCENT = 30
MANY = 8  # workers


class Hammer:
    """The load, and its ledger. It runs until finish()."""

    def __init__(self, program, port, ledger, connections=CONNECTIONS):
        hammer = Path(program).parent / "tests" / "hammer"
        self._process = subprocess.Popen(
            [hammer, "--url", f"http://127.0.0.1:{port}", "--ledger", ledger, "--connections",
             str(connections), "--post-percent", str(POST_PERCENT)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.complaints = []
        self._reader = threading.Thread(target=self._read_complaints, daemon=True)
        self._reader.start()

    def _read_complaints(self):
        for line in self._process.stderr:
            self.complaints.append(line.rstrip())

    def _order(self, line):
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _ask(self, line):
        self._order(line)
        answer = self._process.stdout.readline()
        assert answer, f"the hammer has ended: {self.complaints}"
        return answer.split()

    def answered(self):
        return int(self._ask("count")[1])

    def posts(self, percent):
        """Returns when, for 0, no POST is in flight any more."""
        assert self._ask(f"post-percent {percent}") == ["ok"]

    def burst(self, requests, pause_ms):
        self._order(f"burst {requests} {pause_ms}")

    def finish(self):
        """What it counted; `exit` is 0 when it found nothing wrong."""
        self._order("finish")
        outcome = json.loads(self._process.stdout.readline())
        outcome["exit"] = self._process.wait(60)
        self._reader.join(60)
        return outcome

    def kill(self):
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(60)


def make_ledger(folder):
    path = Path(folder) / "ledger"
    with open(path, "wb") as file:
        file.truncate(LEDGER_IDS)
    path.chmod(0o666)
    return path


def ledger_pool(program, ledger, **settings):
    """Nothing recycles its workers but what a phase says, and all may wait when none serves."""
    return {"command": [str(Path(program).parent / "tests" / "workers" / "ledger")],
            "environment": {"LEDGER": str(ledger)}, "workers": 3,
            "recycle": {"over_memory": 0}, "health": {"deadlock": {"after": 0}},
            "rapid_fail": {"failures": 0}, "queue": {"restart_limit": 1000}, "log_level": "all",
            **settings}


@dataclass
class Phase:
    """One reason to replace workers. `turn` brings it about once; `count` tells how often it has."""
    name: str
    count: tuple  # metric, labels
    turn: object = None
    settings: dict = field(default_factory=dict)
    burst: tuple = (0, 0)
    gets_only: bool = False
    every: float = EVERY


def recycles(reason):
    return "poolwarden_worker_recycles_total", {"reason": reason}


def merged(base, over):
    made = copy.deepcopy(base)
    for key, value in over.items():
        both_are_maps = isinstance(value, dict) and isinstance(made.get(key), dict)
        made[key] = merged(made[key], value) if both_are_maps else value
    return made


class Storm:
    def __init__(self, supervisor, hammer):
        self.supervisor, self.hammer = supervisor, hammer
        self.base = copy.deepcopy(supervisor.settings["pools"]["web"])
        self.report = []
        self.hung = []  # pids

    def ask_for(self, **what):
        """What a command would send; as a command is a process, this is faster."""
        with socket.socket(socket.AF_UNIX) as control:
            control.connect(str(self.supervisor.control))
            control.sendall(json.dumps(what).encode() + b"\n")
            return json.loads(control.makefile().read().splitlines()[-1])

    def order(self, **what):
        outcome = self.ask_for(**what)
        assert outcome["exit"] == 0, (what, outcome)

    def reload(self, settings, wait=True):
        self.supervisor.settings["pools"]["web"] = merged(self.base, settings)
        self.supervisor.file.write_text(json.dumps(self.supervisor.settings))
        self.order(command="reload", file="", wait=wait, timeout_ms=60_000)

    def ask(self, path):
        answer = request(self.supervisor.port, path)
        assert answer.status == 200, (path, answer)

    def lost(self):
        found = self.supervisor.metrics().matching("poolwarden_http_requests_lost_total",
                                                   pool="web")
        return {labels["cause"]: value for labels, value in found}

    def run(self, phase, turns, requests):
        """Until so many workers were replaced for it, and so many requests answered meanwhile."""
        metric, labels = phase.count
        if phase.gets_only:
            self.hammer.posts(0)
        self.reload(phase.settings)
        self.hammer.burst(*phase.burst)
        started, before = time.monotonic(), self.supervisor.metric(metric, **labels)
        answered = self.hammer.answered()
        taken = 0
        pause = threading.Event()
        while True:
            now = time.monotonic() - started
            count = self.supervisor.metric(metric, **labels) - before
            done = self.hammer.answered() - answered
            if count >= turns and done >= requests:
                break
            assert now < LONGEST_PHASE, \
                f"{phase.name}: {count} of {turns} in {now:.0f} s, {done} of {requests} requests"
            if phase.turn:
                phase.turn(self, taken)
            taken += 1
            pause.wait(max(0, taken * phase.every - (time.monotonic() - started)))
        self.hammer.burst(0, 0)
        eventually(lambda: all(map(gone, self.hung)), "whoever hangs is replaced", LONGEST_PHASE)
        self.reload({})
        if phase.gets_only:
            self.hammer.posts(POST_PERCENT)
        self.report.append({"phase": phase.name, "seconds": round(now, 2), "replaced": count,
                            "requests": done, "lost": self.lost(),
                            "complaints": len(self.hammer.complaints)})


def recycle_in_place(storm, turn):
    """One that is being replaced already, as the phase before has asked for, cannot be asked for."""
    slot = turn % 3
    refusal = {"exit": 1, "message": f"cannot recycle: pool web has no serving worker {slot}"}

    def is_recycled():
        outcome = storm.ask_for(command="recycle", pool="web", worker=slot, wait=True)
        assert outcome["exit"] == 0 or outcome == refusal, outcome
        return outcome["exit"] == 0

    eventually(is_recycled, "a worker that serves")


def hang_one(storm, turn):
    """Its main loop stops for ever; whatever it has in flight is stuck."""
    workers = storm.supervisor.workers()
    if not workers:
        return
    pid = workers[turn % len(workers)]["pid"]
    try:
        os.kill(pid, signal.SIGUSR1)
    except ProcessLookupError:  # one that hung before, and has just been replaced
        return
    storm.hung.append(pid)


PHASES = [
    Phase("manual", recycles("manual"),
          lambda storm, turn: storm.order(command="recycle", pool="web")),
    Phase("in_place", recycles("manual"),
          recycle_in_place, settings={"recycle": {"overlapped": False}}),
    Phase("all_at_once", recycles("manual"),
          lambda storm, turn: storm.order(command="recycle", pool="web", wait=True),
          settings={"recycle": {"at_once": 3}}),
    Phase("reload", recycles("config_change"),
          lambda storm, turn: storm.reload({"environment": {"TURN": str(turn)}})),
    Phase("scale", ("poolwarden_worker_exits_total", {"reason": "scale_down"}),
          lambda storm, turn: storm.order(command="scale", pool="web", min=3 + 2 * (turn % 2),
                                          max=3 + 2 * (turn % 2), wait=True)),
    Phase("after_requests", recycles("requests"), settings={"recycle": {"after_requests": 500}}),
    Phase("after_time", recycles("time"), settings={"recycle": {"after_time": "300ms"}}),
    Phase("over_memory", recycles("private_memory"),
          lambda storm, turn: storm.ask("/leak?mib=60"),
          settings={"recycle": {"over_memory": "48MiB"}}),
    Phase("over_virtual_memory", recycles("memory"),
          lambda storm, turn: storm.ask("/reserve?mib=3000"),
          settings={"recycle": {"over_virtual_memory": "2GiB"}}),
    # Each worker gets one request at a time, so 61 wait. While a queue stays too long one worker is
    # recycled in 10 s, so its limit comes and goes; after_requests has it looked at more often.
    Phase("recycle_over", recycles("queue_limit"), every=0.25,
          turn=lambda storm, turn: storm.reload(
              {"concurrency": 1, "queue": {"recycle_over": 10 * (turn % 2)},
               "recycle": {"after_requests": 1_000_000_000}})),
    Phase("unhealthy", recycles("worker_request"), lambda storm, turn: storm.ask("/unhealthy")),
    # Failures: a place where one follows the other waits for longer and longer, so more places.
    Phase("ping", recycles("unhealthy"), lambda storm, turn: storm.ask("/fail-pings"),
          settings={"workers": MANY, "health": {
              "ping": {"http": "/ping", "interval": "50ms", "timeout": "100ms"}}}),
    Phase("idle_terminate", ("poolwarden_worker_exits_total", {"reason": "idle_timeout"}),
          settings={"idle": {"after": "50ms"}}, burst=(2000, 150)),
    Phase("idle_suspend", ("poolwarden_events_total", {"event": "worker.suspended"}),
          settings={"idle": {"after": "50ms", "action": "suspend"}}, burst=(2000, 150)),
    # What a hung worker has in flight and is not idempotent cannot be both answered and not
    # repeated, so only GETs; with more than what the workers take at once, for others have to wait.
    Phase("deadlock", recycles("unhealthy"), hang_one, gets_only=True, every=0.25,
          settings={"workers": MANY, "concurrency": 1,
                    "stop": {"drain": "100ms", "timeout": "500ms"},
                    "health": {"deadlock": {"after": "600ms", "cooldown": "1ms"}}}),
]


def check(storm, outcome):
    """What has to be true when all is over."""
    problems = []
    for line in storm.hammer.complaints:
        problems.append(line)
    for name in ("broken", "wrong", "closed", "unanswered", "posts_not_run", "posts_run_twice",
                 "posts_run_unanswered", "gets_run"):
        if outcome[name]:
            problems.append(f"{name}: {outcome[name]}")
    if outcome["answered"] != outcome["sent"]:
        problems.append(f"{outcome['answered']} of {outcome['sent']} requests were answered")
    if outcome["connects"] != outcome["connections"]:
        problems.append(f"{outcome['connects']} connects for {outcome['connections']} connections")
    if outcome["exit"] != 0:
        problems.append(f"the hammer ended with {outcome['exit']}")
    for cause, count in storm.lost().items():
        if count:
            problems.append(f"poolwarden_http_requests_lost_total{{cause={cause}}} is {count}")
    return problems
