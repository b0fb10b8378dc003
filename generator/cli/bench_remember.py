"""`gen bench --remember`: what was measured, kept beside the profile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.cli.options import Misuse
from generator.cli.streams import STDIO
from generator.cli.talk import say, visible

if TYPE_CHECKING:
    from generator.bench.measure import Load
    from generator.bench.measurement import Measurement
    from generator.bench.remembered import As
    from generator.fit.measured import Measured
    from generator.profiles.document import Document

WHERE = "--remember"


def can_be_kept(profile: str | None, load: Load) -> None:
    """Refuse to remember what has no place beside a profile, before anything is measured."""
    if profile in {None, STDIO}:
        message = f"{WHERE} keeps figures beside a profile, and none is named by its file"
        raise Misuse(message, "name one, like ./my-host.toml", where=WHERE)
    if profile is not None and "/" not in profile and not profile.endswith(".toml"):
        message = f"{WHERE} keeps figures beside a profile of yours, and `{profile}` is shipped"
        hint = f'make one of your own with extends = "{profile}"'
        raise Misuse(message, hint, where=WHERE)
    if 1 not in load.at_once:
        message = f"{WHERE} keeps what one request at a time gets, and no load is that"
        raise Misuse(message, "let --concurrency have 1", where=WHERE)


def keep(found: Measurement, profile: str, document: Document) -> None:
    """Write what was measured beside the profile, and say what it takes the place of.

    Raises HostwrightError where it was measured on another machine than the profile is about, and
    what reading and writing raise.
    """
    from pathlib import Path

    from generator.bench.remembered import measured, merged, remembered, remembered_beside, text_of
    from generator.errors import EnvironmentFailure
    from generator.files.rewrite import create

    path = Path(remembered_beside(profile))
    new = measured(found, _known(found, document))
    if new is None:
        message = "nothing to remember: no answer of the load of one has two tokens or more"
        raise EnvironmentFailure(message, hint="more --output-tokens?")
    every, was = merged(remembered(path), new)
    create(path, text_of(every).encode(), force=path.exists(), ours=True)
    said = f"; before: {_told(was)}" if was else ""
    say(visible(f"remembered in {path}: {new.model} {_told(new)}{said}"))


def _told(found: Measured) -> str:
    from generator.bench.words import number

    low, value, high = map(number, (found.low, found.decode, found.high))
    return f"{value} tokens/s ({low} to {high}) on {found.date}"


def _known(found: Measurement, document: Document) -> As:
    """Return what the profile says of how the server has loaded the model, and on what."""
    from datetime import UTC, datetime

    from generator.bench.remembered import As
    from generator.catalogue.catalogue import load_catalogue
    from generator.engines import load_engine
    from generator.errors import HostwrightError
    from generator.fit.host import host_of
    from generator.fit.measured import machine_of
    from generator.pipeline import plan_of
    from generator.readers.plan.view import loading_view
    from generator.verify.served import tagged

    plan = plan_of(document)
    view = loading_view(plan)
    host, seen = host_of(view), found.environment
    if seen.cores and host.cores and seen.cores != host.cores:
        message = f"not remembered: the server is on {seen.cores} cores, the profile's has "
        hint = "name the profile of the host that was measured"
        raise HostwrightError(f"{message}{host.cores}", hint=hint)
    asked = tagged(found.model)
    own = next((m for m in plan.service.models if tagged(m.served) == asked), None)
    ask = load_engine(view.engine).ask_of(view, load_catalogue().at(view.engine, view.release))
    name = own.name if own else found.model
    if own:
        ask = ask.tuned({p.name: p.value for p in own.parameters})
    return As(
        model=name,
        machine=machine_of(host),
        date=datetime.now(UTC).date().isoformat(),
        slots=ask.granted(name).slots,
        context=ask.context,
        cache_type=ask.cache_type,
    )
