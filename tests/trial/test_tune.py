"""Searches on machines that there are not, against whoever tries everything."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from generator.bench.measure import Load
from generator.bench.measurement import Workload
from generator.trial.choice import choices
from generator.trial.knob import KNOBS, values
from generator.trial.search import SWEEP_ROUNDS, budget_of
from generator.trial.tune import Tuned, tune
from generator.trial.visit import Visits
from tests.live.machine import Machine
from tests.live.stub import Installed, Stub, serving

if TYPE_CHECKING:
    from generator.trial.knob import Vary
    from generator.trial.memory import Memory

SEEDS = range(5)
REQUESTS = 6


def tuned(machine: Machine, vary: Vary, every: list[int], memory: Memory | None = None) -> Tuned:
    knob = KNOBS[vary]
    workload = Workload(
        api="ollama", requests=REQUESTS, prompt_tokens=knob.prompt_tokens,
        output_tokens=knob.output_tokens, seed=1,
    )  # fmt: skip
    with serving(Stub([Installed("mine:1b", size=33 << 30)], machine=machine)) as stub:
        visits = Visits(stub.url, workload, Load(at_once=(1,)), seconds=60)
        chosen = choices(knob.option, [str(each) for each in every], "mine:1b")
        return tune(
            vary, knob, chosen, visits, key=knob.key, profile="", budget=budget_of(len(every)),
            memory=memory,
        )  # fmt: skip


def swept(machine: Machine, vary: Vary, every: list[int]) -> tuple[int, float]:
    """What trying everything finds, and the seconds that it takes: as many requests for each."""
    knob = KNOBS[vary]
    sums = dict.fromkeys(every, 0)
    for _ in range(SWEEP_ROUNDS):
        for value in every:
            machine.load({knob.option: value})
            machine.answer(knob.prompt_tokens, knob.output_tokens)
            for _ in range(REQUESTS):
                sums[value] += sum(machine.answer(knob.prompt_tokens, knob.output_tokens))
    return min(sums, key=lambda value: sums[value]), machine.clock


@pytest.mark.parametrize("vary", ["threads", "num_batch"])
def test_as_good_as_everything_in_a_third_of_the_time(vary: Vary) -> None:
    knob, every = KNOBS[vary], [*values(vary, cores=16)]
    good = []
    for seed in SEEDS:
        machine = Machine(seed)
        found = tuned(machine, vary, every)
        assert found.best is not None
        best, seconds = swept(Machine(seed), vary, every)
        took, least = (
            machine.seconds(knob.prompt_tokens, knob.output_tokens, {knob.option: value})
            for value in (found.best, best)
        )
        good.append(took <= 1.05 * least and machine.clock <= seconds / 3)
    assert sum(good) >= 4
