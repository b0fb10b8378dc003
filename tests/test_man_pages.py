"""man/: what `man` shows is what `--help` says, and it has nothing to complain about."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from generator.cli import COMMANDS
from generator.formats import roff
from tests.commands import run
from tools import man_pages

ROOT = Path(__file__).parent.parent
PAGES = man_pages.files()
man = pytest.mark.skipif(not shutil.which("groff"), reason="there is no groff")


def shown(page: str) -> str:
    done = subprocess.run(
        ["groff", "-man", "-K", "utf8", "-T", "utf8", "-ww", "-rHY=0", "-P-c"],
        input=page, capture_output=True, text=True, timeout=60, check=True,
        env={**os.environ, "MANWIDTH": "80"},
    )  # fmt: skip
    assert done.stderr == ""
    return re.sub(r".\x08", "", done.stdout)


def test_every_command_has_a_page_that_the_wheel_brings() -> None:
    forms = ("bench-compare", "bench-ab")
    assert {*PAGES} == {"man/gen.1", *(f"man/gen-{name}.1" for name in (*COMMANDS, *forms))}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    assert project["targets"]["wheel"]["shared-data"] == {"man": "share/man/man1"}


@man
def test_a_page_says_what_help_says() -> None:
    page = " ".join(shown(PAGES["man/gen-show.1"]).split())
    for word in ("gen show [OPTIONS] [PROFILE]", "-p, --profile PROFILE", "--legacy-env", "gen(1)"):
        assert word in page
    assert "EXAMPLES gen show xeon-cpu gen show xeon-cpu --ollama-version 0.9" in page
    assert "Refuse what the release does not take." in run("show", "--help").output
    assert "Refuse what the release does not take." in page
    whole = " ".join(shown(PAGES["man/gen.1"]).split())
    assert "EXIT STATUS 0 ok; 1 findings" in whole
    assert "GEN_OLLAMA_VERSION" in whole


@man
def test_what_a_command_becomes_by_its_words_has_a_page_of_its_own() -> None:
    compared = " ".join(shown(PAGES["man/gen-bench-compare.1"]).split())
    assert "gen bench compare [OPTIONS] BEFORE AFTER" in compared
    assert "--fail-on-regression SHARE" in compared
    in_turns = " ".join(shown(PAGES["man/gen-bench-ab.1"]).split())
    assert "gen bench --ab" in in_turns
    assert "--rounds" in in_turns
    assert "gen-bench-ab(1)" in shown(PAGES["man/gen-bench.1"])


@man
def test_all_pages_are_without_a_warning() -> None:
    assert shown("".join(PAGES.values()))


@man
def test_text_stays_text() -> None:
    hostile = ".so /etc/passwd\n'br\n\\fBbold\\*[x] -- \\\\ \\n(.x"
    lines = [*roff.head("x", "y"), *roff.section("z"), *roff.verbatim(hostile.split("\n"))]
    page = shown("\n".join(lines) + "\n")
    for line in hostile.split("\n"):
        assert line in page
