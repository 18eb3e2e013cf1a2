"""A new configuration is put into effect as a whole or not at all, and no request is lost."""

import itertools
import json
import random
import shutil
import signal
import subprocess
import sys

from waiting import eventually, gone
from web import Load


def plan(supervisor):
    result = supervisor.run("plan", "--json")
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def changes(supervisor):
    return {pool["pool"]: pool["change"] for pool in plan(supervisor)["pools"]}


def host(name):
    return {"routes": [{"host": name, "path": "/"}]}


def pool_of(supervisor, name):
    """Which pool answers for this host."""
    return supervisor.get(headers={"Host": name}).json["pool"]


def reload(supervisor, code=0):
    result = supervisor.run("reload", "--wait")
    assert result.returncode == code, result.stdout + result.stderr
    return result


def test_nothing_differs(supervise):
    supervisor = supervise({"web": {}})
    workers = supervisor.worker_pids()

    assert changes(supervisor) == {"web": "unchanged"}
    result = reload(supervisor)

    assert "nothing differs" in result.stdout
    assert supervisor.worker_pids() == workers
    assert supervisor.event_names()[-1] == "config.reloaded"


def test_a_bad_file_changes_nothing(supervise):
    supervisor = supervise({"web": {}})
    workers = supervisor.worker_pids()
    supervisor.change({"web": {"concurrency": 0, "workrs": 3}, "other": {"routes": [{"path": "/o"}]}})

    result = reload(supervisor, code=2)

    text = str(supervisor.file)
    places = [line for line in result.stderr.splitlines() if line.startswith(text + ":")]
    assert len(places) == 2 and all(": error: " in line for line in places), result.stderr
    assert "nothing was changed" in result.stderr
    assert supervisor.run("plan").returncode == 2
    assert supervisor.worker_pids() == workers
    assert [pool["name"] for pool in supervisor.status()["pools"]] == ["web"]
    [failed] = supervisor.events_of("config.reload_failed")
    assert "concurrency" in failed["message"] and failed["was"] == 5173
    metrics = supervisor.metrics()
    assert metrics.value("poolwarden_config_last_reload_successful") == 0
    assert metrics.value("poolwarden_config_reload_failures_total") == 1


def test_a_file_that_is_gone_changes_nothing(supervise):
    supervisor = supervise({"web": {}})
    supervisor.file.unlink()

    assert "cannot read" in reload(supervisor, code=2).stderr
    assert supervisor.get().status == 200
    supervisor.write_file()


def test_metrics_name_the_file_in_effect(supervise):
    supervisor = supervise({"web": {}})
    [(before, _)] = supervisor.metrics().matching("poolwarden_config_info")
    supervisor.change({"web": {"concurrency": 5}})

    reload(supervisor)

    [(after, _)] = supervisor.metrics().matching("poolwarden_config_info")
    assert after != before
    assert supervisor.metric("poolwarden_config_reloads_total") == 1
    assert supervisor.metric("poolwarden_config_last_reload_successful") == 1


def test_a_live_change_touches_no_worker(supervise):
    supervisor = supervise({"web": {}})
    workers = supervisor.worker_pids()
    supervisor.change({"web": {"queue": {"limit": 7}, "stop": {"timeout": "3s"}}})

    assert changes(supervisor) == {"web": "live change"}
    reload(supervisor)

    assert supervisor.worker_pids() == workers
    assert supervisor.metric("poolwarden_queue_limit", pool="web") == 7
    assert "pool.changed" in supervisor.event_names()


def test_workers_follow_the_file(supervise):
    supervisor = supervise({"web": {"workers": 1}})
    [first] = supervisor.worker_pids()
    supervisor.change({"web": {"workers": 3}})
    reload(supervisor)
    eventually(lambda: len(supervisor.workers()) == 3, "three workers")
    supervisor.change({"web": {"workers": 1}})

    reload(supervisor)

    eventually(lambda: supervisor.worker_pids() == [first], "the first worker alone")


def test_a_changed_command_recycles_without_a_lost_request(supervise):
    supervisor = supervise({"web": {"workers": 2}})
    before = set(supervisor.worker_pids())

    with Load(supervisor.port, "/info", connections=8) as load:
        load.wait_for_more(200)
        supervisor.change({"web": {"workers": 2, "environment": {"EDITION": "second"}}})
        assert changes(supervisor) == {"web": "recycle"}
        reload(supervisor)
        load.wait_for_more(200)

    assert load.failures == []
    assert before.isdisjoint(supervisor.worker_pids())
    reasons = {(event["reason"], event["was"])
               for event in supervisor.events_of("worker.recycling")}
    assert reasons == {("config_change", 5080)}
    for labels, value in supervisor.metrics().matching("poolwarden_http_requests_lost_total"):
        assert value == 0, labels


