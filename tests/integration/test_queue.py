"""The request queue of a pool: its limits, its order, its patience."""

import http.client
import socket
import threading

from waiting import eventually
from web import Load, request


def waiting(supervisor, count):
    eventually(lambda: supervisor.metric("poolwarden_queue_length", pool="web") == count,
               f"{count} requests in the queue")


def in_flight(supervisor, count):
    eventually(lambda: supervisor.metric("poolwarden_http_requests_in_flight", pool="web") == count,
               f"{count} requests in flight")


def test_a_full_queue_refuses_at_once(supervise):
    supervisor = supervise({"web": {"concurrency": 1, "queue": {"limit": 2}}})

    with Load(supervisor.port, "/slow?seconds=2", connections=1, limit=1):
        in_flight(supervisor, 1)
        with Load(supervisor.port, "/info", connections=2, limit=2) as queued:
            waiting(supervisor, 2)
            answer = supervisor.get()
            assert (answer.status, answer.reason) == (503, "queue_full")
            queued.join()

    assert queued.failures == []
    assert supervisor.metric("poolwarden_queue_rejected_total", pool="web", reason="full") == 1


def test_nobody_waits_longer_than_the_timeout(supervise):
    supervisor = supervise({"web": {"concurrency": 1, "queue": {"timeout": "300ms"}}})

    with Load(supervisor.port, "/slow?seconds=2", connections=1, limit=1) as slow:
        in_flight(supervisor, 1)
        answer = supervisor.get()
        slow.join()

    assert (answer.status, answer.reason) == (503, "queue_timeout")
    assert slow.failures == []


def test_first_come_first_served(supervise):
    supervisor = supervise({"web": {"concurrency": 1}})
    order = []

    def ask(number):
        request(supervisor.port, f"/info?{number}")
        order.append(number)

    with Load(supervisor.port, "/slow?seconds=1", connections=1, limit=1):
        in_flight(supervisor, 1)
        threads = [threading.Thread(target=ask, args=[number]) for number in range(5)]
        for number, thread in enumerate(threads):
            thread.start()
            waiting(supervisor, number + 1)
        for thread in threads:
            thread.join()

    assert supervisor.metric("poolwarden_queue_enqueued_total", pool="web") == 5
    assert sorted(order) == list(range(5))


def test_a_client_that_leaves_gives_up_its_place(supervise):
    supervisor = supervise({"web": {"concurrency": 1, "queue": {"client_check": "100ms"}}})

    with Load(supervisor.port, "/slow?seconds=2", connections=1, limit=1) as slow:
        in_flight(supervisor, 1)
        with socket.create_connection(("127.0.0.1", supervisor.port)) as client:
            client.sendall(b"POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
            waiting(supervisor, 1)
        waiting(supervisor, 0)
        slow.join()

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
