"""HTTP as clients of the gateway speak it: single requests, and a load over kept connections."""

import collections
import http.client
import json
import threading
from dataclasses import dataclass

from waiting import eventually

TIMEOUT = 60
HERE = "127.0.0.1"


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def reason(self):
        return self.headers.get("X-Poolwarden-Reason")


def exchange(connection, path, method="GET", body=None, headers=None):
    connection.request(method, path, body=body, headers=headers or {})
    response = connection.getresponse()
    return Answer(response.status, response.headers, response.read())


def request(port, path, timeout=TIMEOUT, host=HERE, **how):
    connection = http.client.HTTPConnection(host, port, timeout=timeout)
    try:
        return exchange(connection, path, **how)
    finally:
        connection.close()


class Held:
    """Requests that a worker has in its hands until they are let go: a byte of each body is kept back.

        with Held(port, 3) as held:
            ...
            held.let_go()
        assert held.answers == [200] * 3
    """

    def __init__(self, port, count=1, path="/echo", host=HERE):
        self.answers = []  # their statuses, once they were let go
        self._connections = [http.client.HTTPConnection(host, port, timeout=TIMEOUT)
                             for _ in range(count)]
        for connection in self._connections:
            connection.putrequest("POST", path)
            connection.putheader("Content-Length", "1")
            connection.endheaders()

    def let_go(self):
        for connection in self._connections:
            connection.send(b".")
        self.answers += [connection.getresponse().status for connection in self._connections]
        self._close()

    def _close(self):
        for connection in self._connections:
            connection.close()
        self._connections = []

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self._close()


class Load:
    """Kept connections that ask without pause, until `limit` requests are made or it is stopped.

        with Load(port, "/info") as load:
            load.wait_for_more(100)
        assert not load.failures
    """

    def __init__(self, port, path="/info", connections=8, limit=None, method="GET", body=None,
                 host=HERE, headers=None, pause=0.0, until_refused=False):
        self.host = host
        self.until_refused = until_refused  # a connection that is not made ends it
        self.headers, self.pause = headers, pause  # between the requests of a connection, seconds
        self.port, self.path, self.method, self.body = port, path, method, body
        self.answers = collections.Counter()  # (status, reason) -> how many
        self.broken = []  # connections that failed instead of an answer
        self.lost = []  # of these: connections that had been made
        self._left = limit
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._ask, daemon=True)
                         for _ in range(connections)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *failure):
        self.stop()

    def stop(self):
        self._stopping.set()
        self.join()

    def join(self):
        for thread in self._threads:
            thread.join(TIMEOUT * 2)

    @property
    def running(self):
        return any(thread.is_alive() for thread in self._threads)

    @property
    def answered(self):
        with self._lock:
            return sum(self.answers.values())

    @property
    def failures(self):
        """What was not answered 200: answers, then broken connections."""
        with self._lock:
            wrong = [answer for answer in self.answers if answer[0] != 200]
            return wrong + list(self.broken)

    def wait_for_more(self, count, timeout=60):
        goal = self.answered + count
        eventually(lambda: self.answered >= goal, f"{count} more answers", timeout)

    def _take(self):
        with self._lock:
            if self._stopping.is_set() or self._left == 0:
                return False
            if self._left is not None:
                self._left -= 1
            return True

    def _ask(self):
        connection = http.client.HTTPConnection(self.host, self.port, timeout=TIMEOUT)
        while self._take():
            made = False
            try:
                if connection.sock is None:
                    connection.connect()
                made = True
                answer = exchange(connection, self.path, method=self.method, body=self.body,
                                  headers=self.headers)
                with self._lock:
                    self.answers[answer.status, answer.reason] += 1
            except (OSError, http.client.HTTPException) as error:
                with self._lock:
                    self.broken.append(repr(error))
                    if made:
                        self.lost.append(repr(error))
                connection.close()
                if self.until_refused and not made:
                    return
            if self.pause:
                self._stopping.wait(self.pause)
        connection.close()