def test_a_command_that_fails_leaves_the_old_workers_serving(supervise):
    supervisor = supervise({"web": {}})
    workers = supervisor.worker_pids()
    supervisor.change({"web": {"command": ["/bin/false"]}})

    result = reload(supervisor, code=1)

    assert "0 of 1 workers recycled" in result.stderr
    assert supervisor.worker_pids() == workers
    assert supervisor.get().status == 200


def test_what_holds_it_up_is_named_when_time_is_over(supervise):
    supervisor = supervise({"web": {}})
    with Load(supervisor.port, "/slow?seconds=60", connections=1, limit=1):
        eventually(lambda: supervisor.metric("poolwarden_http_requests_in_flight", pool="web") == 1,
                   "the slow request in flight")
        [old] = supervisor.worker_pids()

        for seconds in (1, 5, 20):  # on a busy machine the new worker is waited for at first
            supervisor.change({"web": {"environment": {"EDITION": str(seconds)}}})
            result = supervisor.run("reload", "--wait", "--timeout", f"{seconds}s")
            if "draining" in result.stderr:
                break

        assert result.returncode == 3
        assert f"pid {old}" in result.stderr and "draining" in result.stderr
        supervisor.process.send_signal(signal.SIGTERM)
        supervisor.process.wait(30)


def test_on_config_change_off_leaves_running_workers(supervise):
    off = {"recycle": {"on_config_change": False}}
    supervisor = supervise({"web": off})
    [old] = supervisor.worker_pids()
    supervisor.change({"web": {**off, "environment": {"EDITION": "second"}}})

    assert changes(supervisor) == {"web": "live change"}
    reload(supervisor)
    assert supervisor.worker_pids() == [old]

    assert supervisor.run("recycle", "web", "--wait").returncode == 0
    [new] = supervisor.worker_pids()
    assert b"EDITION=second" in open(f"/proc/{new}/environ", "rb").read()


def test_a_worker_is_held_to_the_pings_that_it_was_started_with(supervise):
    off = {"recycle": {"on_config_change": False}}
    supervisor = supervise({"web": off})
    [old] = supervisor.worker_pids()
    supervisor.change({"web": {**off, "health": {"ping": {"notify": True, "timeout": "1s"}}}})

    reload(supervisor)

    eventually(lambda: supervisor.workers()[0]["age_seconds"] > 3, "a worker three times as old")
    assert supervisor.worker_pids() == [old]


def test_a_pool_is_added_and_removed_without_an_error(supervise):
    supervisor = supervise({"web": {}})
    with Load(supervisor.port, "/info", connections=4) as load:
        load.wait_for_more(50)
        supervisor.change({"api": host("api.test")})
        assert changes(supervisor) == {"web": "unchanged", "api": "add"}
        reload(supervisor)
        assert pool_of(supervisor, "api.test") == "api"
        [worker] = supervisor.worker_pids("api")
        assert supervisor.metric("poolwarden_workers_desired", pool="api") == 1

        supervisor.change(without=["api"])
        assert changes(supervisor) == {"web": "unchanged", "api": "remove"}
        reload(supervisor)
        load.wait_for_more(50)

    assert load.failures == []
    assert pool_of(supervisor, "api.test") == "web"
    assert gone(worker)
    assert [pool["name"] for pool in supervisor.status()["pools"]] == ["web"]
    assert not [labels for labels, _ in supervisor.metrics().matching("poolwarden_worker_starts_total")
                if labels["pool"] == "api"]
    names = supervisor.event_names()
    assert names.index("pool.added") < names.index("pool.removed")
    [stopped] = [event for event in supervisor.events_of("worker.stopped", pool="api")]
    assert stopped["intent"] == "reload"


def test_a_route_moves_between_pools_under_load(supervise):
    """Back and forth: not one request finds no pool, or one that does not take it."""
    low = [{"path": "/low"}]
    supervisor = supervise({"one": {}, "two": {"routes": low}})
    with Load(supervisor.port, "/info", connections=8) as load:
        for owner in itertools.islice(itertools.cycle(["two", "one"]), 10):
            other = "one" if owner == "two" else "two"
            supervisor.change({owner: {}, other: {"routes": low}})
            reload(supervisor)
            assert supervisor.get().json["pool"] == owner
            load.wait_for_more(50)
    assert load.failures == []
    assert supervisor.metrics().value("poolwarden_http_requests_total", pool="", code="404") == 0


