# The first worker of a slot accepts requests, reads them and never answers; those after it answer.
import os
import socketserver
import time
from http.server import BaseHTTPRequestHandler

HANGS = os.environ["POOLWARDEN_GENERATION"] == "1"


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if HANGS:
            time.sleep(3600)
        body = str(os.getpid()).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *what):
        pass


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 512

    def get_request(self):
        connection, _ = super().get_request()
        return connection, ("unix", 0)


Server(os.environ["POOLWARDEN_SOCKET"], Answer).serve_forever()
