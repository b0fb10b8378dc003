"""The one client of a server's HTTP API: JSON asked and answered, bounded in time, size and depth.

Whatever answers there may be anything: it hangs, drips, never ends, or is no HTTP at all.
"""

from __future__ import annotations

import functools
import json
import time
from typing import TYPE_CHECKING, Any, Final, NoReturn
from urllib.parse import urlsplit

from generator.errors import EnvironmentFailure, HostwrightError, shortened
from generator.records import dataclass
from generator.units import is_local

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from http.client import HTTPResponse
    from queue import SimpleQueue
    from typing import Self
    from urllib.error import HTTPError
    from urllib.request import OpenerDirector, Request

PATIENCE: Final = 10.0  # seconds that a server has for all its answers
MOST_BYTES: Final = 32 << 20
"""Of an answer. With a tokenizer of 262144 tokens, as Gemma's, `/api/show` has some 13 MB."""
MOST_PARTS: Final = 1 << 18
"""Lists and objects of an answer; two for each tensor, and brackets in texts count as well."""
LONGEST_LINE: Final = 1 << 20
"""Bytes of one part of a stream: a token of it has some hundred."""
DEPTH: Final = 8
HIDDEN: Final = "…"
"""What stands where a server repeats the key that it was asked with."""
LONGEST_TOLD: Final = 160
"""Characters of what a server says went wrong."""
_CHUNK: Final = 1 << 16
_NO_KEY: Final = 401
_NOT_FOUND: Final = 404
_ELSEWHERE: Final = range(300, 400)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running server: its URL, and how long all its answers together may take.

    `ends` is when that is over, by the monotonic clock. `key` is sent with each request, and said
    nowhere.
    """

    url: str
    seconds: float
    ends: float
    key: str = ""

    def __repr__(self) -> str:
        return f"Server({self.url!r}, {self.seconds:g} s)"

    @classmethod
    def at(cls, url: str, seconds: float = PATIENCE, key: str = "") -> Self:
        """Return the server at a URL, whose time begins now."""
        return cls(url=url, seconds=seconds, ends=time.monotonic() + seconds, key=key)

    def without_key(self, text: str) -> str:
        """Return what a server says, and not the key that it may have said again."""
        return text.replace(self.key, HIDDEN) if self.key else text

    @property
    def left(self) -> float:
        """The seconds that are left; none of them: it took too long."""
        return self.ends - time.monotonic()

    @property
    def late(self) -> str:
        """What is said where it took too long."""
        return f"{self.url} did not answer within {self.seconds:g} s"


def host_and_port(url: str) -> tuple[str, int | None]:
    """Return both of a URL, with a scheme or without; of what is none, nothing."""
    try:
        parts = urlsplit(_based(url))
        return parts.hostname or "", parts.port
    except ValueError:
        return "", None


def checked(url: str) -> str:
    """Return an address of a server with its scheme. Raises HostwrightError for one that is none.

    It need not answer, nor be known.
    """
    base = _based(url)
    try:
        parts = urlsplit(base)
        right = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        right = False
    if not right or not base.isprintable() or " " in base:
        message = f"`{shortened(url)}`: not an address of a server"
        raise HostwrightError(message, hint="like http://host:11434")
    return base


def asked(server: Server, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return what a server answers: to a GET, or to a POST where there is a `body`.

    Raises HostwrightError for an address that is none and for what the server does not have, and
    EnvironmentFailure where nothing answers in time, or what answers is no Ollama server.
    """
    (answer,) = _told(server, path, body, lambda reply: iter((_whole(reply, server),)))
    return answer


def listed(server: Server, path: str) -> list[Any]:
    """Return the list that a server answers to a GET; raises as `asked` does."""

    def whole(reply: HTTPResponse) -> Iterator[bytes]:
        yield b'{"all": ' + _whole(reply, server) + b"}"

    (answer,) = _told(server, path, None, whole)
    every = answer["all"]
    return every if isinstance(every, list) else []


