"""What answers where a server should: nothing, for ever, and anything."""

import contextlib
import itertools
import socket
import threading
from collections.abc import Callable

from generator.live.client import MOST_BYTES

Answer = Callable[[socket.socket], None]
Serve = Callable[[Answer], str]
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


class Serving:
    """A socket that answers each connection by `answer`, once its request is there."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            read(connection)
            self._answer(connection)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def read(connection: socket.socket) -> None:
    """Read all of a request: what is left unread would cut the answer off."""
    with connection.makefile("rb") as file:
        lines = [*iter(file.readline, b"\r\n")]
        sizes = [
            int(line.split(b":")[1]) for line in lines if line.lower().startswith(b"content-l")
        ]
        file.read(sum(sizes))


def says(*parts: bytes) -> Answer:
    """Return an answer of these bytes, after which the connection is closed."""

    def answer(connection: socket.socket) -> None:
        for part in parts:
            connection.sendall(part)

    return answer


def drips(first: bytes, each: bytes = b"x") -> Answer:
    """Return an answer that goes on a little at a time, and never ends."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(first)
        pause = threading.Event()
        while not pause.wait(0.05):
            connection.sendall(each)

    return answer


def floods(first: bytes, each: bytes) -> Answer:
    """Return an answer that never ends, as fast as it is read."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(first)
        for _ in itertools.count():
            connection.sendall(each)

    return answer


def body(data: bytes) -> Answer:
    return says(OK, b"Content-Length: %d\r\n\r\n" % len(data), data)


def hangs(connection: socket.socket) -> None:
    connection.recv(1)


def moved(place: bytes, code: int = 302) -> Answer:
    return says(b"HTTP/1.1 %d Moved\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % (code, place))


LATE: dict[str, Answer] = {
    "hangs": hangs,
    "status": drips(b"HTTP/1.1 2"),
    "header": drips(OK + b"X: "),
    "headers": drips(OK, b"X: y\r\n"),
    "continue": drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body": drips(OK + b"\r\n"),
    "counted body": drips(OK + b"Content-Length: 1000000\r\n\r\n"),
    "chunks": drips(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "size of a chunk": drips(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
    "trailers": drips(OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n"),
}
NONSENSE: dict[str, tuple[Answer, str]] = {
    "nothing": (says(), "closed connection"),
    "no HTTP": (says(b"SSH-2.0-OpenSSH_9.9\r\n"), "SSH-2.0"),
    "zeros": (says(b"\0" * 5000), "no answer"),
    "long status": (says(b"HTTP/1.1 200 " + b"x" * 70_000 + b"\r\n\r\n"), "no answer"),
    "long header": (says(OK, b"X: " + b"x" * 70_000 + b"\r\n\r\n"), "no answer"),
    "headers": (says(OK, b"X: y\r\n" * 200, b"\r\n{}"), "100 headers"),
    "odd length": (says(OK, b"Content-Length: -5\r\n\r\n", b"<"), "no answer"),
    "cut": (says(OK, b"Content-Length: 100\r\n\r\n{"), "ends in the middle"),
    "odd chunk": (says(OK, b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}"), "no answer"),
    "cut chunk": (says(OK, b"Transfer-Encoding: chunked\r\n\r\nff\r\n{"), "no answer"),
    "page": (body(b"<html>"), "no answer of an Ollama server"),
    "list": (body(b"[]"), "no answer of an Ollama server"),
    "null": (body(b"null"), "no answer of an Ollama server"),
    "not UTF-8": (body(b'{"a": "\xff\xfe"}'), "utf-8"),
    "UTF-16": (body('{"a": 1}'.encode("utf-16")), "utf-8"),
    "NaN": (body(b'{"a": NaN}'), "NaN is no number"),
    "infinite": (body(b'{"a": -Infinity}'), "-Infinity is no number"),
    "digits": (body(b'{"a": ' + b"9" * 5000 + b"}"), "digits"),
    "deep": (body(b"[" * 200_000), "no answer of an Ollama server"),
    "deep and whole": (body(b'{"a":' * 20 + b"1" + b"}" * 20), "8 lists deep"),
    "many": (body(b'{"a": [' + b"{}," * 300_000 + b"{}]}"), "lists and objects"),
    "endless": (floods(OK + b"\r\n", b" " * 65536), f"more than {MOST_BYTES >> 20} MiB"),
    "endless chunks": (
        floods(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b" " * 65536 + b"\r\n"),
        f"more than {MOST_BYTES >> 20} MiB",
    ),
    "refused": (says(b"HTTP/1.1 500 \x1b[2J" + b"x" * 500 + b"\r\n\r\n"), "answers 500"),
    "redirect": (moved(b"http://127.0.0.1:9/other"), "sends elsewhere: 302"),
    "kept method": (moved(b"/api/show", 308), "sends elsewhere: 308"),
    "to a file": (moved(b"file:///etc/passwd"), "sends elsewhere"),
    "to FTP": (moved(b"ftp://127.0.0.1:9/x"), "sends elsewhere"),
    "nowhere": (says(b"HTTP/1.1 301 Moved\r\n\r\n"), "sends elsewhere"),
}
