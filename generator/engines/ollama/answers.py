"""How to see that a server of Ollama answers: its own program asks, and loads no model.

In each line `$1` is that program, and its environment says where the server listens.
"""

from typing import Final

_ASK: Final = '"$1" list >/dev/null 2>&1'
ANSWERS: Final = f"until {_ASK}; do sleep 1; done"
"""Waits for an answer, in a job of its own, whose timeout bounds it."""
GATE: Final = (
    f'HOME=/tmp; until {_ASK}; do kill -0 "$MAINPID" || exit 1; sleep 1; done; kill -0 "$MAINPID"'
)
"""Waits for an answer of the process that systemd has started, as long as there is that process.

Another server that holds the port would answer in its place. The client makes a key in its home,
and so does the server: not both at once in the same one.
"""
GATE_SECONDS: Final = 60