def streamed(server: Server, path: str, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the parts of an answer as they come, a line of JSON each; raises as `asked` does."""
    return _told(server, path, body, lambda reply: _lines(reply, server))


def arriving(
    server: Server, path: str, body: dict[str, Any], *, events: bool = False
) -> Iterator[dict[str, Any]]:
    """Yield the parts of an answer as `streamed` does, and in this thread: nothing delays them.

    A server that drips its headers may keep it longer than the time that is left, so that whoever
    calls this keeps the time. `events`: they come as server-sent events, up to `[DONE]`.
    """
    read = _events if events else _lines
    return _told(server, path, body, lambda reply: read(reply, server), lambda _, work: work())


def _told(
    server: Server,
    path: str,
    body: dict[str, Any] | None,
    read: Callable[[HTTPResponse], Iterator[bytes]],
    bounded: Callable[[Server, Callable[[], Iterator[bytes]]], Iterator[bytes]] | None = None,
) -> Iterator[dict[str, Any]]:
    # These take longer to load than all the rest of `gen fit`, which seldom asks a server.
    import http.client
    import urllib.error

    url = server.url
    try:
        within = bounded or _within
        for data in within(server, lambda: _parts(_request(server, path, body), server, read)):
            answer = _json(data)
            if not isinstance(answer, dict):
                raise ValueError("it is no object")
            yield answer
    except urllib.error.HTTPError as error:
        error.close()
        _refused(server, body, error)
    except (http.client.HTTPException, ValueError, RecursionError) as error:
        told = shortened(server.without_key(str(error)))
        raise EnvironmentFailure(f"{url}{path}: no answer of an Ollama server: {told}") from error
    except OSError as error:
        _unreachable(server, getattr(error, "reason", None) or error)


def _request(server: Server, path: str, body: dict[str, Any] | None) -> Request:
    from urllib.request import Request

    base = checked(server.url)
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    if server.key:
        headers["Authorization"] = f"Bearer {server.key}"
    return Request(base.rstrip("/") + path, data, headers)  # noqa: S310 -- http(s) only, see above


def _based(url: str) -> str:
    return url if "://" in url else f"http://{url}"


def _within(server: Server, work: Callable[[], Iterator[bytes]]) -> Iterator[bytes]:
    """Yield what `work` yields, or raise TimeoutError where that takes too long.

    Time-outs of a socket are for each byte anew, and looking up a name has none: so a thread waits,
    which nobody waits for any more.
    """
    import queue
    import threading

    done: SimpleQueue[bytes | Exception | None] = queue.SimpleQueue()

    def run() -> None:
        try:
            for part in work():
                done.put(part)
            done.put(None)
        except Exception as error:  # noqa: BLE001 -- raised below, where somebody waits
            done.put(error)

    threading.Thread(target=run, daemon=True).start()
    while True:
        try:
            found = done.get(timeout=max(server.left, 0))
        except queue.Empty:
            raise TimeoutError from None
        if found is None:
            return
        if isinstance(found, Exception):
            raise found
        yield found


def _parts(
    request: Request, server: Server, read: Callable[[HTTPResponse], Iterator[bytes]]
) -> Iterator[bytes]:
    from urllib.error import HTTPError

    near = is_local(urlsplit(request.full_url).hostname or "")
    try:
        with _opener(near=near).open(request, timeout=max(server.left, 0.001)) as reply:
            yield from read(reply)
    except HTTPError as error:
        # Here, where time is bounded: what the body says is more than what the status says.
        error.msg = _said(error) or error.msg
        raise


def _said(error: HTTPError) -> str:
    """Return what a server says went wrong; empty: it says nothing that can be read."""
    from http.client import HTTPException

    try:
        told = json.loads(error.read(_CHUNK)).get("error")
        told = told.get("message") if isinstance(told, dict) else told  # as OpenAI has it
    except (AttributeError, OSError, RecursionError, ValueError, HTTPException):
        return ""
    return told if isinstance(told, str) else ""


def _chunks(reply: HTTPResponse, server: Server) -> Iterator[bytes]:
    """Yield the bytes of an answer as they come.

    Raises ValueError where they are too many, or fewer than it has promised.
    """
    size = 0
    while chunk := reply.read1(_CHUNK):
        size += len(chunk)
        if size > MOST_BYTES:
            raise ValueError(f"it has more than {MOST_BYTES >> 20} MiB")
        if server.left <= 0:
            raise TimeoutError
        yield chunk
    if getattr(reply, "length", None):
        raise ValueError("it ends in the middle")


def _whole(reply: HTTPResponse, server: Server) -> bytes:
    return b"".join(_chunks(reply, server))


def _lines(reply: HTTPResponse, server: Server) -> Iterator[bytes]:
    """Yield the lines of an answer that are not empty, each once it is there."""
    left = b""
    for chunk in _chunks(reply, server):
        *lines, left = (left + chunk).split(b"\n")
        if max(map(len, (left, *lines))) > LONGEST_LINE:
            raise ValueError(f"a line has more than {LONGEST_LINE >> 20} MiB")
        yield from (line for line in lines if line.strip())
    if left.strip():
        yield left


def _events(reply: HTTPResponse, server: Server) -> Iterator[bytes]:
    """Yield the data of server-sent events, a line each, as interfaces of OpenAI send them."""
    for line in _lines(reply, server):
        field, _, data = line.partition(b":")
        if field == b"data" and data.strip() == b"[DONE]":
            return
        if field == b"data":
            yield data


@functools.cache
def _opener(*, near: bool) -> OpenerDirector:
    """Return what opens an address and stays there: a POST sent elsewhere loses its body.

    A server on this machine is asked itself, whatever proxy stands in the environment. It is made
    once: certificates that it reads take milliseconds, which a request would be charged with.
    """
    from urllib.request import HTTPRedirectHandler, ProxyHandler, build_opener

    class Stay(HTTPRedirectHandler):
        def redirect_request(self, *_: Any, **__: Any) -> None:  # noqa: ANN401
            return None

    return build_opener(Stay, *([ProxyHandler({})] if near else []))


def _json(data: bytes) -> object:
    """Return JSON as Python has it. Raises ValueError for what is none, too deep or too much."""
    if data.count(b"[") + data.count(b"{") > MOST_PARTS:
        raise ValueError(f"it has more than {MOST_PARTS} lists and objects")
    answer = json.loads(data.decode(), parse_constant=_no_number)
    level = [answer]
    for _ in range(DEPTH):
        level = [inner for each in level for inner in _inside(each)]
    if level:
        raise ValueError(f"it is more than {DEPTH} lists deep")
    return answer


def _inside(value: object) -> list[object]:
    """Return the lists and objects within a value."""
    if not isinstance(value, (dict, list)):
        return []
    return [each for each in (value.values() if isinstance(value, dict) else value)
            if isinstance(each, (dict, list))]  # fmt: skip


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")


def _refused(server: Server, body: dict[str, Any] | None, error: HTTPError) -> NoReturn:
    url = server.url
    if body and error.code == _NOT_FOUND:
        raise HostwrightError(
            f"{url} has no model `{body.get('model', '')}`",
            hint="`ollama list` shows those it has",
        ) from error
    if error.code in _ELSEWHERE:
        place = shortened(server.without_key(str(error.headers.get("Location", ""))))
        raise EnvironmentFailure(
            f"{url} sends elsewhere: {error.code}, `{place}`", hint="name the address of the server"
        ) from error
    reason = shortened(server.without_key(str(error.reason)), LONGEST_TOLD)
    hint = (
        "it asks for a key, which gen bench takes by --api-key-file"
        if error.code == _NO_KEY
        else ""
    )
    raise EnvironmentFailure(f"{url} answers {error.code}: {reason}", hint=hint) from error


def _unreachable(server: Server, reason: object) -> NoReturn:
    if isinstance(reason, TimeoutError) or server.left <= 0:
        raise EnvironmentFailure(
            server.late,
            hint="is it busy? a longer `--timeout` waits for it",
        )
    raise EnvironmentFailure(
        f"cannot reach {server.url}: {shortened(str(reason))}",
        hint="is the server running, and the port open?",
    )
