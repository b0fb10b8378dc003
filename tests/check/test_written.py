"""Which file a fix is written to."""

from pathlib import Path

import pytest

from generator.check.mend import mended
from generator.check.written import at_one_name, without_kept
from generator.errors import Finding
from generator.view import Edit, LocatedFinding, Place

TEXT = "A=1\nB=2\n"


def finding(file: Path, line: int, old: str, new: str) -> LocatedFinding:
    place = Place(str(file), line)
    told = Finding(rule="HW101", severity="warning", message=old, where="")
    return LocatedFinding(told, place, (Edit(place, old, new),))


@pytest.mark.parametrize("first", ["a.env", "b.env"])
def test_edits_at_two_names_of_a_file_are_made_in_the_file(first: str, tmp_path: Path) -> None:
    file, link = tmp_path / "a.env", tmp_path / "b.env"
    file.write_text(TEXT)
    link.symlink_to("a.env")
    found = [finding(file, 1, "A=1", "A=3"), finding(link, 2, "B=2", "B=4")]
    found.sort(key=lambda placed: not placed.place.file.endswith(first))
    texts = {str(file): TEXT, str(link): TEXT}
    assert mended(at_one_name(found), texts) == {str(file): "A=3\nB=4\n"}


def test_a_file_with_two_names_keeps_both(tmp_path: Path) -> None:
    file, other = tmp_path / "a.env", tmp_path / "c.env"
    file.write_text(TEXT)
    other.write_text(TEXT)
    (tmp_path / "b.env").hardlink_to(file)
    kept, free = without_kept([finding(file, 1, "A=1", "A=3"), finding(other, 2, "B=2", "B=4")])
    assert kept.edits == ()
    assert kept.withheld == "a new file would take one of its 2 names (hard links)"
    assert (len(free.edits), free.withheld) == (1, "")
