"""What a hit of LiteLLM's exact cache costs, and how many hits a stream of requests has.

    HOSTWRIGHT_LITELLM=…/bin/litellm python -m benchmarks.cache [--requests 60] [--json]

A real LiteLLM and a real Redis, with the files of the target `systemd`, before a stub that answers
at once. First come misses, then the same requests as hits; seconds of the processor are those of
LiteLLM, and wall clock is that of a busy machine. Of the last requests `--share` is the part that
is the same as an earlier one.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from tests.engines.gateway import Gateway, gateway
from tests.live.stub import Installed, Stub, serving

MODEL: Final = "qwen3:8b"
WARM_UP: Final = 3


def costs(litellm: Gateway, requests: int) -> dict[str, float]:
    """Return milliseconds of wall clock and processor for a hit and for a miss."""
    found: dict[str, float] = {}
    for at in range(WARM_UP):
        litellm.ask(MODEL, f"Warm {at // 2}")
    for kind in ("miss", "hit"):
        before = litellm.cpu_seconds
        seconds = [litellm.ask(MODEL, f"Cost {at}").seconds for at in range(requests)]
        found[f"{kind}_cpu_ms"] = round(1000 * (litellm.cpu_seconds - before) / requests, 1)
        found[f"{kind}_p50_ms"] = round(1000 * statistics.median(seconds), 1)
        found[f"{kind}_p99_ms"] = round(1000 * sorted(seconds)[int(requests * 0.99)], 1)
    return found


def rate(litellm: Gateway, stub: Stub, requests: int, share: float) -> dict[str, float]:
    """Return the share of requests that did not reach the server."""
    before = stub.asked.count("/api/chat")
    repeats = round(requests * share)
    for at in range(requests - repeats):
        litellm.ask(MODEL, f"Rate {at}")
    for at in range(repeats):
        litellm.ask(MODEL, f"Rate {at % (requests - repeats)}")
    reached = stub.asked.count("/api/chat") - before
    return {"repeats": repeats / requests, "hits": 1 - reached / requests}


def main() -> int:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=60)
    parser.add_argument("--share", type=float, default=0.5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, serving(Stub(models=[Installed(MODEL)])) as stub:
        data = {"models": [{"name": MODEL}], "ollama": {"port": urlsplit(stub.url).port}}
        with gateway(data, Path(name)) as litellm:
            found = costs(litellm, options.requests)
            found |= rate(litellm, stub, options.requests, options.share)
    lines = [json.dumps(found)] if options.json else [f"{k:14} {v:g}" for k, v in found.items()]
    sys.stdout.write("\n".join([*lines, ""]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
