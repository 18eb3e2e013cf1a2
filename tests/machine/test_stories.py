"""What is seen of the whole program on cgroup v2 with every controller; guest/stories does it."""

import json

import pytest

import guest

MIB = 1 << 20


@pytest.fixture(autouse=True)
def ended_well(story):
    assert story.status == 0 and not story.of("gave-up"), "\n".join(story.lines[-40:])
    yield
    assert story.left == [], "cgroups or processes that it left behind"


def status(story):
    [text] = story.of("status")
    return json.loads(text)


def workers(story, pool):
    [found] = [found for found in status(story)["pools"] if found["name"] == pool]
    return found["workers"]


def events(story, name, **fields):
    return [event for event in map(json.loads, story.of("event"))
            if event["event"] == name and fields.items() <= event.items()]


def counts(story, file):
    """A file of `name number` lines."""
    return {name: int(number) for name, number in map(str.split, story.of(file))}


def test_placement(story, rights):
    """Processes are in leaves only, and what is above them hands its controllers down."""
    processes = {place: pids.split() for place, _, pids in
                 (line.partition(" ") for line in story.of("processes"))}
    handed_down = {place: set(controllers.split()) for place, _, controllers in
                   (line.partition(" ") for line in story.of("handed-down"))}
    [worker] = workers(story, "web")
    base = next(place for place in processes if place.count("/") == 2)

    assert processes["/"] == processes[base] == processes[f"{base}web/"] == []
    assert {*story.of("supervisor"), str(status(story)["supervisor"]["gateway_pid"])} \
        <= set(processes[f"{base}supervisor/"])
    assert processes[f"{base}web/0-1/"] == [str(worker["pid"])]
    wanted = {"cpu", "pids", "cpuset"} | ({"memory"} if rights != "without_memory" else set())
    for place in ("/", base, f"{base}web/"):
        assert wanted <= handed_down[place]
    assert status(story)["supervisor"]["containment"]["cgroup"] == "v2_delegated"
    assert story.of("cpu.max") == ["50000 100000"]
    assert story.of("pids.max") == ["30"]
    assert story.of("cpuset.cpus.effective") == ["1"]


def test_not_alone(story, rights):
    """In a container all processes are ours to move. Elsewhere the stranger is left alone, and what
    that costs is named with who it is."""
    missing = status(story)["supervisor"]["containment"]["missing"]
    [stranger], [place] = story.of("stranger"), story.of("place")
    [free] = workers(story, "free")
    assert free["state"] == "serving"
    if rights == "root":
        assert place.endswith("/supervisor") and missing == []
        assert [worker["state"] for worker in workers(story, "limited")] == ["serving"]
    else:
        assert "/poolwarden-" not in place
        for controller in ("memory", "cpu", "pids"):
            [told] = [text for text in missing if text.startswith(f"cannot limit {controller}: ")]
            assert f"other processes are in the supervisor's own cgroup (pid {stranger}…)" in told
        [failed] = events(story, "worker.start_failed", pool="limited")
        assert failed["stage"] == "cgroup" and "cannot enforce limits.pids" in failed["message"]


def doctor_of_cgroup(story):
    """What it found of the cgroup."""
    [report] = map(json.loads, story.of("report"))
    [found] = [check for check in report["checks"] if check["subject"] == "cgroup"]
    return found


def test_out_of_sight(story):
    cause = doctor_of_cgroup(story)["cause"]
    for controller in ("memory", "cpu", "pids"):
        assert f"cannot limit {controller}: " in cause
    assert "in the supervisor's own cgroup (of another pid namespace)" in cause


def metric(story, key, name, **labels):
    """Of the metrics that a story told under this key: the one of this name and these labels."""
    [value] = [line.rpartition(" ")[2] for line in story.of(key)
               if line.startswith(f"poolwarden_pool_{name}{{")
               and all(f'{label}="{text}"' in line for label, text in labels.items())]
    return float(value)


def killed_for_memory(story):
    """How often, and at whose limit, as the certificate tells."""
    [exited] = events(story, "worker.exited")
    assert (exited["pool"], exited["signal"]) == ("greedy", "SIGKILL")
    assert exited["diagnosis"] == "oom_killed"
    [replacement] = workers(story, "greedy")
    assert (replacement["generation"], replacement["state"]) == (2, "serving")
    [neighbour] = workers(story, "neighbour")
    assert (neighbour["generation"], neighbour["state"]) == (1, "serving")
    assert story.of("ended") == ["0"]  # the supervisor itself, when it was told to
    assert exited["oom"]["kills"] >= 1
    return exited["oom"]


def at_its_own_limit(story):
    oom = killed_for_memory(story)
    assert oom["scope"] == "own_limit" and oom["own_limit_hits"] >= 1
    assert workers(story, "greedy")[0]["memory_limit"] == 32 * MIB
    return oom


def test_out_of_memory(story):
    """It dies, and does not go on slowly in the swap that there is."""
    at_its_own_limit(story)
    assert story.of("swap") != ["0 kB"] and story.of("swap.max") == ["0"]


