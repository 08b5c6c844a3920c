"""A proxy before a local S3 server that fails as told, and keeps a record of the requests that came."""

import http.client
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ERROR = (
    "<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>{code} it is</Message>"
    "<RequestId>1</RequestId></Error>"
)


class FaultyProxy:
    """`fail(when, how, times)` makes requests fail for which `when(method, path)` is true.

    `how` is (status, code) for an answer of that kind, "silence" (no answer), "cut" (the answer breaks off in the middle)
    or "reset" (the connection is closed while the request is being sent).
    """

    def __init__(self, target: str) -> None:
        self.target = target.removeprefix("http://")
        self.rules = []
        self.requests = []
        self.waiting = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def fail(self, when, how, times=1_000_000):
        self.rules.append([when, how, times])

    def close(self):
        self.waiting.set()
        self.server.shutdown()
        self.server.server_close()

    def count(self, method):
        return sum(one[0] == method for one in self.requests)

    def _how(self, method, path):
        self.requests.append((method, path))
        for rule in self.rules:
            if rule[2] > 0 and rule[0](method, path):
                rule[2] -= 1
                return rule[1]
        return None

    def _handler(proxy):  # noqa: N805 - `self` is the handler's
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def answer(self):
                how = proxy._how(self.command, self.path)
                if how == "reset":
                    self.close_connection = True
                    self.connection.close()
                    return
                content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if how == "silence":
                    proxy.waiting.wait(30)
                    self.close_connection = True
                    return
                if isinstance(how, tuple):
                    body = b"" if self.command == "HEAD" else ERROR.format(code=how[1]).encode()
                    self.send_response(how[0])
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                    return
                self.forward(content, cut=how == "cut")

            def forward(self, content, cut):
                connection = http.client.HTTPConnection(proxy.target, timeout=30)
                connection.request(self.command, self.path, content, dict(self.headers.items()))
                answer = connection.getresponse()
                body = answer.read()
                connection.close()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                        self.send_header(name, value)
                length = answer.getheader("Content-Length") if self.command == "HEAD" else len(body)
                self.send_header("Content-Length", str(length or 0))
                self.end_headers()
                if cut:
                    self.wfile.write(body[: len(body) // 2])
                    self.wfile.flush()
                    time.sleep(0.05)
                    self.close_connection = True
                elif self.command != "HEAD":
                    self.wfile.write(body)

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = answer  # noqa: N815

        return Handler
