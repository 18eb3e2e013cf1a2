"""HTTP through the whole program, byte by byte."""

import re
import socket

import pytest


@pytest.fixture(scope="module")
def web(request, program):
    """One supervisor for all checks of this file: they leave it as they find it."""
    from supervisor import Supervisor
    supervisor = Supervisor(program, {"web": {"routes": [{"host": "*", "path": "/"}]},
                                      "only": {"routes": [{"host": "only.example", "path": "/"}]}})
    supervisor.start()
    yield supervisor
    print(supervisor.log_tail())
    try:
        supervisor.finish()
    finally:
        supervisor.destroy()


def send(web, data, until_close=True):
    """What comes back for these bytes, until the gateway closes."""
    if isinstance(data, str):
        data = data.encode("latin-1")
    with socket.create_connection(("127.0.0.1", web.port), timeout=20) as connection:
        connection.sendall(data)
        received = b""
        while until_close:
            part = connection.recv(65536)
            if not part:
                return received.decode("latin-1")
            received += part


def status_codes(answer):
    return [int(code) for code in re.findall(r"^HTTP/1\.1 (\d{3})", answer, re.MULTILINE)]


MALFORMED = {
    "not HTTP": "hello\r\n\r\n",
    "no host": "GET / HTTP/1.1\r\n\r\n",
    "two hosts": "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "length and chunked": "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
                          "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
                   "Content-Length: 6\r\n\r\nhello!",
    "negative length": "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n",
    "folded field": "GET / HTTP/1.1\r\nHost: a\r\nX-A: b\r\n c\r\n\r\n",
    "NUL in a field": "GET / HTTP/1.1\r\nHost: a\r\nX-A: b\0c\r\n\r\n",
    "bare CR in a field": "GET / HTTP/1.1\r\nHost: a\r\nX-A: b\rc\r\n\r\n",
    "space before the colon": "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    "bad chunk": "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
}


@pytest.mark.parametrize("kind", MALFORMED)
def test_what_is_malformed_is_refused(web, kind):
    answer = send(web, MALFORMED[kind])

    assert status_codes(answer) == [400]
    assert "bad_request" in answer


def test_a_head_that_is_too_large_is_431(web):
    answer = send(web, "GET / HTTP/1.1\r\nHost: a\r\nX-A: " + "b" * 200_000 + "\r\n\r\n")

    assert status_codes(answer) == [431]


def test_pipelined_requests_are_answered_in_order(web):
    one = "GET /info?{} HTTP/1.1\r\nHost: a\r\nX-Number: {}\r\n{}\r\n"
    answer = send(web, "".join(one.format(i, i, "Connection: close\r\n" if i == 4 else "")
                               for i in range(5)))

    assert status_codes(answer) == [200] * 5
    assert re.findall(r'"X-Number":"(\d)"', answer) == list("01234")


def test_a_pipelined_request_after_a_body(web):
    answer = send(web, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
                       "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")

    assert status_codes(answer) == [200, 200]
    assert "hello" in answer and answer.endswith("ok\n")


def test_chunked_both_ways(web):
    answer = send(web, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
                       "Connection: close\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n")

    assert status_codes(answer) == [200]
    assert "hello" in answer and " world" in answer


def test_expect_100_continue(web):
    with socket.create_connection(("127.0.0.1", web.port), timeout=20) as connection:
        connection.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
                           b"Expect: 100-continue\r\nConnection: close\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 100 Continue\r\n\r\n")
        connection.sendall(b"hello")
        received = b""
        while part := connection.recv(65536):
            received += part

    assert received.startswith(b"HTTP/1.1 200") and b"hello" in received


def test_a_transfer_coding_that_nobody_knows_is_501(web):
    answer = send(web, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: zip, chunked\r\n\r\n")

    assert status_codes(answer) == [501]


def test_head_has_a_length_and_no_body(web):
    answer = send(web, "HEAD /bytes?count=1000 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")

    assert status_codes(answer) == [200]
    assert "Content-Length: 1000" in answer
    assert answer.endswith("\r\n\r\n")


def test_http_1_0_is_answered_and_closed(web):
    answer = send(web, "GET /healthz HTTP/1.0\r\n\r\n")

    assert re.match(r"HTTP/1\.[01] 200", answer)
    assert answer.endswith("ok\n")


def test_no_route(web, supervise):
    supervisor = supervise({"web": {"routes": [{"host": "only.example", "path": "/app"}]}})

    assert supervisor.get("/app/x", headers={"Host": "only.example"}).status == 404  # the worker's
    for path, host in (("/other", "only.example"), ("/app", "other.example"),
                       ("/application", "only.example")):
        answer = supervisor.get(path, headers={"Host": host})
        assert (answer.status, answer.reason) == (404, "no_route"), (path, host)


def test_the_most_specific_route_wins(web):
    assert web.get("/info", headers={"Host": "only.example"}).json["pool"] == "only"
    assert web.get("/info", headers={"Host": "else.example"}).json["pool"] == "web"


def test_what_the_worker_is_told(web):
    told = web.get("/info", headers={"Host": "shop.example:8080", "traceparent": "00-a-b-01",
                                     "X-Request-Id": "mine"}).json["headers"]

    assert told["X-Forwarded-For"] == "127.0.0.1"
    assert told["X-Forwarded-Proto"] == "http"
    assert told["X-Forwarded-Host"] == "shop.example:8080"
    assert told["traceparent"] == "00-a-b-01"
    assert told["X-Request-Id"] == "mine"


def test_a_request_gets_an_id_and_loses_what_is_for_one_hop(web):
    told = web.get("/info", headers={"Connection": "X-Private, keep-alive", "X-Private": "secret",
                                     "TE": "trailers"}).json["headers"]

    assert len(told["X-Request-Id"]) >= 16
    assert "X-Private" not in told and "TE" not in told


def test_streams_arrive_while_they_are_made(web):
    with socket.create_connection(("127.0.0.1", web.port), timeout=20) as connection:
        connection.sendall(b"GET /stream?chunks=2&interval=1000 HTTP/1.1\r\nHost: a\r\n"
                           b"Connection: close\r\n\r\n")
        received = b""
        while b"chunk 1" not in received:
            received += connection.recv(65536)
        assert b"chunk 2" not in received


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 5_000_000])
def test_bodies_of_all_sizes_pass_unchanged(web, size):
    body = bytes(i % 251 for i in range(min(size, 1000))) * (size // 1000 + 1)
    body = body[:size]

    assert web.post("/echo", body=body).body == body
    assert len(web.get(f"/bytes?count={size}").body) == size


@pytest.mark.parametrize("code", [200, 204, 304, 404, 418, 500, 503])
def test_the_workers_status_is_passed_on(web, code):
    answer = web.get(f"/status?code={code}")

    assert answer.status == code
    assert answer.reason is None
