"""`gen tune` with a real Ollama, against whoever tries everything: as good, in a third of it."""

from __future__ import annotations

import time
from math import exp
from typing import TYPE_CHECKING

import pytest

from generator.bench.measure import Load
from generator.bench.measurement import Workload
from generator.trial.choice import choices
from generator.trial.knob import KNOBS
from generator.trial.paired import fitted
from generator.trial.search import SWEEP_ROUNDS, budget_of
from generator.trial.tune import tune, worth
from generator.trial.visit import Visits
from tests.engines.programs import ASKS_OLLAMA, ollama
from tests.engines.tiny import WIDE, write

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from generator.trial.choice import Choice
    from generator.trial.paired import Value

    Round = Mapping[int, Value]

pytestmark = ASKS_OLLAMA
RUNS, GOOD = 5, 4
BATCHES = ("8", "16", "32", "64", "128", "256", "512")
NEAR = 1.05
GIVEN = {"LLAMA_ARG_THREADS": "1", "OLLAMA_NO_CLOUD": "1"}
MODELFILE = "PARAMETER num_ctx 1024\nPARAMETER num_thread 1\nPARAMETER top_k 10\n"
# Some 260 tokens in, which the smallest reads in 33 parts.
WORK = Workload(api="ollama", requests=40, prompt_tokens=256, output_tokens=4, seed=1)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("ollama")
    write(home / "tiny.gguf", WIDE)
    (home / "Modelfile").write_text(f"FROM {home}/tiny.gguf\n{MODELFILE}")
    with ollama(home, GIVEN) as server:
        made = server.run("create", "tiny", "-f", str(home / "Modelfile"))
        assert made.returncode == 0, made.stderr
        yield f"http://{server.address}"


def visits(url: str) -> Visits:
    return Visits(url, WORK, Load(at_once=(1,)), seconds=600)


def tuned(url: str, some: tuple[Choice, ...]) -> tuple[int, float]:
    """Return the value that is chosen, and the seconds that it took."""
    knob, began = KNOBS["num_batch"], time.monotonic()
    found = tune(
        "num_batch", knob, some, visits(url), key=knob.key, profile="", budget=budget_of(len(some))
    )
    assert found.best is not None
    return found.best, time.monotonic() - began


def swept(url: str, some: tuple[Choice, ...]) -> tuple[list[Round], float]:
    """Return what trying everything measures, a round after the other, and its seconds."""
    asking, began, rounds = visits(url), time.monotonic(), list[dict[int, "Value"]]()
    for number in range(SWEEP_ROUNDS):
        found = {int(one.label): worth(asking.visit(one, number, one.label)) for one in some}
        rounds.append({value: seen for value, seen in found.items() if seen})
    return [*rounds], time.monotonic() - began


def told(run: int, best: int, least: int, slower: float, part: float) -> str:
    return f"run {run}: {best}, of all {least}; {slower - 1:+.1%}, in {part:.2f} of the time"


def test_as_good_as_everything_in_a_third_of_the_time(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is slower by how much is told by all visits of the sweeps together."""
    some = choices("num_batch", BATCHES, "tiny")
    runs = [(tuned(url, some), swept(url, some)) for _ in range(RUNS)]
    whole = fitted([each for _, (rounds, _) in runs for each in rounds]).values
    good, lines = 0, []
    for run, ((best, seconds), (rounds, all_seconds)) in enumerate(runs, 1):
        alone = fitted(rounds).values
        least = min(alone, key=lambda value: alone[value])
        slower, part = exp(whole[best] - whole[least]), seconds / all_seconds
        good += slower <= NEAR and 3 * part <= 1
        lines.append(told(run, best, least, slower, part))
    with capsys.disabled():
        print("", *lines, sep="\n")  # noqa: T201 -- figures for whoever runs it
    assert good >= GOOD, lines
