"""What a script does to a service that it has installed, and that runs already."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Final

from generator.readers.syntax.blocks import LONGEST, follows
from generator.view import (
    ALONE,
    AT_BOOT,
    AT_ONCE,
    EARLY,
    IF_BOOTING,
    OF_ROOT,
    SECOND,
    UNAPPLIED,
    Line,
    Place,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from generator.engines.signs import Signs as Engine
    from generator.view import View

_MANAGES: Final = r"\b(?:systemctl|service)\s(?:[^;&|\n]*\s)?"


def while_booting(view: View) -> View:
    """Return a View of what runs once, while a machine starts for the first time.

    The installer starts its service only where systemd says `running` or `degraded`: what comes
    later in the same boot starts it. Source: scripts/install.sh@v0.32.15, configure_systemd.
    """
    kept = (line for line in view.lines if line.section not in _RUNNING)
    starts = {IF_BOOTING: AT_ONCE}
    lines = (replace(one, section=starts.get(one.section, one.section)) for one in kept)
    return replace(view, lines=tuple(lines))


def without_home(view: View) -> View:
    """Return a View of what a machine runs at its first boot, to which nothing gives a HOME."""
    boots = {ALONE: AT_BOOT}
    lines = (replace(one, section=boots.get(one.section, one.section)) for one in view.lines)
    return replace(view, lines=tuple(lines))


def hastens(view: View) -> bool:
    """Return whether something is said of it that depends on what the installer has started."""
    return any(line.section in {*_RUNNING, IF_BOOTING} for line in view.lines)


_RUNNING: Final = frozenset({SECOND, UNAPPLIED, EARLY})


def changing(engine: Engine) -> re.Pattern[str]:
    """Return what a command has in it that changes the unit of an engine.

    What is said in a file that a here-document writes begins no line with these.
    """
    name = re.escape(engine.name)
    unit = rf"systemd/system/{name}\.service"
    return re.compile(
        rf"^\s*(?:sudo\s+(?:-\w+\s+)*)?(?:(?:sed\s+-i|tee\b|cat\s*>|(?:echo|printf)\b.*>"
        rf"|curl\b.*-o|wget\b.*-O|\w+\s(?:[^|]*\|){{1,4}}\s*(?:sudo\s+(?:-\w+\s+)*)?tee\b"
        rf"|(?:ba)?sh\s+-c\s+[\"'](?:cat|echo|printf)\b.*>).*{unit}"
        rf"|(?:cp|mv|install|ln|rsync)\s.*"
        rf"(?:{unit}(?:\.d/\S*)?|{name}\.service[\"']?\s+\S*systemd/system/?)"
        r"[\"']?\s*(?:$|[;&|#]))"
    )


def with_paths(
    texts: Iterable[tuple[int, list[str]]], engine: Engine
) -> list[tuple[int, list[str]]]:
    """Return scripts with the paths of an engine's unit where they use a variable that has one."""
    named = re.compile(
        r"^\s*(?:(?:readonly|local|export)\s+)?([A-Za-z_]\w*)="
        rf"[\"']?([\w/.-]*systemd/system/{re.escape(engine.name)}\.service[\w/.-]*)"
    )
    held: dict[str, str] = {}
    found: list[tuple[int, list[str]]] = []
    for first, lines in texts:
        held |= {path[1]: path[2] for line in lines if (path := named.match(line[:LONGEST]))}
        found.append((first, [_put_in(line, held) for line in lines] if held else lines))
    return found


def _put_in(line: str, held: Mapping[str, str]) -> str:
    if "$" not in line or len(line) > LONGEST:
        return line
    return _HELD.sub(lambda one: held.get(one[1] or one[2], one[0]), line)


_HELD: Final = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


def applying() -> re.Pattern[str]:
    """Return what a command has in it that starts a service anew, or ends it."""
    return re.compile(rf"{_MANAGES}(?:\S*restart|stop|kill)\b|\b(?:reboot|shutdown)\b")


def starting(engine: Engine) -> re.Pattern[str]:
    """Return what a command has in it that starts the service of an engine."""
    name = re.escape(engine.name)
    return re.compile(rf"{_MANAGES}(?:start\b|enable\s+--now\b)[^;&|\n]*\b{name}\b")


def started_in_vain(texts: Iterable[tuple[int, list[str]]], engine: Engine) -> int:
    """Return the line of a start behind a change of the unit; 0: there is none, or it applies.

    The installer leaves the service running, unless `…_NO_START` tells it not to: a start then
    does nothing, and a restart all.
    `texts` are scripts in the order in which they are run: the number of the first line, and lines.
    """
    installs = re.compile(engine.installer)
    changes, applies, starts = changing(engine), applying(), starting(engine)
    installed = changed = False
    vain = 0
    for first, lines in texts:
        silenced = any("NO_START=" in line for line in lines)
        for number, line in enumerate(lines, first):
            if line.lstrip().startswith("#") or len(line) > LONGEST:
                continue
            if installs.search(line):
                installed, changed = not silenced, False
            elif installed and changes.search(line):
                changed = True
            elif changed and applies.search(line):
                changed, vain = False, 0
            elif changed and starts.search(line):
                vain = vain or number
    return vain


