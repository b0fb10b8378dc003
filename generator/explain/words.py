"""The words of the data files in plain English."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from generator.catalogue.records import Variable

KIND: Final = {
    "bool": "Boolean: `1`, `t`, `true`, `0`, `f`, `false`",
    "uint": "whole number, not negative",
    "int": "whole number",
    "duration": "Go duration like `90s`, `30m` or `24h`, or whole seconds",
    "enum": "one of a few words",
    "string": "text",
    "list": "list, separated by commas",
    "path": "path",
    "bytes": "number of bytes",
}
SCOPE: Final = {
    "server": "read by the server",
    "runner": "read by the process that runs a model",
    "gpu-selection": "read while GPUs are looked for",
    "client": "read by the client only; on a server it does nothing",
    "informational": "read by libraries or tools, if by anything",
}
ON_INVALID: Final = {
    "warn-default": "The server logs a warning and uses the default.",
    "silent-default": "The server uses the default and says nothing.",
    "true": "Any text that is not a Boolean counts as true: `off` and `no` turn it on.",
    "presence": "Any value counts, `0` too: remove it instead.",
    "ignored": "They are ignored, and nothing says so.",
    "crash": "The server ends at its start.",
    "per-version": "That depends on the release: see the allowed values.",
    "driver": "The driver decides what they mean; Ollama does not look.",
    "runtime": "The container runtime decides what they mean; Ollama does not look.",
}
DANGER: Final = "The server stops answering, or answers wrong: do not set it."
UNSAFE: Final = "Models differ in it, so it is not for a whole server."
ABSENT: Final = "No release of Ollama reads this name; setting it changes nothing."


_RUNNER_BOOL: Final = "Boolean: `1`, `on`, `true`, `enabled`, `0`, `off`, `false`, `disabled`"
_GGML_BOOL: Final = "switch: set, or not set"


def kind(variable: Variable) -> str:
    """Say what a variable takes; Go, llama.cpp and ggml each have Booleans of their own."""
    if variable.kind == "bool" and variable.name.startswith("LLAMA_ARG_"):
        return _RUNNER_BOOL
    if variable.kind == "bool" and variable.name.startswith("GGML_"):
        return _GGML_BOOL
    return KIND[variable.kind]


def on_invalid(variable: Variable) -> str:
    """Say how a bad value behaves."""
    word = variable.on_invalid
    if word == "load-fail":
        runner = variable.scope == "runner"
        return "llama-server ends, and no model loads." if runner else "Models cannot be loaded."
    return ON_INVALID[word]
