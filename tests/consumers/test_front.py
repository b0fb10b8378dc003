"""What HAProxy does with the file that is rendered for it, before servers that stream."""

from __future__ import annotations

import base64
import http.client
import json
import signal
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.consumers.front import BOUND, FIRST, REST, certificate, fronted, running, stubs, until

if TYPE_CHECKING:
    from pathlib import Path

    from generator.plan import Plan
    from tests.consumers.front import Stub

FOUR = {"ollama": {"num_parallel": 4}}
ONE = {"ollama": {"num_parallel": 1}}
SESSIONS = 'haproxy_server_current_sessions{proxy="ollama",server="a"}'
QUEUE = 'haproxy_backend_current_queue{proxy="ollama"}'
MODELS = [{"name": "a:1b", "preload": True}, {"name": "b:latest", "preload": True}]


def with_front(data: dict[str, Any], **front: Any) -> dict[str, Any]:
    return {**data, "front": front}


BOTH = pytest.mark.parametrize("kind", ["haproxy", "caddy"])


def alone(server: Stub, **front: Any) -> Plan:
    return fronted(with_front(ONE, **front), {"a": server.port})


def test_what_no_server_has_a_slot_for_waits_in_one_queue(tmp_path: Path) -> None:
    with stubs(2) as (a, b), ThreadPoolExecutor(32) as pool:
        decided = fronted(with_front(FOUR), {"a": a.port, "b": b.port})
        with running(decided, tmp_path) as front:
            until(front.healthy)
            answers = [pool.submit(front.ask, "/api/chat", b"{}") for _ in range(32)]
            until(lambda: front.metrics().get(QUEUE) == 24)
            assert (a.running, b.running) == (4, 4)
            assert front.ask("/api/version")[0] == 200, "what needs no slot waits behind the others"
            a.release()
            b.release()
            assert [one.result()[::2] for one in answers] == [(200, FIRST + REST)] * 32
            assert (a.most, b.most) == (4, 4)


def test_an_answer_goes_out_as_it_comes(tmp_path: Path) -> None:
    with (
        stubs(1) as (server,),
        running(fronted(with_front(ONE), {"a": server.port}), tmp_path) as f,
    ):
        until(f.healthy)
        server.go.set()
        with f.opened() as answer:
            assert server.running == 1, "the server has not sent the rest, nor may it yet"
            server.rest.set()
            assert answer.read() == REST


def test_caddy_gives_no_server_more_than_it_has_slots_for(tmp_path: Path) -> None:
    with stubs(2) as (a, b), ThreadPoolExecutor(32) as pool:
        decided = fronted(with_front(FOUR, kind="caddy"), {"a": a.port, "b": b.port})
        with running(decided, tmp_path) as front:
            until(front.healthy)
            answers = [pool.submit(front.ask, "/api/chat", b"{}") for _ in range(32)]
            until(lambda: (a.running, b.running) == (4, 4))
            assert front.ask("/api/version")[0] == 200
            a.release()
            b.release()
            assert [one.result()[::2] for one in answers] == [(200, FIRST + REST)] * 32


def test_who_has_gone_waits_no_more_and_nothing_is_computed_for_him(tmp_path: Path) -> None:
    with (
        stubs(1) as (server,),
        running(fronted(with_front(ONE), {"a": server.port}), tmp_path) as f,
    ):
        until(f.healthy)
        first = f.left("/api/chat")
        until(lambda: server.running == 1)
        second = f.left("/api/generate")
        until(lambda: f.metrics().get(QUEUE) == 1)
        second.close()
        until(lambda: f.metrics().get(QUEUE) == 0)
        first.close()
        until(lambda: f.metrics().get(SESSIONS) == 0)
        server.release()
        assert f.ask("/api/embed", b"{}")[0] == 200
        assert server.asked == ["/api/chat", "/api/embed"]


def test_what_a_browser_asks_before_waits_for_no_slot(tmp_path: Path) -> None:
    with (
        stubs(1) as (server,),
        running(fronted(with_front(ONE), {"a": server.port}), tmp_path) as f,
    ):
        until(f.healthy)
        server.go.set()
        with f.opened():
            assert f.ask("/api/chat", method="OPTIONS")[0] == 204


@BOTH
def test_prometheus_is_told_of_requests(kind: str, tmp_path: Path) -> None:
    counted = {"haproxy": "haproxy_backend_http_requests_total", "caddy": "caddy_http_requests"}
    decided = with_front(ONE, kind=kind)
    with stubs(1) as (server,), running(fronted(decided, {"a": server.port}), tmp_path) as front:
        until(front.healthy)
        server.release()
        front.ask("/api/chat", b"{}")
        until(lambda: any(one.startswith(counted[kind]) for one in front.metrics()))


