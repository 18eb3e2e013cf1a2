"""Workers that fail in a container of the default kind: they are counted, what they leave is ended,
and nothing else suffers."""

import re

from waiting import eventually

MEMORY = ["--memory", "256m", "--memory-swap", "256m"]


def in_pool(name):
    return {"headers": {"Host": name}}


def routed(name, **settings):
    return {"routes": [{"host": name}], **settings}


def is_alive(container, pid):
    return container.exec("test", "-d", f"/proc/{pid}").returncode == 0


def test_lack_of_memory_ends_the_worker_that_took_it(contain):
    container = contain({"web": routed("web"), "other": routed("other")}, options=MEMORY)
    [victim], [sibling] = container.worker_pids("web"), container.worker_pids("other")

    answer = container.post("/leak?bytes=1GiB", **in_pool("web"))

    assert (answer.status, answer.reason) == (502, "worker_died")
    eventually(lambda: container.get(**in_pool("web")).status == 200, "the replacement")
    metrics = container.metrics()
    assert metrics.value("poolwarden_worker_failures_total", pool="web", diagnosis="oom_killed") == 1
    assert metrics.value("poolwarden_worker_failures_total") == 1
    assert container.worker_pids("web") != [victim]
    assert container.worker_pids("other") == [sibling]
    assert container.get(**in_pool("other")).status == 200
    assert container.running and container.inspect()["RestartCount"] == 0


def test_what_a_killed_worker_had_started_ends_with_it(contain):
    container = contain({"web": {}})
    [worker] = container.worker_pids()
    descendants = container.post("/fork?count=4").text.split()
    assert len(descendants) == 4 and all(is_alive(container, pid) for pid in descendants)

    assert container.exec("sh", "-c", f"kill -KILL {worker}").returncode == 0

    eventually(lambda: container.worker_pids() not in ([], [worker]), "the replacement")
    assert not any(is_alive(container, pid) for pid in descendants)
    assert container.metric("poolwarden_worker_failures_total", pool="web", diagnosis="killed_external") == 1


def test_the_end_of_an_essential_pool_is_that_of_the_container(contain, tmp_path):
    last_words = tmp_path / "termination-log"
    last_words.touch()
    last_words.chmod(0o666)

    container = contain(
        {"web": {"command": "exit 3", "essential": True, "rapid_fail": {"failures": 3}},
         "other": routed("other")},
        options=["--volume", f"{last_words}:/dev/termination-log"], wait="ended")

    assert container.state["ExitCode"] == 10
    assert re.search(r"web.*exited with code 3", last_words.read_text()), last_words.read_text()


def test_the_last_words_have_the_beginning_and_the_end(contain, tmp_path):
    last_words = tmp_path / "termination-log"
    last_words.touch()
    last_words.chmod(0o666)

    contain({"web": {"command": "seq -f 'line %0150.0f' 1 2000; echo and this was the end; exit 3",
                     "essential": True, "rapid_fail": {"failures": 3}}},
            options=["--volume", f"{last_words}:/dev/termination-log"], wait="ended")

    text = last_words.read_text()
    assert len(text) <= 4096 and "\n(cut)\n" in text
    assert re.search(r"web.*exited with code 3", text), text
    assert "and this was the end" in text, text


def test_a_configuration_that_is_not_right_ends_it_with_the_place(contain):
    container = contain({"web": {"wrokers": 2}}, wait="ended")

    assert container.state["ExitCode"] == 2
    assert re.search(r"poolwarden\.yaml:\d+:\d+.*wrokers", container.logs()), container.logs()
