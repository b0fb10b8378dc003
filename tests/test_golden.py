"""Whole output trees, for reading. A change of output shows here; the consumers prove it.

A static file, the same for every Plan, is left out: it can be read where it is written.
`make golden` rewrites them.
"""

import shutil
from pathlib import Path

import pytest

from generator.targets import TARGETS, all_files
from tests.plans import PROFILES, RELEASES, shipped

GOLDEN = Path(__file__).parent / "golden"
CASES = [
    *((name, name, "0.32.15", ()) for name in PROFILES),
    ("xeon-cpu-0.9", "xeon-cpu", "0.9", ()),
    ("dual-pascal-0.9", "dual-pascal", "0.9", ()),
    ("dgx-spark-0.24", "dgx-spark", "0.24", ()),
    ("dual-pascal-full-unit", "dual-pascal", "0.32.15", ("service.full_unit=true",)),
]


def rendered(case: tuple[str, str, str, tuple[str, ...]]) -> dict[str, str]:
    _, profile, version, overrides = case
    plan = shipped(profile, *overrides, version=version)
    return {
        f"{target}/{file.path}": file.text
        for target in TARGETS
        for file in all_files(target, plan)
        if not file.static
    }


def on_disk(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
def test_output_is_the_golden_tree(
    case: tuple[str, str, str, tuple[str, ...]], update_golden: bool
) -> None:
    folder = GOLDEN / case[0]
    files = rendered(case)
    if update_golden:
        shutil.rmtree(folder, ignore_errors=True)
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
    assert files == on_disk(folder)


def test_no_golden_tree_is_left_over(update_golden: bool) -> None:
    wanted = {case[0] for case in CASES}
    for folder in GOLDEN.iterdir():
        if folder.name not in wanted and update_golden:
            shutil.rmtree(folder)
    assert {folder.name for folder in GOLDEN.iterdir()} == wanted


def test_every_release_era_has_a_golden_tree() -> None:
    assert {case[2] for case in CASES} >= set(RELEASES)
