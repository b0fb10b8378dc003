"""Whatever answers where a server should: a deadline bounds it all, and a line says it."""

import dataclasses
import json
import socket
import threading

import pytest

from generator.errors import EnvironmentFailure, HostwrightError
from generator.live.client import LONGEST_LINE, Server, arriving, asked, host_and_port, streamed
from tests.commands import called
from tests.live.hostile import CHUNKED, LATE, NONSENSE, Answer, Serve, body, drips, says

SOON = 0.2  # seconds


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


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def test_a_stream_comes_line_by_line(serve: Serve) -> None:
    """The second line is there before the third, which the first two share a chunk with."""
    parts = (chunk(b'{"a":1}\n{"a"'), chunk(b":2}\n\n"), chunk(b'{"a":3}'), chunk(b""))
    server = Server.at(serve(says(CHUNKED, *parts)))
    assert [*streamed(server, "/api/pull", {})] == [{"a": 1}, {"a": 2}, {"a": 3}]


def test_events_come_until_they_say_that_it_is_all(serve: Serve) -> None:
    lines = b': a remark\n\ndata: {"a":1}\n\nevent: x\ndata:{"a":2}\n\ndata: [DONE]\n\ndata: 3\n'
    server = Server.at(serve(says(CHUNKED, chunk(lines), chunk(b""))))
    assert [*arriving(server, "/v1/chat/completions", {}, events=True)] == [{"a": 1}, {"a": 2}]


def test_a_stream_is_read_in_the_thread_that_times_it(serve: Serve) -> None:
    before = {*threading.enumerate()}
    parts = arriving(Server.at(serve(drips(CHUNKED, chunk(b'{"a":1}\n'))), 1), "/api/generate", {})
    assert next(parts) == {"a": 1}
    assert not any("(run)" in each.name for each in {*threading.enumerate()} - before)
    with pytest.raises(EnvironmentFailure, match="did not answer within"):
        list(parts)


STREAMS: dict[str, tuple[Answer, str]] = {
    "cut": (says(CHUNKED, chunk(b'{"a":1}\n'), b"ff\r\n{"), "no answer"),
    "garbage": (says(CHUNKED, chunk(b'{"a":1}\n'), chunk(b"<html>\n"), chunk(b"")), "no answer"),
    "of another type": (says(CHUNKED, chunk(b'{"a":1}\n[]\n'), chunk(b"")), "no object"),
    "long": (says(CHUNKED, chunk(b'{"a":1}\n'), chunk(b" " * (LONGEST_LINE + 9))), "a line has"),
    "deep": (says(CHUNKED, chunk(b'{"a":1}\n' + b"[" * 9999 + b"\n")), "no answer"),
    "dripped": (drips(CHUNKED + chunk(b'{"a":1}\n'), chunk(b" ")), "did not answer within"),
}


@pytest.mark.parametrize("kind", STREAMS)
def test_a_stream_that_goes_wrong(serve: Serve, kind: str) -> None:
    """What came before is there, whatever becomes of the rest."""
    answer, message = STREAMS[kind]
    parts = streamed(Server.at(serve(answer), 1), "/api/generate", {"model": "mine"})
    assert next(parts) == {"a": 1}
    with pytest.raises(EnvironmentFailure, match=message):
        next(parts)


def test_no_proxy_stands_before_a_server_of_this_machine(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    assert asked(Server.at(serve(body(b'{"a": 1}'))), "/api/version") == {"a": 1}


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://spark:11434", ("spark", 11434)),
        ("spark:11434", ("spark", 11434)),
        ("[::1]:11434", ("::1", 11434)),
        ("https://spark", ("spark", None)),
        ("http://[", ("", None)),
        ("http://spark:99999", ("", None)),
    ],
)
def test_host_and_port(url: str, expected: tuple[str, int | None]) -> None:
    assert host_and_port(url) == expected
