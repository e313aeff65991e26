"""A receiver of webhooks on loopback that answers as it is told, and fails in all ways."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = int | Callable[["Handler"], None]


class Receiver(ThreadingHTTPServer):
    """Gives its answers in turn, the last one for ever, and keeps what it got."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, answers: list[Answer], context: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers, self.got, self.lock = answers, list[tuple[dict[str, str], bytes]](), threading.Lock()
        self.scheme = "https" if context else "http"
        if context:
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_address[1]}/hook?room=7"

    @property
    def ids(self) -> list[str]:
        return [headers["Webhook-Id"] for headers, _ in self.got]

    def handle_error(self, *args: Any) -> None:
        """Those that hang up are part of the game."""


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.lock:
            self.server.got.append((dict(self.headers), body))
            answers = self.server.answers
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if callable(answer):
            answer(self)
        else:
            self.plain(answer)

    def plain(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        pass


def hang(handler: Handler) -> None:
    time.sleep(3)


def drip(handler: Handler) -> None:
    """A byte now and then, so that no timeout of a socket ever ends it."""
    with suppress(OSError):
        for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 60:
            handler.connection.sendall(bytes([byte]))
            time.sleep(0.05)


def hang_up(handler: Handler) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)


def talk_nonsense(handler: Handler) -> None:
    handler.connection.sendall(b"220 mail.example ESMTP\r\n\r\n")
    hang_up(handler)


def endless_headers(handler: Handler) -> None:
    with suppress(OSError):
        handler.connection.sendall(b"HTTP/1.1 200 OK\r\n" + b"X-More: y\r\n" * 5000)


def endless_body(handler: Handler) -> None:
    with suppress(OSError):
        handler.connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n")
        for _ in range(200):
            handler.connection.sendall(b"x" * 65536)


def send_on(target: str) -> Callable[[Handler], None]:
    return lambda handler: handler.plain(307, Location=target)


def wait_for(seconds: int, status: int = 429) -> Callable[[Handler], None]:
    return lambda handler: handler.plain(status, Retry_After=str(seconds))


@contextmanager
def receiver(*answers: Answer, context: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    with Receiver(list(answers) or [200], context) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
