from __future__ import annotations

from typing import TYPE_CHECKING

import jinja2
import pytest

from generator.formats import template

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def templates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(template, "TEMPLATES", tmp_path)
    template._environment.cache_clear()
    yield tmp_path
    template._environment.cache_clear()


def test_values_stand_as_they_are_and_the_last_newline_stays(templates: Path) -> None:
    (templates / "a.jinja").write_text("<{{ a }}>\n")
    assert template.render_template("a.jinja", a="&'é") == "<&'é>\n"


def test_statement_lines_leave_no_trace(templates: Path) -> None:
    (templates / "a.jinja").write_text("{\n  {% for x in xs %}\n  {{ x }}\n  {% endfor %}\n}\n")
    assert template.render_template("a.jinja", xs=[1, 2]) == "{\n  1\n  2\n}\n"


def test_a_missing_name_is_an_error(templates: Path) -> None:
    (templates / "a.jinja").write_text("{{ a.b }}{{ missing }}")
    with pytest.raises(jinja2.UndefinedError, match="missing"):
        template.render_template("a.jinja", a={"b": 1})


def test_the_shipped_templates_have_a_place() -> None:
    assert template.TEMPLATES.parts[-2:] == ("generator", "templates")
