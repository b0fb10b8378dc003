"""A Shape from a running Ollama server: what `/api/show` reports of a model, and `/api/ps`."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, Final

from generator.errors import EnvironmentFailure, HostwrightError
from generator.fit.metadata import Tensor, shape_from

if TYPE_CHECKING:
    from urllib.error import HTTPError

    from generator.catalogue.facts import Facts
    from generator.fit.shape import Shape

SECONDS: Final = 15.0
MOST_BYTES: Final = 64 << 20


def shape_of_server(url: str, model: str, facts: Facts) -> Shape:
    """Return the Shape of a model that a server has, or raise as `Ask.shape_at` says."""
    answer = _ask(url, "/api/show", {"model": model})
    metadata, tensors = answer.get("model_info"), answer.get("tensors")
    if not isinstance(metadata, dict) or not isinstance(tensors, list):
        raise EnvironmentFailure(
            f"{url} reports no shape of `{model}`",
            hint="releases before 0.5.13 list no tensors; use --gguf with the model's file",
        )
    if any(value is None for key, value in metadata.items() if ".attention." in key):
        answer = _ask(url, "/api/show", {"model": model, "verbose": True})
        metadata = answer.get("model_info", metadata)
    details = answer.get("details")
    level = details.get("quantization_level", "") if isinstance(details, dict) else ""
    found = [_tensor(url, entry, facts) for entry in tensors]
    return shape_from(model, metadata, found, facts, quantisation=str(level))


def loaded(url: str) -> tuple[tuple[str, int, int], ...]:
    """Return name, size and size on GPUs of the models that a server has loaded."""
    models = _ask(url, "/api/ps", None).get("models")
    found = [entry for entry in models or [] if isinstance(entry, dict)]
    return tuple(
        (str(entry.get("name", "")), _bytes(entry.get("size")), _bytes(entry.get("size_vram")))
        for entry in found
    )


def _bytes(value: object) -> int:
    return value if isinstance(value, int) and value >= 0 else 0


def _ask(url: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
    # These take longer to load than all the rest of `gen fit`, which seldom asks a server.
    import urllib.error
    import urllib.request

    base = url if "://" in url else f"http://{url}"
    if not base.startswith(("http://", "https://")):
        raise HostwrightError(f"`{url}`: not an address of a server", hint="like http://host:11434")
    data = None if body is None else json.dumps(body).encode()
    try:
        request = urllib.request.Request(  # noqa: S310 -- http and https only, see above
            base.rstrip("/") + path, data, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=SECONDS) as reply:  # noqa: S310
            answer = json.loads(reply.read(MOST_BYTES))
    except urllib.error.HTTPError as error:
        error.close()
        raise _refused(url, body, error) from error
    except ValueError as error:
        raise EnvironmentFailure(f"{url}{path}: no answer of an Ollama server: {error}") from error
    except OSError as error:
        reason = getattr(error, "reason", None) or error
        raise EnvironmentFailure(
            f"cannot reach {url}: {reason}", hint="is the server running, and the port open?"
        ) from error
    if not isinstance(answer, dict):
        raise EnvironmentFailure(f"{url}{path}: no answer of an Ollama server")
    return answer


def _refused(url: str, body: dict[str, Any] | None, error: HTTPError) -> HostwrightError:
    if body and error.code == 404:  # noqa: PLR2004 -- the HTTP code for it
        return HostwrightError(
            f"{url} has no model `{body['model']}`", hint="`ollama list` shows those it has"
        )
    return EnvironmentFailure(f"{url} answers {error.code}: {error.reason}")


def _tensor(url: str, entry: object, facts: Facts) -> Tensor:
    """Return a tensor with the bytes that its type and shape make."""
    try:
        name, kind, shape = entry["name"], entry["type"], entry["shape"]  # type: ignore[index]
        dimensions = tuple(int(size) for size in shape)
        row = facts.row_bytes(str(kind).upper(), dimensions[0])
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise EnvironmentFailure(
            f"{url}: a tensor that Hostwright cannot size: {entry}",
            hint="use --gguf with the model's file",
        ) from error
    return Tensor(name=str(name), dimensions=dimensions, size=row * math.prod(dimensions[1:]))