def test_what_caddy_sends_away_is_an_error_that_it_counts(tmp_path: Path) -> None:
    decided = with_front(ONE, kind="caddy", queue_timeout="1s")
    with stubs(1) as (server,), running(fronted(decided, {"a": server.port}), tmp_path) as front:
        until(front.healthy)
        server.breaks = True
        assert front.ask("/api/chat", b"{}")[0] == 502
        until(lambda: any("caddy_http_request_errors_total" in one for one in front.metrics()))


@BOTH
def test_what_broke_a_server_is_not_given_to_the_next(kind: str, tmp_path: Path) -> None:
    with stubs(2) as (a, b):
        a.breaks = b.breaks = True
        decided = fronted(with_front(ONE, kind=kind), {"a": a.port, "b": b.port})
        with running(decided, tmp_path) as front:
            until(front.healthy)
            assert front.ask("/api/chat", b"{}")[0] == 502
            assert [*a.asked, *b.asked] == ["/api/chat"]


def test_a_server_that_is_drained_ends_what_it_has_begun(tmp_path: Path) -> None:
    with stubs(2) as (a, b):
        ports = {"a": a.port, "b": b.port}
        with running(fronted(with_front(ONE), ports), tmp_path) as front:
            until(front.healthy)
            a.go.set()
            b.go.set()
            with front.opened() as answer:
                begun = a if a.running else b
                name = "a" if begun is a else "b"
                other = b if begun is a else a
                assert front.command(f"set server ollama/{name} state drain").strip() == ""
                other.release()
                asked = [front.ask("/api/chat", b"{}")[0] for _ in range(4)]
                assert (asked, other.asked.count("/api/chat")) == ([200] * 4, 4)
                begun.rest.set()
                assert answer.read() == REST


@pytest.mark.parametrize("told", [signal.SIGUSR1, signal.SIGUSR2])
def test_a_front_that_stops_or_reads_its_file_again_ends_what_it_has_begun(
    told: signal.Signals, tmp_path: Path
) -> None:
    with (
        stubs(1) as (server,),
        running(fronted(with_front(ONE), {"a": server.port}), tmp_path) as f,
    ):
        until(f.healthy)
        server.go.set()
        with f.opened() as answer:
            until(lambda: f.hears(told))
            f.process.send_signal(told)
            if told == signal.SIGUSR2:
                until(lambda: (tmp_path / "log").read_text().count("Loading success") == 2)
            server.rest.set()
            assert answer.read() == REST
        if told == signal.SIGUSR2:
            assert f.ask("/api/chat", b"{}")[0] == 200
        else:
            assert f.process.wait(BOUND) == 0


@BOTH
def test_who_waits_too_long_is_told_when_to_come_back(kind: str, tmp_path: Path) -> None:
    decided = with_front(ONE, kind=kind, queue_timeout="1s")
    with stubs(1) as (server,), running(fronted(decided, {"a": server.port}), tmp_path) as front:
        until(front.healthy)
        server.go.set()
        with front.opened():
            status, headers, body = front.ask("/api/chat", b"{}")
        assert (status, headers["retry-after"]) == (503, "10")
        assert headers["content-type"] == "application/json"
        assert "no server was free" in json.loads(body)["error"]


BASIC = {"Authorization": "Basic " + base64.b64encode(b"alice:it's a $pass #1").decode()}
OTHER = {"Authorization": "Basic " + base64.b64encode(b"alice:another").decode()}


# Of the password in BASIC, at the least cost that there is.
HASHED = "alice $2b$04$abcdefghijklmnopqrstuuzGWwJNck3GBpJ9xglhRfHsZsBVmyaJm\n"


