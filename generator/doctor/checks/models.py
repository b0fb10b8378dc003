"""Whether the server can have its models: the way to them, the disk, and whether they are there."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from generator.doctor.result import Says
from generator.units import GIB, about
from generator.verify.rows import NOTHING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.doctor.result import Result
    from generator.doctor.symptoms import Step, Symptoms, User

_HOMES: Final = ("/home", "/root", "/run/user")
_SHUT: Final = frozenset({"yes", "true", "1", "tmpfs"})
_LITTLE: Final = 2 * GIB
_TENTH: Final = 0.05
_MODE: Final = 10
_TRIPLES: Final = (1, 4, 7)  # where a mode has the rights of owner, group and others


def reach(s: Symptoms) -> Iterator[Result]:
    """Yield whether the server's user may go down to the folder of models, and write there."""
    says = Says("models folder")
    if not s.folder or s.boxed:
        yield says.ok("it is the container's own") if s.boxed else says.unknown("nobody tells it")
        return
    if s.user is None or not s.way:
        yield says.unknown(
            f"nobody tells who the server is, or whose {s.folder} is", "sudo gen doctor"
        )
        return
    if s.user.id == 0:
        yield says.ok(f"{s.folder}: root may do anything there")
        return
    name, last = s.unit.get("User") or str(s.user.id), s.way[-1]
    shut = next((one for one in s.way if not _may(one, s.user, "x")), None)
    if shut is not None:
        yield _denied(says, shut, f"may not go through {shut.path}", f"chmod o+x {shut.path}")
    elif s.absent and not _may(last, s.user, "w"):
        make = f"install -d -o {name} {s.folder}"
        yield _denied(says, last, f"may not make {s.folder}, which is not there", make)
    elif last.path == s.folder and not _may(last, s.user, "w"):
        yield _denied(says, last, f"may not write to {s.folder}", f"chown -R {name}: {s.folder}")
    else:
        yield says.ok(f"user {s.user.id} may use {s.folder}")


def _denied(says: Says, step: Step, what: str, remedy: str) -> Result:
    if step.mode.endswith("+"):
        return says.unknown(f"an access list decides over {step.path}", f"getfacl {step.path}")
    shown = f"{step.mode} {step.owner} {step.group} {step.path}"
    return says.fault(f"the server's user {what}", f"sudo {remedy}", shown)


def _may(step: Step, user: User, right: str) -> bool:
    """Whether a user has a right to a folder, by its mode."""
    if len(step.mode) < _MODE:
        return True
    at = 0 if step.owner == user.id else 1 if step.group in user.groups else 2
    triple = step.mode[_TRIPLES[at] : _TRIPLES[at] + 3]
    return right in triple or (right == "x" and any(c in triple for c in "st"))


def protected(s: Symptoms) -> Iterator[Result]:
    """Yield whether the unit hides the folder of models from its own server."""
    says = Says("unit's protection")
    home, strict = s.unit.get("ProtectHome", ""), s.unit.get("ProtectSystem", "")
    if not s.unit or s.boxed:
        yield says.ok("no unit runs the server")
    elif home in _SHUT and _below(s.folder, _HOMES):
        said = f"ProtectHome={home} hides {s.folder} from the server"
        yield says.fault(said, f"sudo systemctl edit {s.service.unit}  # [Service] ProtectHome=no")
    elif strict == "strict" and s.folder and not _below(s.folder, _written(s)):
        said = f"ProtectSystem=strict lets the server only read {s.folder}"
        allow = f"ReadWritePaths={s.folder}"
        yield says.fault(said, f"sudo systemctl edit {s.service.unit}  # [Service] {allow}")
    else:
        yield says.ok("the unit lets the server have its models")


def _below(folder: str, places: tuple[str, ...]) -> bool:
    return any(PurePosixPath(folder).is_relative_to(place) for place in places)


def _written(s: Symptoms) -> tuple[str, ...]:
    """Return what a unit with strict protection may write to."""
    paths = s.unit.get("ReadWritePaths", "").split()
    states = s.unit.get("StateDirectory", "").split()
    bases = [f"/var/lib{inner}/{name}" for name in states for inner in ("", "/private")]
    return (*(path.lstrip("-+") for path in paths), *bases, "/dev", "/proc", "/sys")


def disk(s: Symptoms) -> Iterator[Result]:
    """Yield what kind of disk the models are read from."""
    says = Says("disk")
    found = s.machine.disk if s.machine else None
    if found is None or not found.kind:
        yield says.unknown(s.late or "nobody tells the kind of disk under the models")
    elif found.kind in {"hdd", "network"}:
        kind = "a spinning disk" if found.kind == "hdd" else f"the network ({found.file_system})"
        said = f"models come from {kind}: a cold load takes minutes"
        remedy = f"{s.set_variable('OLLAMA_KEEP_ALIVE=24h')}; gen fit --disk {found.kind}"
        yield says.warning(said, remedy)
    else:
        yield says.ok(f"{found.device or 'it'} is {found.kind}")


def space(s: Symptoms) -> Iterator[Result]:
    """Yield whether there is room for another model."""
    says = Says("room for models")
    if s.space is None or not s.space.total:
        yield says.unknown("nobody tells what is left where models are")
        return
    told = f"{about(s.space.free)} of {about(s.space.total)} are left below {s.folder}"
    see = f"df -h {s.folder}; ollama list; ollama rm MODEL"
    if s.space.free < _LITTLE // 8:
        yield says.fault(told, see)
    elif s.space.free < max(_LITTLE, 0) or s.space.free < _TENTH * s.space.total:
        yield says.warning(told, see)
    else:
        yield says.ok(told)


def there(s: Symptoms) -> Iterator[Result]:
    """Yield whether the models are on the server, the profile's where there is one."""
    says = Says("models")
    if s.seen.answers is None:
        yield says.unknown("the server answers nothing")
        return
    names = [one.name for one in s.seen.answers.installed]
    if s.comparison is not None:
        rows = [row for row in s.comparison.rows if row.setting.startswith("model ")]
        wrong = [row for row in rows if row.fails]
        for row in wrong:
            get = (
                f"ollama pull {row.intended}"
                if row.held == NOTHING
                else f"gen warmup {s.profile} --pull"
            )
            yield says.fault(f"{row.setting.partition(' ')[2]}: {row.why}", get)
        if rows and not wrong:
            yield says.ok(f"all {len(rows)} of the profile are there")
            return
        if wrong:
            return
    if names:
        yield says.ok(f"{len(names)} on disk: {', '.join(sorted(names)[:4])}")
    else:
        said = f"the server has no model in {s.folder or 'its folder'}"
        yield says.warning(said, "ollama pull llama3.2:3b; gen fit")
