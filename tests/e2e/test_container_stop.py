"""`docker stop` under load loses nothing and ends within its grace; so do the other signals."""

from container import GATEWAY
from waiting import eventually
from web import Load


def in_flight(container, count):
    eventually(lambda: container.metric("poolwarden_http_requests_in_flight", pool="web") >= count,
               f"{count} in flight")


def nothing_lost(load):
    """Refused connections are those of a service that has ended; what was taken must be answered."""
    assert load.lost == []
    assert {status for status, _ in load.answers} == {200}, load.answers


def test_stop_under_load_loses_nothing(contain):
    container = contain({"web": {"workers": 2}})

    with Load(GATEWAY, "/info", connections=16, host=container.ip, until_refused=True) as load:
        load.wait_for_more(500)
        code = container.stop()

    assert code == 0
    nothing_lost(load)


def test_stop_waits_for_slow_requests(contain):
    container = contain({"web": {"workers": 2, "stop": {"drain": "20s"}}})

    with Load(GATEWAY, "/slow?seconds=3", connections=8, limit=8, host=container.ip) as slow, \
            Load(GATEWAY, "/info", connections=4, host=container.ip, until_refused=True) as quick:
        in_flight(container, 8)
        quick.wait_for_more(100)
        code = container.stop()
        slow.join()

    assert code == 0
    nothing_lost(quick)
    assert slow.answers == {(200, None): 8}


def test_hup_takes_the_file_that_was_changed_on_the_host(contain):
    container = contain({"web": {"workers": 1}})

    with Load(GATEWAY, "/info", connections=4, host=container.ip) as load:
        load.wait_for_more(50)
        container.settings["pools"]["web"]["workers"] = 3
        container.settings["pools"]["web"]["environment"] = {"COLOUR": "green"}
        container.write_file()
        container.kill("HUP")
        eventually(lambda: len(container.workers()) == 3, "three workers")
        load.wait_for_more(50)

    assert load.failures == []
    assert container.metric("poolwarden_config_last_reload_successful") == 1
    assert container.metric("poolwarden_config_reloads_total") == 1


def test_a_restart_begins_anew(contain):
    container = contain({"web": {}})

    container.restart()

    assert container.get().status == 200
    assert container.state["ExitCode"] == 0
    assert container.metric("poolwarden_worker_failures_total", pool="web") == 0


def test_it_starts_where_a_killed_one_left_its_sockets(contain):
    container = contain({"web": {}})

    container.kill("KILL")
    assert container.wait_ended() == 137
    container.restart()

    assert container.get().status == 200
    assert container.poolwarden("status").returncode == 0
