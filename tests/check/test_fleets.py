"""A fleet file is judged as what it is."""

from pathlib import Path

import pytest

from generator.check.gather import CheckRequest, check

GOOD = 'schema_version = 1\n\n[hosts.a]\nprofile = "xeon-cpu"\n'
Told = list[tuple[int, str]]


def told(text: str, folder: Path, name: str = "fleet.toml") -> Told:
    (folder / name).write_text(text)
    report = check(CheckRequest(paths=[str(folder / name)]))
    assert {str(folder / name)} <= set(report.texts)
    return [(p.place.line, p.finding.rule) for p in report.findings if p.finding.severity != "info"]


@pytest.mark.parametrize("name", ["fleet.toml", "homes.toml"])
def test_a_fleet_that_is_right_has_nothing_wrong(name: str, tmp_path: Path) -> None:
    assert told(GOOD, tmp_path, name) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (GOOD + "[hosts.b]\nprofile = 1\n", [(6, "HW000")]),
        (GOOD + '[hosts.b]\nprofile = "gone"\n', [(6, "HW000")]),
        (GOOD + 'overrides.ollama.host = "0.0.0.0"\n', [(5, "HW401")]),
        (GOOD + "nonsense = 1\n", [(5, "HW000")]),
    ],
)
def test_what_is_wrong_has_its_line(text: str, expected: Told, tmp_path: Path) -> None:
    assert told(text, tmp_path) == expected


def test_a_module_that_the_flake_lacks_is_told(tmp_path: Path) -> None:
    text = GOOD + 'modules = ["a.nix"]\n'
    assert told(text, tmp_path) == []
    (tmp_path / "flake.nix").write_text("{}")
    assert [rule for _, rule in told(text, tmp_path)] == ["HW602"]


def test_a_directory_says_the_same(tmp_path: Path) -> None:
    (tmp_path / "fleet.toml").write_text(GOOD + 'overrides.ollama.host = "0.0.0.0"\n')
    report = check(CheckRequest(paths=[str(tmp_path)]))
    assert "HW401" in [placed.finding.rule for placed in report.findings]