def test_out_of_memory_below(story):
    """It ends as a whole: memory.oom.group."""
    assert at_its_own_limit(story)["group_kills"] >= 1
    assert story.of("survived") == []


def test_out_of_memory_above(story):
    oom = killed_for_memory(story)
    assert oom["scope"] == "container" and "own_limit_hits" not in oom


def test_fork_bomb(story):
    """What it started stays: 18 children, beside the shell that tells how it ended."""
    assert (story.of("pids.max"), story.of("pids.current")) == (["20"], ["19"])
    assert counts(story, "pids.events")["max"] >= 1
    assert workers(story, "neighbour")[0]["state"] == "serving"
    assert metric(story, "metric", "process_limit_hits_total") >= 1
    assert metric(story, "metric", "processes_limit") == 20
    assert story.of("stopped") == ["0"] and story.of("left-in-pool") == [""]


def test_processor_time(story):
    """What the kernel counted of a worker that has ended is still there."""
    assert story.of("cpu.max") == ["20000 100000"]
    assert story.of("cpu.weight") == ["300"] * 2, "of the worker and of its pool"
    assert metric(story, "before", "cpu_limit_cores") == 0.2
    periods = [metric(story, key, "cpu_throttled_periods_total") for key in ("before", "after")]
    assert 10 <= periods[0] < periods[1]
    assert metric(story, "after", "cpu_periods_total") >= periods[1]
    assert metric(story, "after", "cpu_throttled_seconds_total") > 0
    assert metric(story, "after", "pressure_waiting_seconds_total", resource="cpu") > 0
    assert story.of("ended") == ["0"]


def test_cpu_rule(story):
    """limits.cpu_action: log and kill, by the CPU time that the kernel counts for the cgroup."""
    assert story.of("cpu.max") == ["max 100000"] * 2
    assert {event["pool"] for event in events(story, "worker.over_cpu")} == {"killed", "logged"}
    assert {event["pool"] for event in events(story, "worker.recycled")} == {"killed"}
    assert metric(story, "metric", "cpu_seconds_total", mode="user") > 0
    assert workers(story, "logged")[0]["generation"] == 1


def test_memory_high(story):
    assert story.of("memory.high") == [str(32 * MIB)]
    assert counts(story, "memory.events")["high"] >= 1
    assert counts(story, "memory.events")["oom_kill"] == 0
    [worker] = workers(story, "greedy")
    assert worker["state"] == "serving"
    assert events(story, "worker.exited") == []


def test_descendants(story):
    """The worker, two hundred that stay, and the parents of every other one of these."""
    assert story.of("started") == ["301"] * guest.ROUNDS
    assert story.of("stopped") == ["0"] * guest.ROUNDS
    assert story.of("survivor") == story.of("left") == []


def test_suspension(story):
    [before], [after] = story.of("before"), story.of("after")
    assert len(before.split()) == 2 and after == before
    assert story.of("asleep") == story.of("still-asleep") != []
    [answer] = story.of("answer")
    assert str(json.loads(answer)["pid"]) in before.split()
    assert counts(story, "awake") == {"populated": 1, "frozen": 0}


def test_supervisor_killed(story):
    assert len(story.of("before")[0].split()) == 31
    assert story.of("nobody-left") == [""]


def test_doctor(story, rights):
    """Clean, or the controller that is missing is named, with its cure."""
    [report] = map(json.loads, story.of("report"))
    cgroup = doctor_of_cgroup(story)
    limits = [check for check in report["checks"] if check["subject"] == "limits"]

    if rights == "without_memory":
        assert cgroup["found"] == "v2_delegated: limits can be set on cpu, pids"
        assert "cannot limit memory" in cgroup["cause"] and "cgroup.subtree_control" in cgroup["cure"]
        assert [check["result"] for check in limits] == ["problem"]
        for limit in ("memory", "memory_high"):
            assert f"cannot enforce limits.{limit}: no writable cgroup has" in limits[0]["found"]
        assert not any(f"limits.{limit}:" in limits[0]["found"] for limit in ("cpu", "pids"))
    else:
        assert (cgroup["result"], cgroup["found"]) == \
            ("ok", "v2_delegated: limits can be set on memory, cpu, pids")
        assert [check["result"] for check in limits] == ["ok"]
        assert report["problems"] == 0, report


def says_what_can_be_limited(story, rights):
    memory = "memory, " if rights != "without_memory" else ""
    return doctor_of_cgroup(story)["found"] == \
        f"v2_delegated: limits can be set on {memory}cpu, pids"


def test_doctor_beside_doctor(story, rights):
    assert says_what_can_be_limited(story, rights), story
    assert story.of("first-ended-with") == ["0"]


def test_doctor_beside(story, rights):
    assert says_what_can_be_limited(story, rights), story
    assert story.of("cpu.max") == ["50000 100000"], "the supervisor's workers keep their limits"


def test_doctor_killed(story):
    """At the first sign of its cgroups, and ever later."""
    assert "137" in story.of("ended-with")