def test_a_route_moves_from_a_pool_that_goes_to_one_that_comes(supervise):
    supervisor = supervise({"one": {"concurrency": 2}})
    with Load(supervisor.port, "/slow?seconds=0.05", connections=8) as load:  # some always wait
        old = "one"
        for new in ("two", "three", "four"):
            load.wait_for_more(20)
            supervisor.change({new: {"concurrency": 2}}, without=[old])
            assert changes(supervisor) == {new: "add", old: "remove"}
            reload(supervisor)
            old = new
        load.wait_for_more(20)
    assert load.failures == []
    for labels, value in supervisor.metrics().matching("poolwarden_http_requests_lost_total"):
        assert value == 0, labels


def some_change(supervisor, rng, number):
    """One of all kinds at random: a new environment, count, limit or route, a pool more or less."""
    other = [name for name in supervisor.settings["pools"] if name != "web"]
    kind = rng.choice(["recycle", "live", "add", "remove", "route", "restart"])
    if kind == "recycle":
        supervisor.change({"web": {"environment": {"EDITION": str(number)}}})
    elif kind == "live":
        supervisor.change({"web": {"workers": rng.choice([1, 2, 3]), "concurrency": 8 + number}})
    elif kind == "add":
        supervisor.change({f"p{number % 3}": {"routes": [{"path": f"/p{number}"}]}})
    elif kind == "remove":
        supervisor.change(without=other[:1])
    elif kind == "route" and other:
        supervisor.change({other[0]: {"routes": [{"path": f"/r{number}"}]}})
    elif kind == "restart" and other:
        supervisor.change({other[0]: {"routes": [], "command": ["/bin/sleep", "1000"],
                                      "ready": {"when": "started"}}})


def test_many_changes_in_a_row_lose_no_request(supervise):
    supervisor = supervise({"web": {"workers": 2}})
    rng = random.Random(5)
    with Load(supervisor.port, "/info", connections=8) as load:
        for number in range(50):
            some_change(supervisor, rng, number)
            # 1: a pool that the last one is still busy with
            assert supervisor.run("reload").returncode in (0, 1)
            load.wait_for_more(20)
    assert load.failures == []
    eventually(lambda: supervisor.run("reload", "--wait").returncode == 0, "the last one done")
    assert set(changes(supervisor).values()) == {"unchanged"}
    for labels, value in supervisor.metrics().matching("poolwarden_http_requests_lost_total"):
        assert value == 0, labels


def test_a_pool_begins_and_ceases_to_speak_http(supervise):
    job = {"routes": [], "command": ["/bin/sleep", "1000"], "ready": {"when": "started"}}
    supervisor = supervise({"web": {}, "job": job})
    [sleeper] = supervisor.worker_pids("job")
    supervisor.change({"job": host("job.test")})
    assert changes(supervisor) == {"web": "unchanged", "job": "restart"}

    with Load(supervisor.port, "/info", connections=4) as load:
        reload(supervisor)
        assert gone(sleeper)
        [server] = supervisor.worker_pids("job")
        assert pool_of(supervisor, "job.test") == "job"

        supervisor.change({"job": job})
        reload(supervisor)
        assert gone(server)
        assert len(supervisor.worker_pids("job")) == 1
    assert load.failures == []
    assert pool_of(supervisor, "job.test") == "web"


def test_the_first_pool_that_speaks_http_opens_the_door(supervise):
    job = {"routes": [], "command": ["/bin/sleep", "1000"], "ready": {"when": "started"}}
    supervisor = supervise({"job": job})
    supervisor.change({"web": {}})

    reload(supervisor)

    assert supervisor.get().json["pool"] == "web"


def test_a_door_that_cannot_be_opened_changes_nothing(supervise):
    job = {"routes": [], "command": ["/bin/sleep", "1000"], "ready": {"when": "started"}}
    supervisor = supervise({"job": job}, listen="192.0.2.1:80")
    [sleeper] = supervisor.worker_pids("job")
    supervisor.change({"web": {}})

    result = reload(supervisor, code=1)

    assert "cannot listen on 192.0.2.1:80" in result.stderr
    assert supervisor.worker_pids("job") == [sleeper]
    assert [pool["name"] for pool in supervisor.status()["pools"]] == ["job"]


def test_a_fixed_key_is_refused_and_nothing_else_is_done(supervise):
    supervisor = supervise({"web": {}})
    workers = supervisor.worker_pids()
    supervisor.change({"web": {"workers": 3}}, log={"format": "text", "level": "info"})

    told = plan(supervisor)
    result = reload(supervisor, code=1)

    assert told["fixed"] == ["log.format"]
    assert "log.format" in told["refused"] and "restart" in told["refused"]
    assert "log.format" in supervisor.run("plan").stdout
    assert "log.format" in result.stderr and "restart" in result.stderr
    assert supervisor.worker_pids() == workers
    assert "config.reload_failed" in supervisor.event_names()


