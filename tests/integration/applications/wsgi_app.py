# A WSGI application for gunicorn: says who answers, and sends back what it is sent.
import json
import os


def app(environ, start_response):
    size = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(size) if size else b""
    answer = body or json.dumps({"application": "gunicorn", "pid": os.getpid()}).encode()
    start_response("200 OK", [("Content-Type", "application/json"),
                              ("Content-Length", str(len(answer)))])
    return [answer]
