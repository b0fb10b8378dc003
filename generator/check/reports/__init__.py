"""A Report in the forms that programs read. Each module has `render(report) -> str`."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from generator.check.report import Report

FORMATS: Final = ("json", "sarif", "junit", "github")


def load_format(name: str) -> Callable[[Report], str]:
    """Return the function that renders a Report in one of FORMATS."""
    module = importlib.import_module(f"generator.check.reports.{name}")
    return cast("Callable[[Report], str]", module.render)