def test_hup_reloads(supervise):
    supervisor = supervise({"web": {}})
    supervisor.change({"web": {"queue": {"limit": 9}}})

    supervisor.process.send_signal(signal.SIGHUP)

    eventually(lambda: supervisor.events_of("config.reloaded"), "the reload")
    assert supervisor.metric("poolwarden_queue_limit", pool="web") == 9


def test_hup_with_a_bad_file_says_so_in_the_log(supervise):
    supervisor = supervise({"web": {}})
    supervisor.file.write_text("pools: [")

    supervisor.process.send_signal(signal.SIGHUP)

    eventually(lambda: supervisor.events_of("config.reload_failed"), "the refusal")
    eventually(lambda: f"{supervisor.file}:1:" in supervisor.log_text(), "the place in the log")
    assert supervisor.get().status == 200


def test_a_relative_file_is_found_where_the_command_is_given(supervise, tmp_path):
    supervisor = supervise({"web": {}})
    shutil.copy(supervisor.file, tmp_path / "other.yaml")
    text = json.loads((tmp_path / "other.yaml").read_text())
    text["pools"]["web"]["concurrency"] = 3
    (tmp_path / "other.yaml").write_text(json.dumps(text))

    result = subprocess.run([supervisor.program, "reload", "other.yaml", "--wait"], cwd=tmp_path,
                            capture_output=True, text=True, timeout=60)

    assert result.returncode == 0, result.stderr
    assert "concurrency" in result.stdout
    assert changes(supervisor) == {"web": "live change"}  # the file that it was started with


def test_what_is_no_regular_file_cannot_block_the_supervisor(supervise, tmp_path):
    supervisor = supervise({"web": {}})
    pipe = tmp_path / "pipe"
    subprocess.run(["mkfifo", str(pipe)], check=True)

    # Nobody writes into it, and it is the supervisor that opens it: the command would wait itself.
    script = ("import json, socket, sys\n"
              "s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])\n"
              "s.sendall(json.dumps({'command': 'reload', 'file': sys.argv[2]}).encode() + b'\\n')\n"
              "print(s.makefile().readline())")
    told = subprocess.run([sys.executable, "-c", script, str(supervisor.control), str(pipe)],
                          capture_output=True, text=True, timeout=30)

    assert "not a regular file" in told.stdout
    assert supervisor.get().status == 200


def test_a_supervisor_without_a_file_says_so(supervise, program):
    supervisor = supervise({}, command=[program, "sample-worker"])

    result = supervisor.run("reload")

    assert result.returncode == 1
    assert "no configuration file" in result.stderr
    supervisor.process.send_signal(signal.SIGHUP)
    eventually(lambda: len(supervisor.events_of("config.reload_failed")) == 2, "the refusal")
    assert supervisor.get().status == 200


def test_what_the_command_line_said_holds(supervise, program, tmp_path):
    """`run FILE --listen` is no difference to the file when it is read again."""
    supervisor = supervise({"web": {}})
    other = tmp_path / "other.yaml"
    text = {**supervisor.settings, "listen": "127.0.0.1:1", "control": str(tmp_path / "c.sock"),
            "admin": "127.0.0.1:0"}
    other.write_text(json.dumps(text))
    assert supervisor.run("plan", str(other)).stdout.count("listen") > 0
    assert supervisor.stop() == 0
    supervisor.settings = text
    arguments = ["--listen", f"127.0.0.1:{supervisor.port}", "--admin",
                 f"127.0.0.1:{supervisor.admin_port}", "--control", str(supervisor.control)]
    supervisor._arguments = lambda: [str(supervisor.file), *arguments]
    supervisor.start()

    assert plan(supervisor)["fixed"] == []
    reload(supervisor)


def test_the_plan_is_a_table(supervise):
    supervisor = supervise({"web": {}, "old": {"routes": [{"path": "/old"}]}})
    supervisor.change({"web": {"environment": {"A": "b"}, "concurrency": 3},
                       "new": {"routes": [{"path": "/new"}]}}, without=["old"])

    lines = supervisor.run("plan").stdout.splitlines()

    assert [line.split(maxsplit=2) for line in lines] == [
        ["pool", "change", "keys"],
        ["web", "recycle", "environment, concurrency"],
        ["new", "add"],
        ["old", "remove"],
    ]
