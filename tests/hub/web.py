"""A web server of this machine whose answers a test can hold back."""

import contextlib
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Server(ThreadingHTTPServer):
    """Serves files from memory; `hold` stops every body in its middle until `release`."""

    daemon_threads = True

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.files: dict[str, bytes] = {}
        self.requests: list[tuple[str, str, dict[str, str]]] = []  # method, path, headers
        self.asked: list[str] = []  # paths with their queries
        self.go = threading.Event()
        self.go.set()
        self.stalled = threading.Event()  # a body is held back
        self.sent = 0  # bytes of bodies
        self.chunk, self.pause = 1 << 20, 0.0  # how fast a body goes out
        self.slow = ""  # what a path must contain for that, and for being held
        self.breaking = False  # the connection is lost in the middle of what is sent to it
        self.lost = 0  # how often it was
        self.cutting = False  # the connection is lost in the middle of what it sends

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def hold(self) -> None:
        """From now on a body stops in its middle."""
        self.go.clear()

    def release(self) -> None:
        """Let every held body go on."""
        self.go.set()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is none."""


class Answers(BaseHTTPRequestHandler):
    """Sends bytes, slowly or not at all when the server was told so."""

    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def send(self, body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> None:
        """Answer with a body, or the part of it that is asked for; HEAD gets the headers alone."""
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        if wanted and status == 200:
            whole, first = len(body), int(wanted[1])
            last = min(int(wanted[2] or whole), whole - 1)
            status, body = (206, body[first : last + 1]) if first < whole else (416, b"")
            headers = {**(headers or {}), "Content-Range": f"bytes {first}-{last}/{whole}"}
        self.server.sent += len(body) if self.command != "HEAD" else 0
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if self.server.cutting:
            self.wfile.write(body[: len(body) // 2])
            self.server.lost += 1
            self.close_connection = True
            self.connection.close()
            return
        if self.server.slow not in self.path:
            self.wfile.write(body)
            return
        half = len(body) // 2
        for start in range(0, len(body), self.server.chunk):
            if start + self.server.chunk > half and not self.server.go.is_set():
                self.wfile.flush()
                self.server.stalled.set()
                self.server.go.wait()
            if self.server.pause:
                threading.Event().wait(self.server.pause)
            self.wfile.write(body[start : start + self.server.chunk])

    def noted(self) -> str:
        """The path that was asked for, noted with method and headers."""
        self.server.asked.append(self.path)
        path = self.path.split("?", 1)[0]
        self.server.requests.append((self.command, path, dict(self.headers)))
        return path


class Files(Answers):
    """Plain files."""

    def do_GET(self) -> None:
        """Send a file, or 404."""
        body = self.server.files.get(self.noted())
        self.send(b"no such file" if body is None else body, 404 if body is None else 200)

    do_HEAD = do_GET  # noqa: N815

    def do_PUT(self) -> None:
        """Keep what is sent, whole or not at all."""
        path, length, body = self.noted(), int(self.headers["Content-Length"]), bytearray()
        while len(body) < length:
            if len(body) >= length // 2:
                if self.server.breaking:
                    self.server.lost += 1
                    self.close_connection = True
                    self.connection.close()
                    return
                if not self.server.go.is_set():
                    self.server.stalled.set()
                    self.server.go.wait()
            chunk = self.rfile.read(min(1 << 16, length - len(body)))
            if not chunk:  # the client hung up
                return
            body += chunk
        self.server.files[path] = bytes(body)
        self.send(b"")


@contextlib.contextmanager
def serving(make: Callable[[], Server] = lambda: Server(Files)) -> Iterator[Server]:
    """A server that runs meanwhile."""
    server = make()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.release()
        server.shutdown()
        server.server_close()
        thread.join()
