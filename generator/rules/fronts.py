"""HW220 to HW222: a front that lets more through than it seems; `resolve` finds it."""

from __future__ import annotations

from typing import Final

from generator.rules.rule import Rule

OPEN_FRONT: Final = Rule(
    id="HW220",
    title="a front that lets everybody in",
    why="The API has no authentication: whoever reaches it computes with it, and reads what others "
    "have loaded. A front that other machines reach is where a key is asked for.",
    bad='[front]\nhost = "0.0.0.0"',
    good='[front]\nhost = "0.0.0.0"\nauth = "bearer"\nauth_file = "/etc/hostwright/front.keys"',
    source="ollama#849; ollama#1053; ollama#5415",
    silence="Set `front.auth`, or say in `check.ignore` what else keeps others out.",
)
PAST_FRONT: Final = Rule(
    id="HW221",
    title="a server that is reached past its front",
    why="A front that asks for keys, has a queue and closes paths does so for those alone who come "
    "that way. A server that listens on more than this machine answers everybody else too.",
    bad='[ollama]\nhost = "0.0.0.0"\n\n[front]\nhost = "0.0.0.0"',
    good='[front]\nhost = "0.0.0.0"    # the server stays on 127.0.0.1',
    source="docs/beyond.md of Hostwright",
)
PLAIN_KEYS: Final = Rule(
    id="HW222",
    title="keys that go over the network as they are",
    why="Without TLS whoever is on the way reads the key, or the name and password, of each "
    "request.",
    bad='[front]\nhost = "0.0.0.0"\nauth = "bearer"\nauth_file = "/etc/hostwright/front.keys"',
    good='[front]\ncertificate = "/etc/hostwright/front.pem"\n'
    'certificate_key = "/etc/hostwright/front.key"',
    source="RFC 6750, 5.3; RFC 7617, 4",
)
