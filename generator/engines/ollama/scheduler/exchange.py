"""One question to a server over HTTP, and its JSON answer: bounded in time, size and depth.

Whatever answers there may be anything: it hangs, drips, never ends, or is no HTTP at all.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NoReturn

from generator.errors import EnvironmentFailure, HostwrightError, shortened

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.client import HTTPResponse
    from urllib.error import HTTPError
    from urllib.request import OpenerDirector, Request

    from generator.fit.ask import Server

MOST_BYTES: Final = 32 << 20
"""Of an answer. With a tokenizer of 262144 tokens, as Gemma's, `/api/show` has some 13 MB."""
MOST_PARTS: Final = 1 << 18
"""Lists and objects of an answer; two for each tensor, and brackets in texts count as well."""
DEPTH: Final = 8
_CHUNK: Final = 1 << 16
_NOT_FOUND: Final = 404
_ELSEWHERE: Final = range(300, 400)


def asked(server: Server, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
    """Return what a server answers: to a GET, or to a POST where there is a `body`.

    Raises HostwrightError for an address that is none and for what the server does not have, and
    EnvironmentFailure where nothing answers in time, or what answers is no Ollama server.
    """
    # These take longer to load than all the rest of `gen fit`, which seldom asks a server.
    import http.client
    import urllib.error

    url = server.url
    try:
        answer = _json(_within(server, lambda: _body(_request(url, path, body), server)))
    except urllib.error.HTTPError as error:
        error.close()
        _refused(url, body, error)
    except (http.client.HTTPException, ValueError, RecursionError) as error:
        told = shortened(str(error))
        raise EnvironmentFailure(f"{url}{path}: no answer of an Ollama server: {told}") from error
    except OSError as error:
        _unreachable(server, getattr(error, "reason", None) or error)
    if not isinstance(answer, dict):
        raise EnvironmentFailure(f"{url}{path}: no answer of an Ollama server")
    return answer


def _request(url: str, path: str, body: dict[str, Any] | None) -> Request:
    from urllib.request import Request

    base = url if "://" in url else f"http://{url}"
    if not base.startswith(("http://", "https://")):
        raise HostwrightError(f"`{url}`: not an address of a server", hint="like http://host:11434")
    data = None if body is None else json.dumps(body).encode()
    return Request(  # noqa: S310 -- http and https only, see above
        base.rstrip("/") + path, data, {"Content-Type": "application/json"}
    )


def _within(server: Server, work: Callable[[], bytes]) -> bytes:
    """Return what `work` returns, or raise TimeoutError where that takes too long.

    Time-outs of a socket are for each byte anew, and looking up a name has none: so a thread waits,
    which nobody waits for any more.
    """
    import queue
    import threading

    done: queue.SimpleQueue[bytes | Exception] = queue.SimpleQueue()

    def run() -> None:
        try:
            done.put(work())
        except Exception as error:  # noqa: BLE001 -- raised below, where somebody waits
            done.put(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        found = done.get(timeout=max(server.left, 0))
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(found, Exception):
        raise found
    return found


def _body(request: Request, server: Server) -> bytes:
    """Return the bytes of an answer. Raises ValueError where they are too many, or too few."""
    chunks, size = [], 0
    with _opener().open(request, timeout=max(server.left, 0.001)) as reply:
        while chunk := reply.read1(_CHUNK):
            chunks.append(chunk)
            size += len(chunk)
            if size > MOST_BYTES:
                raise ValueError(f"it has more than {MOST_BYTES >> 20} MiB")
            if server.left <= 0:
                raise TimeoutError
        if _left(reply):
            raise ValueError("it ends in the middle")
    return b"".join(chunks)


def _left(reply: HTTPResponse) -> int:
    """Return how many bytes an answer promised and did not have."""
    return getattr(reply, "length", None) or 0


def _opener() -> OpenerDirector:
    """Return what opens an address and stays there: a POST sent elsewhere loses its body."""
    from urllib.request import HTTPRedirectHandler, build_opener

    class Stay(HTTPRedirectHandler):
        def redirect_request(self, *_: Any, **__: Any) -> None:  # noqa: ANN401
            return None

    return build_opener(Stay)


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


def _refused(url: str, body: dict[str, Any] | None, error: HTTPError) -> NoReturn:
    if body and error.code == _NOT_FOUND:
        raise HostwrightError(
            f"{url} has no model `{body['model']}`", hint="`ollama list` shows those it has"
        ) from error
    if error.code in _ELSEWHERE:
        place = shortened(str(error.headers.get("Location", "")))
        raise EnvironmentFailure(
            f"{url} sends elsewhere: {error.code}, `{place}`", hint="name the address of the server"
        ) from error
    reason = shortened(str(error.reason))
    raise EnvironmentFailure(f"{url} answers {error.code}: {reason}") from error


def _unreachable(server: Server, reason: object) -> NoReturn:
    if isinstance(reason, TimeoutError) or server.left <= 0:
        raise EnvironmentFailure(
            f"{server.url} did not answer within {server.seconds:g} s",
            hint="is it busy? `--timeout 60s` waits longer",
        )
    raise EnvironmentFailure(
        f"cannot reach {server.url}: {shortened(str(reason))}",
        hint="is the server running, and the port open?",
    )
