"""HW623, HW624: a cache that answers by likeness, and one that goes past a queue."""

from __future__ import annotations

from typing import Final

from generator.rules.rule import Rule

ALIKE: Final = Rule(
    id="HW623",
    title="a cache that answers by likeness",
    why="It gives one question the answer of another whose vector is near. Questions that differ "
    "in one word, as `enable` and `disable`, are nearer to each other than two wordings of one "
    "question, so that any threshold with hits has wrong ones among them, and who asks does not "
    "see it. LiteLLM keeps the answers of one end user from others, and leaves conversations out; "
    "a request with a temperature or with tools it looks up like any other. A profile has to "
    "accept this rule, with a reason, or it is refused.",
    bad='[cache.semantic]\nmodel = "nomic-embed-text"\nqdrant = "http://127.0.0.1:6333"',
    good='[cache]\nttl = "1h"    # the same request, to the letter, gets the same answer',
    source="BerriAI/litellm#12234; vllm-project/semantic-router#2691; zilliztech/GPTCache#694; "
    "docs/beyond.md of Hostwright",
)
PAST: Final = Rule(
    id="HW624",
    severity="info",
    title="a cache that goes past the front",
    why="LiteLLM can show a front a key, but no name and password, and on the loopback a "
    "certificate vouches for no name. It then asks the servers themselves: what it asks does not "
    "wait in the queue of the front, and is not counted there.",
    bad='[front]\nauth = "basic"\n[cache]',
    good='[front]\nauth = "bearer"\n[cache]    # HOSTWRIGHT_FRONT_KEY in cache.key_file',
    source="docs.litellm.ai, providers/ollama; docs/beyond.md of Hostwright",
)
