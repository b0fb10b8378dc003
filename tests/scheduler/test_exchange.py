"""What answers where a server should: nothing, for ever, and anything. A deadline bounds it all."""

import contextlib
import dataclasses
import itertools
import json
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from generator.engines.ollama.scheduler.exchange import MOST_BYTES, asked
from generator.errors import EnvironmentFailure, HostwrightError
from generator.fit.ask import Server
from tests.commands import called

Answer = Callable[[socket.socket], None]
Serve = Callable[[Answer], str]
OK = b"HTTP/1.1 200 OK\r\n"
SOON = 0.2  # seconds


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve bytes: what is called answers each connection, once its request is there."""
    over = threading.Event()
    listeners: list[socket.socket] = []

    def start(answer: Answer) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def one(connection: socket.socket) -> None:
            with connection, contextlib.suppress(OSError):
                read(connection)
                answer(connection)

        def accept() -> None:
            with contextlib.suppress(OSError):
                while not over.is_set():
                    connection, _ = listener.accept()
                    threading.Thread(target=one, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    over.set()
    for listener in listeners:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


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


@pytest.mark.parametrize("kind", LATE)
def test_what_comes_too_late(serve: Serve, kind: str) -> None:
    server = Server.at(serve(LATE[kind]), SOON)
    with pytest.raises(EnvironmentFailure, match=r"did not answer within 0\.2 s"):
        asked(server, "/api/show", {"model": "mine"})
    assert server.left <= 0


@pytest.mark.parametrize("kind", NONSENSE)
@pytest.mark.parametrize("post", [{"model": "mine"}, None], ids=["post", "get"])
def test_what_is_no_answer(serve: Serve, kind: str, post: dict[str, object] | None) -> None:
    answer, message = NONSENSE[kind]
    with pytest.raises(EnvironmentFailure) as caught:
        asked(Server.at(serve(answer)), "/api/show", post)
    assert message in caught.value.message
    assert len(caught.value.message) < 250


def test_the_time_is_that_of_all_answers_together(serve: Serve) -> None:
    server = Server.at(serve(body(json.dumps({"a": 1}).encode())))
    assert asked(server, "/api/ps", None) == {"a": 1}
    server = dataclasses.replace(server, ends=server.ends - server.seconds)
    with pytest.raises(EnvironmentFailure, match="did not answer within"):
        asked(server, "/api/ps", None)


def test_a_name_that_nobody_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait(60))
    with pytest.raises(EnvironmentFailure, match="did not answer within"):
        asked(Server.at("http://nowhere.invalid", SOON), "/api/ps", None)
    over.set()


def test_a_port_where_nothing_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(EnvironmentFailure, match=f"cannot reach http://127.0.0.1:{port}"):
        asked(Server.at(f"http://127.0.0.1:{port}"), "/api/ps", None)


@pytest.mark.parametrize("url", ["http://[::1", "http://", "http://a b/", f"http://{'a' * 300}/"])
def test_an_address_that_cannot_be(url: str) -> None:
    with pytest.raises(HostwrightError):
        asked(Server.at(url, 2), "/api/ps", None)


@pytest.mark.parametrize(("time", "message"), [("x", "--timeout"), ("0s", "no time to wait"),
                                               ("-3s", "no time to wait")])  # fmt: skip
def test_a_time_that_is_none(time: str, message: str) -> None:
    found = called("fit", "xeon-cpu", "--server", "http://x", "-m", "mine", f"--timeout={time}")
    assert (found.returncode, message in found.stderr) == (2, True)


def test_a_time_for_no_server() -> None:
    found = called("fit", "xeon-cpu", "--timeout", "3s")
    assert (found.returncode, "name it by --server" in found.stderr) == (2, True)


def test_the_command_says_it_in_a_line(serve: Serve) -> None:
    for answer in (LATE["headers"], NONSENSE["deep"][0]):
        asked_for = ("fit", "xeon-cpu", "--server", serve(answer), "-m", "mine", "--timeout=400ms")
        found = called(*asked_for)
        assert (found.returncode, found.stdout) == (3, "")
        assert [line.partition(":")[0] for line in found.stderr.splitlines()][:1] == ["error"]
        assert len(found.stderr.splitlines()) <= 2
