"""The request queue of a pool: its limits, its order, its patience."""

import http.client
import socket
import threading

from waiting import eventually
from web import Held, Load, request


def waiting(supervisor, count):
    eventually(lambda: supervisor.metric("poolwarden_queue_length", pool="web") == count,
               f"{count} requests in the queue")


def in_flight(supervisor, count):
    eventually(lambda: supervisor.metric("poolwarden_http_requests_in_flight", pool="web") == count,
               f"{count} requests in flight")


def test_a_full_queue_refuses_at_once(supervise):
    supervisor = supervise({"web": {"concurrency": 1, "queue": {"limit": 2}}})

    with Held(supervisor.port) as held:
        in_flight(supervisor, 1)
        with Load(supervisor.port, "/info", connections=2, limit=2) as queued:
            waiting(supervisor, 2)
            answer = supervisor.get()
            assert (answer.status, answer.reason) == (503, "queue_full")
            held.let_go()
            queued.join()

    assert queued.failures == []
    assert supervisor.metric("poolwarden_queue_rejected_total", pool="web", reason="full") == 1


def test_nobody_waits_longer_than_the_timeout(supervise):
    supervisor = supervise({"web": {"concurrency": 1, "queue": {"timeout": "300ms"}}})

    with Held(supervisor.port) as held:
        in_flight(supervisor, 1)
        answer = supervisor.get()
        held.let_go()

    assert (answer.status, answer.reason) == (503, "queue_timeout")
    assert held.answers == [200]


def test_first_come_first_served(supervise):
    supervisor = supervise({"web": {"concurrency": 1}})
    turns = {}  # of each, by its place in the queue: how manieth request of the worker it became

    def ask(place):
        turns[place] = request(supervisor.port, "/info").json["requests"]

    with Held(supervisor.port) as held:
        in_flight(supervisor, 1)
        threads = [threading.Thread(target=ask, args=[place]) for place in range(5)]
        for place, thread in enumerate(threads):
            thread.start()
            waiting(supervisor, place + 1)
        held.let_go()
        for thread in threads:
            thread.join()

    assert supervisor.metric("poolwarden_queue_enqueued_total", pool="web") == 5
    in_order = [turns[place] for place in range(5)]
    assert len(set(in_order)) == 5 and in_order == sorted(in_order)


def test_a_client_that_leaves_gives_up_its_place(supervise):
    supervisor = supervise({"web": {"concurrency": 1, "queue": {"client_check": "100ms"}}})

    with Held(supervisor.port) as held:
        in_flight(supervisor, 1)
        with socket.create_connection(("127.0.0.1", supervisor.port)) as client:
            client.sendall(b"POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
            waiting(supervisor, 1)
        waiting(supervisor, 0)
        held.let_go()

    assert supervisor.get("/count").text == "0\n"  # it was never run


def test_a_request_that_takes_too_long_is_504(supervise):
    supervisor = supervise({"web": {"health": {"request_timeout": "500ms"},
                                    "stop": {"timeout": "500ms"}}})

    answer = supervisor.get("/hang")

    assert (answer.status, answer.reason) == (504, "request_timeout")


def test_a_hanging_request_does_not_stop_the_others(supervise):
    supervisor = supervise({"web": {"stop": {"timeout": "500ms", "drain": "100ms"}}})
    connection = http.client.HTTPConnection("127.0.0.1", supervisor.port)
    connection.request("POST", "/hang")
    in_flight(supervisor, 1)

    with Load(supervisor.port, "/info", connections=4) as load:
        load.wait_for_more(200)

    assert load.failures == []
    connection.close()
