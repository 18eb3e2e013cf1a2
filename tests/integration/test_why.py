"""`poolwarden why`: what the workers of a pool died of, by command, API, status and event."""

import json
import unicodedata

import pytest

from nearly import nearly
from waiting import eventually

# Clears a screen, turns it red by an 8-bit control, begins a line of its own, runs a script.
HOSTILE = "/bin/\x1b[2J\x9b31m\x7f\n<img src=x onerror=alert(1)>"
NOISY = ["sh", "-c", "echo about to start; printf '\\033[2Jbad \\377 word\\n' >&2; sleep 0.2; exit 78"]


def why(supervisor, whom="web", *options):
    result = supervisor.run("why", whom, "--json", *options)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def crash(supervisor, times=1, how="/crash"):
    """Each time another worker answers before it goes on."""
    for _ in range(times):
        [worker] = supervisor.workers()
        supervisor.post(how)
        eventually(lambda: [w["pid"] for w in supervisor.workers()] not in ([], [worker["pid"]]),
                   "the replacement")


def test_a_crash_has_a_certificate_with_all_that_is_known(supervise):
    supervisor = supervise({"web": {}})
    [victim] = supervisor.workers()

    crash(supervisor)
    answer = why(supervisor)

    [certificate] = answer["certificates"]
    assert certificate["number"] == 1
    assert (certificate["pool"], certificate["worker"], certificate["generation"]) == ("web", 0, 1)
    assert certificate["pid"] == victim["pid"]
    assert certificate["signal"] == "SIGSEGV"
    assert certificate["diagnosis"] == "segfault"
    assert certificate["ready"] is True and certificate["expected"] is False
    assert certificate["requests"] >= 0 and certificate["uptime_seconds"] > 0
    assert certificate["explanation"] and certificate["next_step"]
    now, before = answer["history"]
    assert (now["generation"], before["generation"]) == (2, 1)
    assert "ended" not in now and now["started_because"] == "replace"
    assert before["started_because"] == "initial"
    assert before["ready_after_seconds"] > 0
    assert before["ended_because"] == "segfault" and before["certificate"] == 1
    assert before["replaced_by"] == 2


def test_people_read_it_on_a_terminal_of_80_columns(supervise):
    supervisor = supervise({"web": {}})
    crash(supervisor, times=2)

    result = supervisor.run("why", "web")

    assert result.returncode == 0
    lines = result.stdout.splitlines()
    assert max(map(len, lines)) <= 80, result.stdout
    assert lines[0].startswith("worker gen")
    assert [line.split()[1] for line in lines[1:4]] == ["3", "2", "1"]
    assert "it lives" in lines[1] and "segfault #2" in lines[2] and "segfault #1" in lines[3]
    text = result.stdout
    assert text.index("worker 0, generation 2") < text.index("worker 0, generation 1")
    for label in ("diagnosis: segfault", "next step: ", "status: was killed by SIGSEGV", "uptime: "):
        assert label in text, text


def test_the_last_ones_only_and_one_worker_only(supervise):
    supervisor = supervise({"web": {}, "two": {"workers": 2, "routes": [{"path": "/two"}]}})
    crash(supervisor, times=3)

    assert [one["number"] for one in why(supervisor, "web", "--last", "2")["certificates"]] == [3, 2]
    assert len(why(supervisor, "web", "--last", "2")["history"]) == 2
    assert [life["worker"] for life in why(supervisor, "two/1")["history"]] == [1]
    assert why(supervisor, "two/1")["certificates"] == []
    assert "No worker of two/1 has ended" in supervisor.run("why", "two/1").stdout


def test_one_certificate_by_the_number_that_an_event_names(supervise):
    supervisor = supervise({"web": {}})
    crash(supervisor)
    assert supervisor.run("recycle", "web", "--wait").returncode == 0
    [event] = supervisor.events_of("worker.stopped")
    number = str(event["certificate"])

    answer = json.loads(supervisor.run("why", "--number", number, "--json").stdout)
    text = supervisor.run("why", "--number", number).stdout

    [certificate], [life] = answer["certificates"], answer["history"]
    assert str(certificate["number"]) == number and certificate["intent"] == "recycle"
    assert (life["generation"], life["pid"]) == (event["generation"], event["pid"])
    assert f"#{number}" in text and "uptime: " in text and "segfault" not in text
    assert supervisor.admin(f"/api/v1/certificates?number={number}").json == [nearly(certificate)]
    assert supervisor.admin("/api/v1/certificates?number=99").json == []
    unknown = supervisor.run("why", "--number", "99")
    assert unknown.returncode == 1 and "there is no certificate 99" in unknown.stderr
    for wrong in (["--number", "x"], ["web", "--number", "1"], ["--number", "1", "--last", "2"]):
        assert supervisor.run("why", *wrong).returncode == 2, wrong


def test_what_a_worker_wrote_is_there_and_harmless(supervise):
    supervisor = supervise({"job": {"command": NOISY, "routes": [], "rapid_fail": {"failures": 1}}},
                           wait="up")
    eventually(lambda: supervisor.pool("job")["disabled"], "the pool is out of service")

    certificate = why(supervisor, "job")["certificates"][0]
    text = supervisor.run("why", "job").stdout

    lines = [line["line"] for line in certificate["output"]]
    assert "about to start" in lines and "\x1b[2Jbad \ufffd word" in lines
    assert "about to start" in text and "\\x1b[2Jbad" in text and "\x1b" not in text
    assert certificate["exit_code"] == 78 and certificate["diagnosis"] == "config_error"


