"""Secrets by reference: what systemd hands to the server as files, and how that reaches it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.errors import Problem
from generator.plan import Credential, Setting, Step, shell
from generator.rules.registry import every_rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from generator.catalogue.facts import Facts
    from generator.catalogue.records import CredentialFact
    from generator.errors import Finding
    from generator.plan import Service
    from generator.profiles.schema import Profile

FOLDER: Final = "/run/credentials"
"""Where systemd has the credentials of a system service, in a folder with the name of its unit."""
# $1 is the file below the home, $2 the credential. A key that is there already is moved aside: the
# server may have made it, and somebody registered it. A link without its credential would stop a
# start, as the server can make no key through it, so that the link goes when the server stops.
LINK: Final = (
    'set -e; file=$HOME/$1; mkdir -p "${file%/*}"; '
    '[ ! -L "$file" ] || rm "$file"; '
    '[ ! -e "$file" ] || mv -n "$file" "$file.$(date +%s)"; '
    'ln -s "$CREDENTIALS_DIRECTORY/$2" "$file"'
)
UNLINK: Final = '[ ! -L "$HOME/$1" ] || rm "$HOME/$1"'
_LINK_SECONDS: Final = 10


def credentials_of(profile: Profile, facts: Facts) -> tuple[Credential, ...]:
    """Return the credentials that the server has a use for, in the order of the profile."""
    return tuple(
        credential(known, chosen.path, encrypted=chosen.encrypted)
        for name, chosen in profile.service.credentials.items()
        if (known := facts.credentials.get(name))
    )


def credential(known: CredentialFact, path: str, *, encrypted: bool = False) -> Credential:
    """Return a credential that is the file at `path`, and how the server gets at it."""
    return Credential(
        name=known.name,
        path=path,
        encrypted=encrypted,
        file=known.file,
        variable=known.variable,
        link=_shell(LINK, known.file, known.name) if known.file else None,
        unlink=_shell(UNLINK, known.file) if known.file else None,
        reason=known.effect,
        key=f"service.credentials.{known.name}",
    )


def _shell(script: str, *words: str) -> Step:
    return shell(script, *words, where="host", seconds=_LINK_SECONDS)


def variables(credentials: Iterable[Credential], unit: str) -> Iterator[Setting]:
    """Yield the variables that tell the server where systemd has its credentials."""
    for one in credentials:
        if one.variable:
            yield Setting(
                name=one.variable,
                value=f"{FOLDER}/{unit}/{one.name}",
                reason=one.reason,
                source="profile",
                group="environment",
                key=one.key,
                scope="host",
            )


def faults(profile: Profile, service: Service, facts: Facts) -> Iterator[Problem]:
    """Yield the credentials that nothing would read, and those that say what a variable says."""
    known = facts.credentials
    for name in profile.service.credentials:
        where = f"service.credentials.{name}"
        if name not in known:
            yield Problem(
                where,
                f"{service.product} reads no such file: of credentials it has a use for "
                f"{' and '.join(f'`{one}`' for one in known)}",
                "put a variable into a file, and name that in `service.environment_files`",
            )
        elif sum(setting.name == known[name].variable for setting in service.environment) > 1:
            yield Problem(where, f"`{name}` is set already by another key", "remove one of them")


def secret_rules() -> tuple[str, ...]:
    """Return the rules for the secrets that every output would have."""
    return tuple(rule.id for rule in every_rule().values() if rule.secret)


def written_out(found: Iterable[Finding], ignored: Iterable[str]) -> Iterator[Problem]:
    """Yield the secrets that every output would have, but for rules that the profile ignores."""
    silent = frozenset(ignored)
    for finding in found:
        if every_rule()[finding.rule].secret and finding.rule not in silent:
            yield Problem(finding.where, finding.message, finding.fix)
