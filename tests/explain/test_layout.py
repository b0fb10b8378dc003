"""How a Page is laid out in a terminal."""

import pytest

from generator.cli import talk
from generator.explain.layout import laid_out
from generator.explain.lookup import explain, listed
from generator.explain.page import Page


@pytest.fixture(scope="module")
def pages() -> tuple[Page, ...]:
    """Every page, which says the same for each width."""
    return explain([entry.name for entry in listed()])


@pytest.mark.parametrize("columns", [50, 80, 120])
def test_prose_and_tables_keep_to_the_width(
    columns: int, pages: tuple[Page, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(talk, "width", lambda: columns)
    for one in pages:
        for line in laid_out(one, columns, talk.table):
            words_alone = [w for w in line.text.split("\n") if " " in w.strip()]
            if line.role != "sample" and columns > 50:
                longest = max(map(len, words_alone), default=0)
                assert longest <= columns, (one.name, line.text)


def test_labelled_paragraphs_stand_together() -> None:
    (page,) = explain(["num_thread"])
    lines = [line.text for line in laid_out(page, 80, talk.table)]
    status = next(n for n, line in enumerate(lines) if line.startswith("Status: "))
    assert lines[status - 1] == ""
    assert lines[status + 1] == "Takes: whole number"