@pytest.mark.parametrize("command", [["why", "job"], ["status"], ["events"]])
def test_hostile_text_does_nothing_to_a_terminal(supervise, command):
    supervisor = supervise({"job": {"command": [HOSTILE], "routes": []}}, wait="up")
    [certificate] = eventually(lambda: why(supervisor, "job")["certificates"], "a certificate")
    assert certificate["what"] == HOSTILE, "as it is, for programs"
    assert {c for c in certificate["explanation"] if unicodedata.category(c) == "Cc"} == set()

    for options in ([], ["--json"]):
        shown = supervisor.run(*command, *options).stdout
        assert "onerror" in shown
        assert {c for c in shown if unicodedata.category(c) == "Cc"} == {"\n"}, shown
    if command == ["events"]:
        count = len(supervisor.events())
        assert len(supervisor.run("events").stdout.splitlines()) == count


def test_hostile_text_does_nothing_to_who_orders_or_asks(supervise):
    supervisor = supervise({"job": {"command": [HOSTILE], "routes": []}}, wait="up")
    eventually(lambda: supervisor.pool("job")["disabled"], "the pool is out of service")

    told = {}
    for command in (["start", "job", "--wait"], ["healthcheck"]):
        result = supervisor.run(*command)
        assert result.returncode == 1, result
        told[command[0]] = result.stdout + result.stderr
    told["readyz"] = supervisor.admin("/readyz").text

    for who, text in told.items():
        assert "onerror" in text, (who, text)
        assert {c for c in text if unicodedata.category(c) == "Cc"} == {"\n"}, (who, text)


def test_a_start_that_fails_says_at_which_step(supervise):
    supervisor = supervise({"job": {"command": ["/no/such/program"], "routes": []}}, wait="up")

    certificate = eventually(lambda: why(supervisor, "job")["certificates"], "a certificate")[0]

    assert certificate["stage"] == "exec" and certificate["errno"] == 2
    assert certificate["diagnosis"] == "exec_failed" and certificate["incurable"] is True
    assert "could not be started (exec)" in supervisor.run("why", "job").stdout


def test_a_recycle_was_asked_for_and_says_why(supervise):
    supervisor = supervise({"web": {}})
    assert supervisor.run("recycle", "web", "--wait").returncode == 0

    answer = why(supervisor)
    text = supervisor.run("why", "web").stdout

    [certificate] = answer["certificates"]
    assert certificate["expected"] is True and certificate["intent"] == "recycle"
    assert answer["history"][1]["recycled_because"] == "manual"
    assert "recycle: manual #1" in text and "diagnosis" not in text


def test_a_crash_is_kept_longer_than_recycles(supervise):
    supervisor = supervise({"web": {"recycle": {"overlapped": False}}})
    crash(supervisor)
    for _ in range(25):
        assert supervisor.run("recycle", "web", "--wait").returncode == 0

    certificates = why(supervisor, "web", "--last", "100")["certificates"]

    assert len(certificates) == 20
    assert certificates[-1]["diagnosis"] == "segfault" and certificates[-1]["number"] == 1


def test_an_unknown_pool_or_worker(supervise):
    supervisor = supervise({"website": {}})

    result = supervisor.run("why", "webiste")
    assert result.returncode == 1
    assert 'there is no pool "webiste"; did you mean "website"?' in result.stderr
    result = supervisor.run("why", "website/7")
    assert result.returncode == 1 and "website has had no worker 7" in result.stderr
    for wrong in ([], ["website/x"], ["website", "--last", "x"], ["website", "0"],
                  ["website", "--last", "0"]):
        assert supervisor.run("why", *wrong).returncode == 2, wrong


def test_status_event_api_and_page_tell_of_the_same_certificate(supervise):
    supervisor = supervise({"web": {}})
    crash(supervisor)

    def told_by_both():  # more may become known between the two questions
        [certificate] = why(supervisor)["certificates"]
        answer = supervisor.admin("/api/v1/certificates?pool=web&worker=0&last=5")
        return certificate if answer.json == [nearly(certificate)] else None
    certificate = eventually(told_by_both, "the same certificate by why and by the API")
    [event] = supervisor.events_of("worker.exited")
    assert event["certificate"] == certificate["number"]
    last = supervisor.pool()["last_exit"]
    for key in ("number", "diagnosis", "explanation", "ended", "signal"):
        assert last[key] == nearly(certificate[key]), key
    text = supervisor.run("status").stdout
    assert "segfault" in text and "poolwarden why web" in text
    page = supervisor.admin("/").text
    assert "/api/v1/certificates" in page


def test_a_pool_that_a_reload_removed_is_still_known(supervise):
    supervisor = supervise({"web": {}, "old": {"routes": [{"path": "/old"}]}})
    supervisor.post("/old/../crash")
    supervisor.run("recycle", "old", "--wait")
    supervisor.change(without=["old"])
    assert supervisor.run("reload", "--wait").returncode == 0

    answer = why(supervisor, "old")

    assert answer["certificates"] and answer["history"]
    assert answer["certificates"][0]["intent"] == "reload"


def test_asking_is_counted(supervise):
    supervisor = supervise({"web": {}})
    supervisor.run("why", "web")
    supervisor.run("why", "nosuch")

    assert supervisor.metric("poolwarden_admin_requests_total", command="why", code="done") == 1
    assert supervisor.metric("poolwarden_admin_requests_total", command="why", code="failed") == 1