@pytest.mark.parametrize(
    ("kind", "auth", "text", "right", "wrong"),
    [
        (
            "haproxy",
            "bearer",
            "# keys\nkey-1\nkey-2\n",
            {"Authorization": "Bearer key-2"},
            {"Authorization": "Bearer # keys"},
        ),
        (
            "haproxy",
            "bearer",
            "key-1\n",
            {"authorization": "bearer key-1"},
            {"Authorization": "key-1"},
        ),
        ("haproxy", "basic", "alice:it's a $pass #1\n", BASIC, OTHER),
        ("haproxy", "bearer", "", {}, {"Authorization": "Bearer "}),
        (
            "caddy",
            "bearer",
            '"Bearer key-1" yes\n"Bearer key-2" yes\n',
            {"Authorization": "Bearer key-2"},
            {"Authorization": "key-2"},
        ),
        ("caddy", "basic", HASHED, BASIC, OTHER),
    ],
)
def test_who_shows_no_key_is_not_let_in(
    kind: str, auth: str, text: str, right: dict[str, str], wrong: dict[str, str], tmp_path: Path
) -> None:
    decided = with_front(ONE, kind=kind, auth=auth, auth_file="/etc/hostwright/front.keys")
    with stubs(1) as (server,):
        server.release()
        plan = fronted(decided, {"a": server.port})
        with running(plan, tmp_path, {"keys": text}) as front:
            until(front.healthy)
            for headers in ({}, wrong):
                status, told, body = front.ask("/api/chat", b"{}", headers)
                assert (status, "www-authenticate" in told) == (401, True)
                assert json.loads(body)["error"]
            assert server.asked == []
            if right:
                assert front.ask("/api/chat", b"{}", right)[0] == 200
            assert front.ask("/api/chat", method="OPTIONS")[0] == 204
            kept = [headers for _, path, headers in server.seen if path == "/api/chat"]
            assert not any(word.lower() == "authorization" for each in kept for word in each)


CLOSED = (
    *("/api/pull", "/api/push", "/api/create", "/api/delete", "/api/copy", "/api/blobs/sha256:0"),
    *("/api/signout", "/api/%70ull", "/api/pull/", "//api/pull", "/v1/models/../../api/pull"),
    *("/v1/models/%2e%2e/%2e%2e/api/pull", "/API/pull", "/api/chat/../pull", "/metrics"),
)


@BOTH
def test_only_what_clients_compute_with_is_open(kind: str, tmp_path: Path) -> None:
    decided = with_front(ONE, kind=kind, allow=["/api/blobs/", "/api/copy"])
    with stubs(1) as (server,), running(fronted(decided, {"a": server.port}), tmp_path) as front:
        until(front.healthy)
        server.release()
        opened = ("/api/blobs/sha256:0", "/api/copy")
        closed = [path for path in CLOSED if path not in opened]
        assert [front.ask(path, b"{}")[0] for path in closed] == [403] * len(closed)
        assert server.asked == []
        open_paths = ("/", "/api/tags", "/v1/models", "/v1/models/a", "/api/blobs/sha256:0")
        assert [front.ask(path)[0] for path in open_paths] == [200] * len(open_paths)
        assert front.ask("/api/copy", b"{}", {"Host": "ai.example.com"})[0] == 200
        assert {headers["host"] for _, _, headers in server.seen} == {"localhost"}


def test_a_server_without_its_model_is_given_nothing(tmp_path: Path) -> None:
    data = {"ollama": {"keep_alive": "-1"}, "models": [{"name": "a", "preload": True}]}
    with stubs(1) as (server,):
        decided = fronted(with_front(data, health="loaded"), {"a": server.port})
        with running(decided, tmp_path) as front:
            until(lambda: not front.healthy())
            assert front.ask("/api/chat", b"{}")[0] == 503
            assert server.asked == []
            server.loaded.append("a:latest")
            until(front.healthy)


@pytest.mark.parametrize(
    ("kind", "by_body"), [("haproxy", False), ("haproxy", True), ("caddy", False)]
)
def test_servers_with_other_models_have_addresses_of_their_own(
    kind: str, by_body: bool, tmp_path: Path
) -> None:
    data = with_front({"models": MODELS}, kind=kind, route_by_body=by_body)
    with stubs(2) as (a, b):
        a.release()
        b.release()
        decided = fronted(data, {"a": a.port, "b": b.port}, {"a": ("a:1b",), "b": ("b:latest",)})
        with running(decided, tmp_path) as front:
            until(front.healthy)
            front.ask("/b/api/chat", b"{}")
            front.ask("/api/generate", b"{}", {"X-Ollama-Model": "b"})
            front.ask("/api/embed", b"{}", {"X-Ollama-Model": "a:1b"})
            front.ask("/v1/completions", b'{"prompt": "b:latest", "model": "b"}')
            assert front.ask("/b/api/pull", b"{}")[0] == 403
        to_b = ["/api/chat", "/api/generate", *(["/v1/completions"] if by_body else [])]
        assert b.asked == to_b
        assert a.asked == ["/api/embed", *([] if by_body else ["/v1/completions"])]


