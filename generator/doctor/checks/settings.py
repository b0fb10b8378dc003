"""Whether the server has the settings that somebody wrote for it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from generator.doctor.result import Says
from generator.verify.rows import NOTHING, written_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.doctor.result import Result
    from generator.doctor.symptoms import Symptoms
    from generator.verify.rows import Row

_KEEP: Final = "OLLAMA_KEEP_ALIVE"
_FOREVER: Final = 2**62  # nanoseconds beyond which nobody waits
_FAR: Final = 2200
_SLACK: Final = 90.0  # seconds between an answer and the question


def stale(s: Symptoms) -> Iterator[Result]:
    """Yield whether the manager has read its files, and the process has what the manager holds."""
    says = Says("settings arrived")
    held, process = s.seen.held, s.seen.process
    if held is None:
        yield says.unknown("no manager of the server was found")
        return
    if held.stale:
        said = f"files of {held.name} have changed, and {held.by} has not read them"
        yield says.fault(said, f"sudo systemctl daemon-reload && {s.restart}")
        return
    if process is None:
        yield says.unknown("the server does not run")
        return
    got = process.variables
    if got is None:
        yield says.unknown("nobody may read what the process got", "sudo gen doctor")
        return
    due = [n for n, v in held.variables.items() if s.running.default(n) is not None
           and got.get(n) != v]  # fmt: skip
    if due:
        said = f"the process was started without {', '.join(sorted(due))} as {held.by} holds it"
        yield says.fault(said, s.restart)
    else:
        yield says.ok(f"the process has what {held.by} holds")


def at_odds(s: Symptoms) -> Iterator[Result]:
    """Yield what is not as the profile says, or without one, what nobody reads."""
    says = Says("settings in effect")
    if s.comparison is None:
        yield from _unread(s, says)
        return
    rows = [r for r in s.comparison.rows if r.fails and not r.setting.startswith("model ")]
    by_hand = _by_hand(rows, s) if s.alone else ""
    for row in rows:
        mend = by_hand if by_hand and _is_variable(row, s) else _mend(row, s)
        yield says.fault(f"{row.setting}: {row.why}", mend)
    if not rows:
        yield says.ok("all that can be seen is as the profile says")


def _is_variable(row: Row, s: Symptoms) -> bool:
    return row.stray or row.setting in {each.name for each in s.service.environment}


def _by_hand(rows: Sequence[Row], s: Symptoms) -> str:
    """Return the command that starts a server of no manager with all that is at odds put right."""
    odd = [row for row in rows if _is_variable(row, s)]
    words = [word for row in odd if row.stray for word in ("-u", row.setting)]
    words += [f"{row.setting}={row.intended}" for row in odd if not row.stray]
    return s.again_with(words)


def _mend(row: Row, s: Symptoms) -> str:
    if s.alone:
        return f"{s.end}; gen {s.profile} -t systemd -o out && sudo out/systemd/apply.sh"
    if row.by:
        file, _, line = row.by.rpartition(":")
        at = f"sudo sed -i '{line}d' {file}" if line.isdigit() else f"sudo $EDITOR {row.by}"
        return f"{at} && sudo systemctl daemon-reload && {s.restart}"
    if row.held in {row.intended, NOTHING} and row.effective not in {row.intended, NOTHING}:
        return s.restart
    if s.boxed:
        return (
            f"gen {s.profile} -t compose -o out && docker compose -f out/compose/compose.yaml up -d"
        )
    return f"gen {s.profile} -t systemd -o out && sudo out/systemd/apply.sh"


def _unread(s: Symptoms, says: Says) -> Iterator[Result]:
    held = s.seen.held
    process = s.seen.process
    names = (held.variables if held else None) or (process.variables if process else None)
    if names is None:
        yield says.unknown("nobody tells the variables of the server")
        return
    dead = [(name, why) for name in sorted(names) if (why := s.running.unread(name))]
    for name, why in dead:
        line = s.seen.written.variable(name) if s.seen.written else None
        at = f"{written_at(line.place)}: " if line else ""
        yield says.warning(f"{at}{name} {why}", f"gen explain {name}")
    lost = [one for one in s.seen.written.overruled if not one.usual] if s.seen.written else []
    for one in lost:
        said = f"{one.name} of {written_at(one.place)} has no effect: {written_at(one.by)} wins"
        yield says.warning(said, f"sudo $EDITOR {one.by.file}")
    if not dead and not lost:
        yield says.ok("every variable is one that the release reads")


def keep_alive(s: Symptoms) -> Iterator[Result]:
    """Yield whether clients keep models for another time than the server is told to."""
    says = Says("keep-alive")
    loaded = s.seen.answers.loaded if s.seen.answers else ()
    if not loaded or s.now is None:
        yield says.unknown("no model is loaded")
        return
    told = s.variable(_KEEP) or ""
    meant = s.running.meaning(_KEEP, told)
    nanoseconds = int(meant) if meant.lstrip("-").isdigit() else 0
    others = [(one.name, text) for one in loaded if (text := _other(one.until, nanoseconds, s.now))]
    for name, text in others:
        said = f"a client keeps {name} {text}, and the server is told {told or 'nothing: 5m'}"
        yield says.warning(said, "# take `keep_alive` out of the client's requests")
    if not others:
        yield says.ok(f"models stay as long as the server is told: {told or '5m'}")


def _other(until: str, keep: int, now: float) -> str:
    """Return how long a model stays where that is not as it should be; empty: it is.

    A shorter time shows only where the server is told to keep it for ever: what is left of any
    other grows less by itself.
    """
    try:
        end = datetime.fromisoformat(until)
    except ValueError:
        return ""
    forever = end.year >= _FAR
    if keep >= _FOREVER:
        return "" if forever else f"until {end:%H:%M}"
    if forever:
        return "for ever"
    left = end.timestamp() - now
    return f"for {left / 60:.0f} min" if left > keep / 1e9 + _SLACK else ""
