"""Secrets in what others wrote: taken out of everything that is printed, shown or kept."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HIDDEN: Final = "***"
"""What stands for a secret where it is shown."""
_OPTION: Final = r"(?:--|[?&])(?:api[-_]?key|token|password|secret|auth)(?:=|\s+)"
# What is before a secret stays.
_SHAPES: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # A password in an address: proxies, registries, databases.
        r"(\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@\"']{0,256}:)[^\s/\"']{1,1024}(?=@)",
        r"(\bcurl\b.{0,512}?\s(?:-u|--user)[ =]?[\"']?[^\s:\"']{1,128}:)[^\s\"']+",
        r"(\b(?:bearer|basic)\s+)[\w.~+/=-]{6,}",
        # By how they begin: OpenAI and its kin, Hugging Face, GitHub, AWS, Slack; JSON web tokens.
        r"()\b(?:sk|hf|gh[opsu]|github_pat|glpat|xox[abp]|AKIA)[-_a-z0-9]{12,}",
        r"()\beyJ[\w-]{6,}\.[\w-]{6,}\.[\w-]*",
        # By the option or the parameter that they are the value of.
        rf"({_OPTION})[^\s&\"']+",
    )
)
_NAMED: Final = re.compile(r"\b([A-Za-z]\w{2,63})\s?[=:]\s?[\"']?(?=[^\s\"',\]])")
_VALUE: Final = re.compile(r"[^\s\"',\]]+")

_PLAIN: Final = re.compile(r".{1,7}|[A-Z_]+")
"""What a field of a log line says that is no secret: a number of tokens, a name of a variable."""


def redacted(text: str, secret: Callable[[str], bool]) -> str:
    """Return a text without its secrets; `secret` tells of a variable whether it holds one."""
    for pattern in _SHAPES:
        text = pattern.sub(rf"\g<1>{HIDDEN}", text)
    return "".join(_hidden(text, secret))


def _hidden(text: str, secret: Callable[[str], bool]) -> Iterator[str]:
    """Yield a text in pieces, without the values of names that hold secrets.

    What is no secret may be a name and its value itself: `Environment="HF_TOKEN=…"`.
    """
    done = 0
    for found in _NAMED.finditer(text):
        if found.start() < done or not secret(found[1]) or text.startswith("//", found.end()):
            continue
        value = _VALUE.match(text, found.end())
        if value and (found[1].isupper() or not _PLAIN.fullmatch(value[0])):
            yield text[done : value.start()] + HIDDEN
            done = value.end()
    yield text[done:]
