"""Profiles in a check: what `resolve` and the rules say, at the lines that it is about."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from generator.check.locate import line_of
from generator.check.report import UNREADABLE
from generator.errors import Finding, HostwrightError, ProfileError
from generator.pipeline import plan_of
from generator.profiles.load import read_document, shipped_profiles
from generator.targets import load_target
from generator.view import Place, Placed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.errors import Problem
    from generator.profiles.document import Document


def check_profile(
    name: str, *, version: str | None = None, targets: Sequence[str] = ()
) -> tuple[tuple[Placed, ...], dict[str, str]]:
    """Return what there is to say of a profile, and the texts of the files that make it up.

    A profile that has Problems gives each as an error under the rule id UNREADABLE. With
    `targets`, what those cannot express is said, too. Raises EnvironmentFailure for a file that
    cannot be read, HostwrightError for one that is not there.
    """
    try:
        document = read_document(name)
    except ProfileError as error:
        return tuple(_broken(error, problem, None) for problem in error.problems), {}
    texts = _texts(document)
    try:
        plan = plan_of(name, version=version)
    except ProfileError as error:
        return tuple(_broken(error, problem, document) for problem in error.problems), texts
    silenced = _silenced(document)
    limits = (
        dataclasses.replace(finding, ignored=silenced.get(finding.rule, ""))
        for target in targets
        for finding in load_target(target).limitations(plan)
    )
    found = (_placed(finding, document, texts) for finding in (*plan.findings, *limits))
    return tuple(found), texts


def _silenced(document: Document) -> dict[str, str]:
    """Return the rules that the profile silences, with its reasons; it is known to be valid."""
    return {
        entry["rule"]: entry["reason"] for entry in document.data.get("check", {}).get("ignore", ())
    }


def _texts(document: Document) -> dict[str, str]:
    """Return the text of each file that a value of the profile comes from."""
    shipped = {f"profiles/{path.name}": path for path in shipped_profiles()}
    names = dict.fromkeys((document.source, *document.origins.values()))
    paths = {name: shipped.get(name, Path(name)) for name in names}
    return {name: path.read_text(encoding="utf-8") for name, path in paths.items()}


def _placed(finding: Finding, document: Document, texts: dict[str, str]) -> Placed:
    file = document.origin(finding.where.split("."))
    return Placed(finding, Place(file, line_of(texts.get(file, ""), finding.where), finding.where))


def _broken(error: ProfileError, problem: Problem, document: Document | None) -> Placed:
    finding = Finding(
        rule=UNREADABLE,
        severity="error",
        message=problem.message,
        where=problem.where,
        fix=problem.hint,
    )
    file = problem.source or error.source
    text = _texts(document).get(file, "") if document else ""
    return Placed(finding, Place(file, line_of(text, problem.where), problem.where))


def unreadable(error: HostwrightError, file: str) -> Placed:
    """Return an error as a Finding about the file as a whole."""
    finding = Finding(
        rule=UNREADABLE, severity="error", message=error.message, where="", fix=error.hint
    )
    return Placed(finding, Place(file))
