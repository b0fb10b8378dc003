"""docs/claims.md: each claim has its row, and each command shows what its row says."""

from __future__ import annotations

import datetime
import re
import shlex

import pytest

from tests.commands import called
from tools import claims_page

DATA = claims_page.read()
CLAIMS = claims_page.claims(DATA)
VERDICTS = {"true", "false", "partly", "no effect", "not measured"}
RUN = [claim for claim in CLAIMS if claim.command]


@pytest.mark.parametrize("seed", DATA["seed"], ids=lambda seed: seed["number"])
def test_every_claim_of_a_report_has_a_row(seed: dict[str, object]) -> None:
    own = [claim for claim in CLAIMS if claim.seed == seed["number"]]
    assert len(own) == seed["rows"]
    assert len({claim.line for claim in own}) == len(own)


def test_every_claim_belongs_to_a_report() -> None:
    assert {claim.seed for claim in CLAIMS} == {seed["number"] for seed in DATA["seed"]}


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: f"{claim.seed}:{claim.line}")
def test_a_row_is_complete(claim: claims_page.Claim) -> None:
    assert claim.verdict in VERDICTS
    assert re.fullmatch(r"\d+(-\d+)?(, \d+(-\d+)?)*", claim.line)
    assert all((claim.claim, claim.why, claim.source, claim.seen))
    assert claim.why.endswith(".")
    assert bool(claim.command) == bool(claim.shows)


def test_every_figure_is_of_a_row() -> None:
    assert {entry["figure"] for entry in DATA["claim"] if "figure" in entry} == {*DATA["figures"]}


def test_when_and_on_what_it_was_measured_is_said() -> None:
    measured = DATA["measured"]
    assert isinstance(measured["checked"], datetime.date)
    assert re.search(r"Ollama v\d", measured["source"])
    assert all(measured[key] for key in ("machine", "model", "method"))


def test_the_five_questions_have_a_row_each() -> None:
    assert sum(claim.claim.startswith("FAQ: ") for claim in CLAIMS) == 5


@pytest.mark.parametrize("claim", RUN, ids=lambda claim: f"{claim.seed}:{claim.line}")
def test_the_command_shows_what_the_row_says(claim: claims_page.Claim) -> None:
    program, *arguments = shlex.split(claim.command)
    assert program == "gen"
    done = called(*arguments, stdin=claim.stdin)
    told = " ".join(f"{done.stdout} {done.stderr}".split())
    assert done.returncode == claim.exit, told
    assert [text for text in claim.shows if text not in told] == [], told


def test_what_is_typed_is_a_line_of_shell() -> None:
    (claim,) = [each for each in CLAIMS if each.seed == "001" and each.line == "29"]
    assert claim.typed == (
        "printf '%s\\n' OLLAMA_FLASH_ATTENTION=0 OLLAMA_KV_CACHE_TYPE=q8_0"
        " | gen check - --stdin-name ollama.env"
    )
