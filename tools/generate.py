"""Write every file that is generated and committed; `--check` says which differ and writes none.

    python -m tools.generate [--check] [NAME...]

Tests compare what is committed with what GENERATED says, so that they never write.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Final

from generator.catalogue import build
from generator.catalogue.catalogue import load_catalogue
from generator.catalogue.records import Era
from generator.explain.rules import RuleProse
from generator.formats.data import to_json
from generator.formats.markdown import code, row
from generator.pipeline import decide
from generator.profiles.json_schema import FLEET, PROFILE, json_schema, reference
from generator.profiles.load import read_document
from generator.profiles.shipped import shipped_profiles
from generator.rules.registry import every_rule
from generator.targets import TARGETS, load_target
from generator.units import Release
from tools import (
    claims_page,
    limits_file,
    man_pages,
    names_file,
    options_page,
    output_schemas,
    pages,
    places_file,
    refusals_file,
    secrets_file,
    targets_page,
    terminal_picture,
    values_file,
    verify_file,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

ROOT: Final = Path(__file__).parent.parent
WITH_TARGETS: Final = ("README.md", "docs/targets.md")
TARGETS_BEGIN: Final = "<!-- targets, by `make golden` -->"
TABLE_END: Final = "<!-- end -->"
# The first whose `services.ollama` the modules can set.
FIRST_NIXOS: Final = "24.11"


@dataclass(frozen=True, slots=True)
class Generated:
    """Files by their path below the root. What else matches `left_over` is an old one of them."""

    files: Callable[[], Mapping[str, str]]
    left_over: str = ""


def _catalogue() -> Mapping[str, str]:
    files = build.files(build.build(build.read()))
    return {f"generator/catalogue/{name}": text for name, text in files.items()}


def _schemas() -> Mapping[str, str]:
    return {
        "profiles/profile.schema.json": to_json(json_schema(PROFILE)),
        "profiles/fleet.schema.json": to_json(json_schema(FLEET)),
        "docs/reference/profile.md": reference(PROFILE),
        "docs/reference/fleet.md": reference(FLEET),
    }


def _rules() -> Mapping[str, str]:
    prose = (_prose(rule) for rule in every_rule().values())
    lines = (json.dumps(rule, ensure_ascii=False, separators=(",", ":")) for rule in prose)
    return {"generator/explain/rules.json": "[\n" + ",\n".join(lines) + "\n]\n"}


def _prose(rule: object) -> dict[str, str]:
    """Return the prose of a rule, without what is empty."""
    prose = {field.name: getattr(rule, field.name, "") for field in fields(RuleProse)}
    return {name: text for name, text in prose.items() if text}


def _plans() -> Mapping[str, str]:
    """Each shipped profile for the newest release, and below `<release>/` for earlier ones."""
    target = load_target("plan")
    found: dict[str, str] = {}
    for name in (path.stem for path in shipped_profiles()):
        for version in (None, *earlier_releases()):
            plan = decide(read_document(name), version=version)
            folder = f"modules/plans/{version}" if version else "modules/plans"
            found[f"{folder}/{name}.json"] = target.render(plan)[0].text
    return found


def earlier_releases() -> tuple[str, ...]:
    """Return the releases before the newest that `modules/` have plans for.

    Those that NixOS has had, as far as they are of an earlier era, and those that are tried.
    """
    catalogue = load_catalogue()
    newest = catalogue.at("ollama").era.since
    channels = [item for name, item in catalogue.channels.items() if name >= FIRST_NIXOS]
    packaged = [item.release for item in channels if item.release and item.release < newest]
    tried = (release for era in catalogue.all("era", Era) for release in era.tried)
    return tuple(sorted({*tried, *map(str, packaged)}, key=Release.parse))


def _tables() -> Mapping[str, str]:
    """Put the table of targets between its marks."""
    rows = [row("target", "gives"), "|---|---|"]
    rows += [row(code(name), entry.gives) for name, entry in TARGETS.items()]
    table = "\n".join([TARGETS_BEGIN, *rows, TABLE_END])
    marked = re.compile(f"{re.escape(TARGETS_BEGIN)}.*?{re.escape(TABLE_END)}", re.DOTALL)
    texts = {path: (ROOT / path).read_text(encoding="utf-8") for path in WITH_TARGETS}
    return {path: marked.sub(lambda _: table, text) for path, text in texts.items()}


# Catalogue and rules come first: what follows is made with them.
GENERATED: Final[Mapping[str, Generated]] = {
    "catalogue": Generated(_catalogue, left_over="generator/catalogue/*.json"),
    "rules": Generated(_rules),
    "schemas": Generated(_schemas),
    "outputs": Generated(output_schemas.files, left_over="docs/schemas/*.json"),
    "pages": Generated(pages.files, left_over="docs/rules/*.md"),
    "targets": Generated(targets_page.files),
    "names": Generated(names_file.files),
    "values": Generated(values_file.files),
    "limits": Generated(limits_file.files),
    "places": Generated(places_file.files),
    "refusals": Generated(refusals_file.files),
    "secrets": Generated(secrets_file.files),
    "verify": Generated(verify_file.files),
    "manual": Generated(man_pages.files, left_over="man/*.1"),
    "plans": Generated(_plans, left_over="modules/plans/**/*.json"),
    "options": Generated(options_page.files),
    "claims": Generated(claims_page.files),
    "tables": Generated(_tables),
    "picture": Generated(terminal_picture.files),
}


def differing(name: str) -> Iterator[tuple[Path, str | None]]:
    """Yield each file of a kind that is not as it should be, with its text; None: no such file."""
    kind = GENERATED[name]
    files = kind.files()
    for path, text in files.items():
        file = ROOT / path
        if not file.is_file() or file.read_text(encoding="utf-8") != text:
            yield file, text
    for file in sorted(ROOT.glob(kind.left_over)) if kind.left_over else ():
        if str(file.relative_to(ROOT)) not in files:
            yield file, None


def _write(file: Path, text: str | None) -> None:
    if text is None:
        file.unlink()
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8", newline="")


def main(argv: Sequence[str] | None = None) -> int:
    """Write, or check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(GENERATED))
    parser.add_argument("--check", action="store_true", help="write nothing; 1: some differ")
    options = parser.parse_args(argv)
    if unknown := set(options.names) - {*GENERATED}:
        parser.error(f"no such NAME: {min(unknown)}; they are {', '.join(GENERATED)}")
    found = 0
    for name in options.names or GENERATED:
        for file, text in differing(name):
            found += 1
            sys.stdout.write(
                f"{'differs' if options.check else 'written'}: {file.relative_to(ROOT)}\n"
            )
            if not options.check:
                _write(file, text)
    return int(bool(found) and options.check)


if __name__ == "__main__":
    sys.exit(main())
