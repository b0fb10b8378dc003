"""An LLMInferenceService of KServe: text that Go's templates, the kubelet and a shell read.

KServe makes one JSON document of an object and of its own defaults, and has `text/template` fill it
in, where `{{` begins an action (`ReplaceVariables` of pkg/controller/v1alpha2/llmisvc/
config_merge.go@v0.20.0). The kubelet then puts variables in place, and the command of the default
template ends in `eval "exec vllm serve … $@"`, so that a shell reads each argument once more.
"""

from __future__ import annotations

import re
from typing import Final

from generator.errors import RenderError
from generator.formats.kubernetes import literal
from generator.formats.shell import quote

_ACTION: Final = "{{"
_PLAIN: Final = "{{`{{`}}"
# It stands without quotes in that line, and as it is in the JSON.
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./:-]*")
_URI: Final = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*(?::[\w.-]+)?", re.ASCII)


def plain(text: str) -> str:
    """Return text of a manifest, in which `{{` begins an action of Go's templates."""
    return text.replace(_ACTION, _PLAIN)


def argument(word: str, where: str) -> str:
    """Return a word of `args`; raises RenderError naming `where` for what none carries."""
    return plain(literal(quote(word, where), where))


def served_name(name: str, where: str) -> str:
    """Return the name of a model; raises RenderError for one that a shell would take apart."""
    if _NAME.fullmatch(name):
        return name
    raise RenderError(
        f"`{where}` is `{name}`, and KServe writes it without quotes into a line of a shell",
        hint="write letters, digits, `.`, `_`, `-`, `:` and `/`",
        where=where,
    )


def repository(name: str, revision: str, where: str) -> str:
    """Return the URI of a repository of Hugging Face; raises RenderError for none."""
    text = f"{name}:{revision}" if revision else name
    if _URI.fullmatch(text):
        return f"hf://{text}"
    raise RenderError(
        f"`{where}` is `{text}`, and KServe downloads `org/name` or `org/name:revision`",
        hint="write the repository as its page does, and a branch or tag without `/`",
        where=where,
    )
