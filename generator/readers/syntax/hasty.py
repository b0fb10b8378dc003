"""Scripts that start a server, or have the service manager do so, and ask it in the same moment."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.readers.syntax.applied import AS, QUIET
from generator.readers.syntax.blocks import LONGEST
from generator.readers.syntax.statements import Statement, scopes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from generator.engines.signs import Signs as Engine

    Texts = Iterable[tuple[int, list[str]]]

_WAITED: Final = re.compile(r"\b(?:ExecStartPost|Type[ \t]*=[ \t]*[\"']?notify)\b")
"""What has the service manager itself wait for the server."""
_OPENS: Final = r"(?:(?:if|then|do|else|\(|\{)\s*+){0,3}"
_REDIRECTED: Final = r"(?:\s*(?:&?>{1,2}|2>{1,2}|<)\s*(?:&\d|[^\s&]+)){0,3}"
_QUICK: Final = re.compile(
    rf"[(){{}}\s]*+(?:fi\b[\s)}}]*)?"
    rf"|\s*{AS}systemctl\s+(?:--\S+\s+){{0,3}}(?:status|is-active|is-enabled)\b.*"
    r"|\s*(?:\S*/)?\w+\s+(?:--version|-v)\s*.*|\s*(?:disown|trap|set|cd|touch|mkdir|renice)\b.*",
    re.DOTALL,
)
"""A command that is done before a server listens."""
_VAIN: Final = re.compile(
    r"(?:until\s+|while\s+!\s*)"
    r"(?:(?:\S*/)?\w+\s+(?:--version|-v)|pgrep\b[^|]*|pidof\b.*|(?:which|command\s+-v|kill\s+-0)\s.*)"
    rf"{_REDIRECTED}\s*",
    re.DOTALL,
)
"""A wait for what is so before the server listens: the program is there, the process runs."""
_SLEEPS: Final = re.compile(r"(?:do\s+)?(?:sleep\s+\S+|:|true|echo\b.*)?|do", re.DOTALL)
_EACH: Final = re.compile(r"(?:for\s+\w+(?:\s+in\b.*)?|while\s+(?:IFS=\S*\s+)?read\b.*)", re.DOTALL)
_LEAVES: Final = re.compile(r"(?:break|exit|return)\b")
_EXCUSE: Final = re.compile(
    r"(?:true|:|echo|printf|log|warn|exit|return|die|fail|\{|\()(?:\s.*)?", re.DOTALL
)
_FAR: Final = 60  # commands
_BOX: Final = (
    r"(?:docker|podman)(?:\s+(?:container\s+)?run\s(?=(?:.*\s)?-\w*d\w*\s|.*--detach\b).*\b{0}/{0}\b"
    r"|[\s-]compose\s(?:\S+\s){{0,9}}up\b(?!.*--wait\b)(?=.*\s(?:-\w*d\w*|--detach)\b)"
    r"(?:(?:\s+--?\w\S*)*\s*$|.*\b{0}\b))"
)
"""What starts a container, or those of a project, and comes back when they are started."""


def hasty(texts: Texts, engine: Engine) -> Iterator[tuple[int, str, str]]:
    """Yield the lines that ask a server which has just been started, the verb, and what started it.

    What starts it after its installer has done so does nothing, and is `start` or `enable`.
    """
    name = re.escape(engine.name)
    starts = re.compile(
        rf"\s*{_OPENS}{AS}(?:systemctl\s+(?:--(?!no-block)\S+\s+){{0,3}}"
        rf"(start|restart|reload-or-restart|enable(?=\s+--now))\s+(?:--now\s+)?{name}(?:\.service)?"
        rf"|(?:/etc/init\.d/|service\s+){name}\s+((?:re)?start)){_REDIRECTED}\s*"
    )
    boxes = re.compile(rf"\s*{_OPENS}{AS}{_BOX.format(name)}")
    scripts = [(first, lines) for first, lines in _joined(texts) if _manages(lines, engine)]
    if any(_WAITED.search(line[:LONGEST]) for _, lines in scripts for line in lines):
        return
    asks, installs = _asking(engine), re.compile(engine.installer)
    installed = False
    for first, lines in scripts:
        for scope in scopes("\n".join(lines)):
            for at, one in enumerate(scope):
                installed = installed or installs.search(one.text[:LONGEST]) is not None
                found = starts.fullmatch(one.text) if one.end != "&" else None
                short = found is None and one.end != "&" and len(one.text) <= LONGEST
                box = short and boxes.match(one.text) is not None
                asked = first_asked(scope, at + 1, asks) if found or box else None
                if asked and box and asked[1].startswith("/"):
                    yield first + asked[0].line, asked[1], ""
                if asked and found:
                    verb = found[1] or found[2]
                    vain = installed and "restart" not in verb
                    yield first + asked[0].line, asked[1], verb if vain else ""


def _manages(lines: Sequence[str], engine: Engine) -> bool:
    """Whether a script may have something else start a server: most have not."""
    starts = any(_STARTS.search(line[:LONGEST]) for line in lines)
    return starts and any(engine.name in line or "/api/" in line for line in lines)


_STARTS: Final = re.compile(
    r"\b(?:systemctl|service|init\.d)\b.*\b(?:start|restart|enable)\b"
    r"|\b(?:docker|podman)\b.*\b(?:run|up)\b"
)


def asked_at_once(
    texts: Texts, engine: Engine, servers: Iterable[int] = ()
) -> Iterator[tuple[int, str]]:
    """Yield the lines, and the verbs, that ask a server in the moment after it was put behind.

    `servers` are lines on which one is started, as somebody else has found.
    """
    asks, serves = _asking(engine), serving(engine)
    known = frozenset(servers)
    for first, lines in _joined(texts):
        for scope in scopes("\n".join(lines)):
            for at, one in enumerate(scope):
                ours = one.end == "&" and len(one.text) <= LONGEST
                told = ours and first + one.line in known and engine.command[-1] in one.text
                if told or (ours and serves.match(one.text)):
                    asked = first_asked(scope, at + 1, asks)
                    if asked:
                        yield first + asked[0].line, asked[1]


def asked_first(text: str, engine: Engine) -> tuple[int, str] | None:
    """Return the line, from 0, and the verb, where a script begins with what a server has to do."""
    asks = _asking(engine, anywhere=True)
    found = (first_asked(scope, 0, asks) for scope in scopes(text))
    asked = next((one for one in found if one is not None), None)
    return (asked[0].line, asked[1]) if asked else None


def first_asked(
    scope: Sequence[Statement], at: int, asks: re.Pattern[str]
) -> tuple[Statement, str] | None:
    """Return the first command from one on that asks the server, if nothing before it waits."""
    vain, excused = False, scope[at - 1].end == "||" if at else False
    for number, one in enumerate(scope[at : at + _FAR], at):
        text = one.text
        if len(text) > LONGEST:
            return None
        if vain:
            vain = not text.startswith("done")
            waits = vain and not _SLEEPS.fullmatch(text)
        elif excused:
            waits = not _EXCUSE.fullmatch(text)
        elif _VAIN.fullmatch(text):
            vain, waits = True, False
        elif found := asks.match(text):
            if found[1] or found[2]:
                return None if _is_tried(scope, number) else (one, found[1] or found[2])
            waits = one.end == "&&"  # What is behind it is done only where a server answers.
        else:
            waits = not any(quick(text) for quick in _BRIEF)
        if waits:
            return None
        excused = one.end == "||"
    return None


def _is_tried(scope: Sequence[Statement], at: int) -> bool:
    """Whether a command may fail: something is done then, or it is tried until it does not."""
    one, behind = scope[at], scope[at + 1 : at + 2]
    again = one.end == "&&" and behind and _LEAVES.match(behind[0].text)
    return bool(again) or one.end == "||"


_BRIEF: Final = (QUIET.match, _QUICK.fullmatch, _EACH.fullmatch)


def _asking(engine: Engine, *, anywhere: bool = False) -> re.Pattern[str]:
    """Return what a command begins with that has a server do something; of curl, the own host's.

    Without a verb it is a look at what the server has, which is over at once where none listens.
    """
    name = re.escape(engine.name)
    host = r"[\w.$\{\}-]+" if anywhere else r"(?:localhost|127\.0\.0\.1|0\.0\.0\.0)"
    return re.compile(
        rf"\s*{_OPENS}{AS}(?:(?:time|nohup|command)\s+)?(?:\S*/)?{name}\s+(pull|run|create)\b"
        rf"|\s*(?:do\s+)?curl\b(?!.*--retry)[^|]*?{host}:\d+"
        r"(/api/(?:pull|generate|chat|create|embed)\b)"
        rf"|\s*(?:\S*/)?{name}\s+(?:list|ls|ps){_REDIRECTED}\s*\Z",
        re.DOTALL,
    )


def serving(engine: Engine) -> re.Pattern[str]:
    """Return what a command begins with that is a server."""
    program, verb = (re.escape(word) for word in engine.command)
    return re.compile(
        rf"{_OPENS}{AS}(?:(?:nohup|setsid|exec|env|[A-Za-z_]\w*=\S*)\s+){{0,9}}"
        rf"[\"']?(?:\S*/)?{program}[\"']?\s+{verb}\b"
    )


def _joined(texts: Texts) -> list[tuple[int, list[str]]]:
    """Return scripts, with those as one that stand line below line, as the items of a list do."""
    found: list[tuple[int, list[str]]] = []
    for first, lines in texts:
        if found and found[-1][0] + len(found[-1][1]) == first:
            found[-1][1].extend(lines)
        else:
            found.append((first, [*lines]))
    return found