def kept_out(texts: Iterable[tuple[int, list[str]]], port: int) -> int:
    """Return the line by which a script lets some alone reach a port; 0: nothing does, for sure.

    ufw and firewalld keep a port shut that nobody opens.
    """
    named = rf"(?<!\d){port}(?!\d)"
    some = re.compile(
        rf"\bufw\s.*\b(?:from\s+(?!any\b|0\.0\.0\.0)\S+.*{named}|(?:deny|reject)\s.*{named})"
        rf"|--add-rich-rule.*\bsource\s.*{named}"
        rf"|\biptables\s.*(?:--dport\s+{port}\s.*-j\s+(?:DROP|REJECT)|-s\s.*{named})"
    )
    everybody = re.compile(
        rf"\bufw\s+allow\s+(?:proto\s+tcp\s+)?(?:(?:from\s+any\s+)?to\s+any\s+port\s+)?{named}"
        rf"|--add-port=\S*{named}"
    )
    found = 0
    for first, lines in texts:
        for number, line in enumerate(lines, first):
            if str(port) not in line or line.lstrip().startswith("#") or len(line) > LONGEST:
                continue
            if everybody.search(line):
                return 0
            found = found or (number if some.search(line) else 0)
    return found


_RUNS: Final = re.compile(r"&(?![&>\d])(?<![&>]&)")
_GUARDS: Final = re.compile(
    r"\b(?:stop|disable|mask|p?kill|killall|fuser|pgrep|lsof|netstat|ss|nc|is-active|curl[^|\n]*11434)\b"
    r"|/api/|Darwin|launchctl|NO_START="
)
"""What stops the service, or asks whether there is one, in a line that is no comment."""
_OTHER_PORT: Final = re.compile(
    r"_HOST=(?![\"']?(?:https?://)?(?:0\.0\.0\.0|127\.0\.0\.1|localhost)?(?::11434)?[\"']?[\s;&])"
)
QUIET: Final = re.compile(
    r"\s*(?:$|#|@?echo\b|printf\b|log\b|[A-Za-z_]\w*=(?:[^\s$`(]|\$(?!\())*\s*(?:#.*)?$)"
)
"""A line that does nothing which takes time."""
AS: Final = r"@?(?:sudo\s+(?:-(?:[A-Zin]+|u\s*\S+)\s+){0,3})?"
"""What may stand before a command that somebody else runs."""


def asking(engine: Engine) -> re.Pattern[str]:
    """Return what a command begins with that has a server do something; its failure counts."""
    name = re.escape(engine.name)
    return re.compile(rf"\s*{AS}(?:\S*/)?{name}\s+(pull|run|create)\b(?!.*\|\|)")


def served_beside(
    texts: Iterable[tuple[int, list[str]]], engine: Engine, servers: Iterable[int]
) -> int:
    """Return the line of a server that a script starts though its installer has started one.

    0: there is none, or the script asks or stops first, or takes another port. `servers` are the
    lines of its servers; one that is indented may depend on a condition.
    """
    starts, installs = frozenset(servers), re.compile(engine.installer)
    installed = False
    for first, lines in texts:
        behind = -1
        for number, line in enumerate(lines, first):
            if line.lstrip().startswith("#") or len(line) > LONGEST:
                continue
            if _GUARDS.search(line) or _OTHER_PORT.search(f"{line} "):
                return 0
            if installs.search(line):
                installed, behind = True, number - first
            elif installed and number in starts:
                below = behind >= 0 and follows(lines, behind, number - first)
                if below or not line[:1].isspace():
                    return number
                behind = -1  # What has ended the block stands before all that comes.
    return 0


_BRINGS_UP: Final = re.compile(
    r"\b(?:start|restart|enable|install\.sh|brew|open|launchctl|docker|podman|compose|nohup|until"
    r"|sleep|while|wait\w*)\b|\b(?:list|ls|ps)\b[^|]*/dev/null|\w[ \t]*\([ \t]*\)|\bfunction\b"
)
"""What may have a server up before a script starts one, or has commands run in another order."""
_ALONE: Final = re.compile(r"(?:exec\s+)?(?:/[\w./-]*/)?[\w-]+\s+serve\s*$")
"""A server that takes the place of the script, or stays in front, whatever was decided before."""
_LEAVES: Final = re.compile(r"\b(?:exit|return|else|elif|case|esac|done)\b|;;")


