"""A receiver of the Alertmanager's webhook, in a thread of the test."""

import http.server
import json
import threading


class Webhook:
    """Keeps every alert it is told of, for the length of a `with`."""

    def __init__(self):
        self._alerts = []  # (receiver, alert)
        self._lock = threading.Lock()
        webhook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with webhook._lock:
                    webhook._alerts += [(told["receiver"], alert) for alert in told["alerts"]]
                self.send_response(200)
                self.end_headers()

            def log_message(self, *ignored):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *failure):
        self._server.shutdown()
        self._server.server_close()

    def told(self, name, pool, status):
        """The (receiver, alert) pairs of this alert of this pool."""
        with self._lock:
            return [(receiver, alert) for receiver, alert in self._alerts
                    if alert["labels"]["alertname"] == name and alert["status"] == status
                    and alert["labels"].get("pool") == pool]
