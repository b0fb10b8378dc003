"""`gen schema`: the committed schemas and reference pages."""

import pytest

from tests.commands import ROOT, run


@pytest.mark.parametrize(
    ("flags", "file"),
    [
        ((), "profiles/profile.schema.json"),
        (("--markdown",), "docs/reference/profile.md"),
        (("--fleet",), "profiles/fleet.schema.json"),
        (("--fleet", "--markdown"), "docs/reference/fleet.md"),
    ],
)
def test_schemas_and_reference_pages_are_the_committed_ones(
    flags: tuple[str, ...], file: str
) -> None:
    assert run("schema", *flags).stdout == (ROOT / file).read_text(encoding="utf-8")


@pytest.mark.parametrize(("flags", "count"), [((), 60), (("--fleet",), 30)])
def test_every_key_is_described(flags: tuple[str, ...], count: int) -> None:
    page = run("schema", "--markdown", *flags).stdout
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert len(rows) > count
    assert not [row for row in rows if row.endswith("|  |")]
