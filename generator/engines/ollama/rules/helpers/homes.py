"""The home that the server has in a container of the official image."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final

from generator.rules.helpers.containers import target
from generator.rules.helpers.sandbox import ROOT, below

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.view import Container, View

_ROOT: Final = ROOT | {""}
# The one ordinary user that the image has. Source: ubuntu:24.04, /etc/passwd.
_HOMES: Final = dict.fromkeys(("1000", "ubuntu"), "/home/ubuntu") | dict.fromkeys(_ROOT, "/root")
# nixos/modules/services/misc/ollama.nix
_OF_MODULE: Final = "/var/lib/ollama/models"
_MAKES: Final = re.compile(r"\b(?:adduser|useradd)\b([^;&|]*)")
_AT: Final = re.compile(r"(?<![\w-])(?:-d|--home(?:-dir)?)[ =]+[\"']?(/[^\s\"']+)")
_TOLD: Final = re.compile(r"[\w.-]+")


def _user(box: Container) -> str:
    return box.user.partition(":")[0].strip("\"' ")


def home_in_image(view: View) -> str:
    """Return the home that nobody sets: what the image says of the user, `/` for an unknown one.

    A command that makes the image may make the user, too.
    """
    if view.container is None:
        return "/"
    user = _user(view.container)
    return _made(view, user) or _HOMES.get(user, "/")


def _made(view: View, user: str) -> str:
    """Return the home of a user that the image is made with; empty: nobody makes that one."""
    word = rf"(?<![\w.:/-]){re.escape(user)}(?![\w.:/-])"
    for line in view.lines if user not in _ROOT else ():
        for call in _MAKES.findall(line.value) if line.name == "RUN" else ():
            if re.search(word, call):
                told = _AT.search(call)
                return told[1] if told else f"/home/{user}"
    return ""


def strangers_home(view: View) -> bool:
    """Return whether the server runs as a user whose home no volume holds, or may hold nothing."""
    box = view.container
    told = box is not None and _TOLD.fullmatch(_user(box)) and _user(box) not in _ROOT
    if box is None or not told or not view.lacks("HOME"):
        return False
    home = home_in_image(view)
    targets = [target(text) for text, _ in box.mounts]
    if any(below(posixpath.join(home, ".ollama"), path) for path in targets if path[:1] == "/"):
        return False
    return home == "/" or any(below(path, "/root") for path in targets)


def models_path(view: View, facts: Facts) -> str:
    """Return where a container, or the module of NixOS, keeps its models."""
    models, home = view.variable("OLLAMA_MODELS"), view.variable("HOME")
    if models is not None:
        return models.value
    if home is not None:
        return f"{home.value.rstrip('/')}/.ollama/models"
    box = view.container
    if box is None and view.phrases.sandboxed:
        return _OF_MODULE
    own = (box.home or home_in_image(view)).rstrip("/") if box else "/root"
    return facts.image.models_path.replace("/root", own, 1)