def asked_before(
    texts: Iterable[tuple[int, list[str]]], engine: Engine, servers: Iterable[int]
) -> Iterable[tuple[int, str, int]]:
    """Yield the line and the verb that ask a server which the script only starts later, and where.

    Nothing before it starts one, or asks whether there is one.
    """
    asks = asking(engine)
    starts = frozenset(servers)
    for first, lines in texts:
        found: tuple[int, str] | None = None
        for number, line in enumerate(lines, first):
            if number in starts:
                if found and (_RUNS.search(line) or _ALONE.match(line)):
                    yield *found, number
                break
            if line.lstrip().startswith("#") or len(line) > LONGEST:
                continue
            code = _SPOKEN_LINE.sub("", line)
            if found is None and (_BRINGS_UP.search(code) or _GUARDS.search(code)):
                break
            if found and _LEAVES.search(code):
                break
            if found is None and (verb := asks.match(line)):
                found = number, verb[1]


_SPOKEN_LINE: Final = re.compile(r"^\s*(?:echo|printf)\b.*")

_NONE: Final = r"(\|\|\s*(?:true|:|exit\s+0))(?=\s*(?:$|[;&)}#\"']))"
_TO_ITS_END: Final = r"(?:[^|&;#\n]|>&|&>)"


def forgiven(
    texts: Iterable[tuple[int, list[str]]], engine: Engine
) -> Iterator[tuple[int, str, str]]:
    """Yield the lines that have the server fetch a model and go on without it, with how they do."""
    name = re.escape(engine.name)
    lets = re.compile(rf"\b{name}\s+(pull|create)\s{_TO_ITS_END}{{0,300}}{_NONE}")
    for first, lines in texts:
        for number, line in enumerate(lines, first):
            said = line.lstrip().startswith(("#", "echo", "printf")) or len(line) > LONGEST
            found = None if said or "||" not in line else lets.search(line)
            if found:
                yield number, f"{engine.name} {found[1]}", " ".join(found[2].split())


_TESTED: Final = re.compile(r"\$\?(?![\w}])")
_ASKED_FOR: Final = re.compile(r"^\s*(?:if|elif|until|while)\s")


def piped(texts: Iterable[tuple[int, list[str]]], engine: Engine) -> Iterator[tuple[int, str, str]]:
    """Yield the downloads in front of a pipe whose status somebody asks for, and what it is of.

    It is that of the last command of the pipe, unless the shell has `pipefail`; a shell that is
    handed nothing ends well.
    """
    name, installer = re.escape(engine.name), engine.installer
    fetched = re.compile(
        rf"(?:^|\s)((?:curl|wget)\b)[^|;#]{{0,300}}?{installer}[^|;&#]{{0,100}}"
        r"(\|\s*(?:sudo\s+(?:-\w+\s+)?)?(?:ba|da|z)?sh\b)([^\n;]*)"
        rf"|(?:^|\s)({name}\s+pull)\s[^|;#]{{1,200}}(?<!\|)(\|&?\s*tee\b)([^\n]*)"
    )
    texts = list(texts)
    if any("pipefail" in line for _, lines in texts for line in lines):
        return
    for first, lines in texts:
        for at, line in enumerate(lines):
            said = line.lstrip().startswith(("#", "echo", "printf")) or len(line) > LONGEST
            found = None if said or "|" not in line else fetched.search(line)
            if found is None or "PIPESTATUS" in "".join(lines[at : at + _NEXT]):
                continue
            rest = found[3] or found[6] or ""
            after = next((one for one in lines[at + 1 : at + _NEXT] if one.strip()), "")
            if _ASKED_FOR.match(line) or "||" in rest or _TESTED.search(after):
                yield first + at, found[1] or found[4], " ".join((found[2] or found[5]).split())


_NEXT: Final = 4  # lines

_MAKES: Final = re.compile(r"(?m)^[ \t]*(?:sudo[ \t]+)?mkdir[ \t]+([^\n;&|#]{1,300})")
_GIVES: Final = re.compile(
    r"(?m)^[^#\n]*\b(?:chown|chgrp|chmod|setfacl|mount|install|rsync|ln)\b[^\n]*"
)
_PLAIN: Final = re.compile(r"/[\w./@-]+")
_MOST: Final = 100  # directories


def directories_of_root(texts: Sequence[tuple[str, int, str]]) -> Iterator[Line]:
    """Yield the directories that scripts make for root, and that none of them gives to anybody.

    `texts` are the file of a script, its first line there, and the script. One that gives away
    something in a variable may mean any of them.
    """
    given = "\n".join(line for _, _, text in texts for line in _GIVES.findall(text))
    made = (
        (Place(file, first + text.count("\n", 0, found.start())), word.strip("\"'").rstrip("/"))
        for file, first, text in texts
        for found in islice(_MAKES.finditer(text), _MOST)
        for word in found[1].split()
    )
    for place, directory in made if "$" not in given else ():
        if _PLAIN.fullmatch(directory) and "/".join(directory.split("/")[:3]) not in given:
            yield Line(section=OF_ROOT, name=directory, value=directory, place=place)