@pytest.mark.parametrize("kind", ["haproxy", "caddy"])
def test_a_model_that_is_called_as_a_path_closes_none(kind: str, tmp_path: Path) -> None:
    models = [{"name": "api", "preload": True}, {"name": "V1", "preload": True}]
    with stubs(2) as (a, b):
        a.release()
        b.release()
        decided = fronted(
            with_front({"models": models}, kind=kind),
            {"a": a.port, "b": b.port},
            {"a": ("api",), "b": ("V1",)},
        )
        with running(decided, tmp_path) as front:
            until(front.healthy)
            paths = ("/api/chat", "/v1/completions", "/V1-2/api/embed", "/api-2/v1/messages")
            assert [front.ask(path, b"{}")[0] for path in paths] == [200] * 4
        assert a.asked == ["/api/chat", "/v1/completions", "/v1/messages"]
        assert b.asked == ["/api/embed"]


def test_a_model_behind_a_long_prompt_is_found_however_it_is_written(tmp_path: Path) -> None:
    with stubs(2) as (a, b):
        a.release()
        b.release()
        data = with_front({"models": MODELS}, route_by_body=True)
        decided = fronted(data, {"a": a.port, "b": b.port}, {"a": ("a:1b",), "b": ("b:latest",)})
        with running(decided, tmp_path) as front:
            until(front.healthy)
            body = {"messages": [{"role": "user", "content": "x" * 100_000}], "model": "B:Latest"}
            assert front.ask("/v1/chat/completions", json.dumps(body).encode())[0] == 200
            assert front.ask("/api/show", b'{"model": "b"}')[0] == 200
        assert (a.asked, b.asked) == ([], ["/v1/chat/completions", "/api/show"])


@BOTH
def test_who_names_a_model_is_told_of_the_server_that_has_it(kind: str, tmp_path: Path) -> None:
    data = with_front({"models": MODELS}, kind=kind)
    with stubs(2) as (a, b):
        decided = fronted(data, {"a": a.port, "b": b.port}, {"a": ("a:1b",), "b": ("b:latest",)})
        with running(decided, tmp_path) as front:
            until(front.healthy)
            a.seen.clear()
            for _ in range(4):
                front.ask("/b/api/tags")
        assert (a.asked, b.asked) == ([], ["/api/tags"] * 4)


def test_nothing_is_read_of_who_is_not_let_in(tmp_path: Path) -> None:
    front = {"route_by_body": True, "auth": "bearer", "auth_file": "/etc/hostwright/front.keys"}
    data = with_front({"models": MODELS}, **front)
    with stubs(2) as (a, b):
        decided = fronted(data, {"a": a.port, "b": b.port}, {"a": ("a:1b",), "b": ("b:latest",)})
        with running(decided, tmp_path, {"keys": "key-1\n"}) as running_front:
            until(running_front.healthy)
            # The body never comes, and is not waited for.
            for path, key, status in (
                ("/api/chat", "key-2", b"401"),
                ("/api/pull", "key-1", b"403"),
            ):
                client = running_front.left(path, length=9, key=key)
                assert client.recv(4096).split()[1] == status
                client.close()


def test_an_answer_to_who_is_not_known_comes_through_tls(tmp_path: Path) -> None:
    """HTTP/2 is not offered: HAProxy 2.6 loses its own answers there."""
    front = {"auth": "bearer", "auth_file": "/k", "certificate": "/c", "certificate_key": "/c"}
    secrets = {"keys": "key-1\n", **certificate(tmp_path)}
    told = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    told.check_hostname, told.verify_mode = False, ssl.CERT_NONE
    told.set_alpn_protocols(["h2", "http/1.1"])
    with stubs(1) as (server,):
        decided = fronted(with_front(ONE, **front), {"a": server.port})
        with (
            running(decided, tmp_path, secrets) as one,
            socket.create_connection(("127.0.0.1", one.port), BOUND) as plain,
            told.wrap_socket(plain) as client,
        ):
            assert client.selected_alpn_protocol() == "http/1.1"
            client.sendall(b"POST /api/chat HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")
            assert client.recv(4096).split()[1] == b"401"


def test_a_new_file_is_read_without_a_loss_for_who_keeps_a_connection(tmp_path: Path) -> None:
    with (
        stubs(1) as (server,),
        running(fronted(with_front(ONE), {"a": server.port}), tmp_path) as f,
    ):
        until(f.healthy)
        until(lambda: f.hears(signal.SIGUSR2))
        kept = http.client.HTTPConnection("127.0.0.1", f.port, timeout=BOUND)
        kept.request("GET", "/api/version")
        assert kept.getresponse().read()
        f.process.send_signal(signal.SIGUSR2)
        until(lambda: (tmp_path / "log").read_text().count("Loading success") == 2)
        kept.request("GET", "/api/version")
        answer = kept.getresponse()
        assert (answer.status, answer.getheader("connection")) == (200, "close")
        kept.close()
