"""What fits of context × slots, held against verdicts that are asked for one at a time."""

from dataclasses import replace

import pytest

from generator.fit import plane as module
from generator.fit.choose import pick
from generator.fit.host import Host
from generator.fit.plane import Plane, plane_of
from generator.fit.shape import Shape
from generator.fit.verdict import holds, judge
from generator.host import Gpu
from tests.facts import facts_at
from tests.fit.shapes import GIB, ask

HOST = Host(
    memory=64 * GIB, limit=60 * GIB, devices=(Gpu(name="a", memory=24 * GIB),), limit_name="memory"
)
ASKED = ask(context=8192, slots=4)


def shape(name: str) -> Shape:
    found = pick(name, facts_at())
    assert isinstance(found, Shape)
    return found


def plane(name: str, host: Host = HOST) -> Plane:
    return plane_of(judge(shape(name), ASKED, host), ASKED, host)


@pytest.mark.parametrize("name", ["llama3.1:8b", "qwen3:14b", "gemma3:12b", "gpt-oss:20b"])
def test_each_place_is_the_verdict_there(name: str) -> None:
    found = plane(name)
    assert ASKED.slots in found.slots
    assert ASKED.context in found.contexts
    for slots, row, edge in zip(found.slots, found.rows, found.edges, strict=True):
        for context, cell in zip(found.contexts, row, strict=True):
            asked = replace(ASKED, context=context, slots=slots)
            assert cell.word == judge(shape(name), asked, HOST, search=False).word
            assert (cell.load.context, cell.load.slots) == (context, slots)
        assert not edge or holds(shape(name), replace(ASKED, context=edge, slots=slots), HOST)
        assert all(
            context > edge or cell.word != "does not fit"
            for context, cell in zip(found.contexts, row, strict=True)
        )


def test_the_edge_is_the_last_block_that_fits() -> None:
    found = plane("llama3.1:8b")
    inside = [(s, e) for s, e in zip(found.slots, found.edges, strict=True) if e < 131072]
    assert len(inside) > 2
    for slots, edge in inside:
        further = replace(ASKED, context=edge + 256, slots=slots)
        assert not holds(shape("llama3.1:8b"), further, HOST)


def test_the_edge_where_it_was_asked_is_that_of_the_verdict() -> None:
    fit = judge(shape("llama3.1:8b"), ASKED, HOST)
    found = plane_of(fit, ASKED, HOST)
    assert found.edges[found.slots.index(4)] == fit.largest_context


def test_a_model_that_never_fits_has_no_edge() -> None:
    found = plane("llama3.1:70b")
    assert set(found.edges) == {0}
    assert {cell.word for row in found.rows for cell in row} == {"does not fit"}


@pytest.mark.parametrize("name", ["all-minilm:22m", "llama4:16x17b"])
def test_the_work_is_bounded(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    counts = dict.fromkeys(("judge", "holds"), 0)

    def counted(name: str) -> None:
        asked = getattr(module, name)

        def count(*args: object, **options: object) -> object:
            counts[name] += 1
            return asked(*args, **options)

        monkeypatch.setattr(module, name, count)

    fit = judge(shape(name), ASKED, HOST)
    counted("judge")
    counted("holds")
    found = plane_of(fit, ASKED, HOST)
    assert counts["judge"] == len(found.contexts) * len(found.slots) <= 9 * 7
    assert counts["holds"] <= 20 * len(found.slots)


def test_a_model_that_is_granted_one_slot() -> None:
    facts = facts_at()
    name = next(m.names[0] for m in facts.models if m.layers and facts.one_slot(m.names[0]))
    assert plane(name).slots == (1,)
