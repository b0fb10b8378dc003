"""The page of a Comparison: every setting, what is at odds, and text as text."""

from dataclasses import replace

from generator.engines.base import ServedModel
from generator.verify.compare import compare
from generator.verify.observed import Answers
from generator.verify.page import as_page
from tests.check.test_page import read
from tests.plans import shipped
from tests.verify.seen import process, running, seen, service


def test_a_page() -> None:
    one = service(models=())
    evil = ServedModel(name="<script>x</script>\x1b[2J", size=3 * 2**30, modified="2026-01-02T")
    told = Answers(release="0.32.15", installed=(evil,), loaded=())
    busy = replace(process(one, OLLAMA_NUM_PARALLEL="1"), throttled=(4, 5))
    found = seen(one, answers=told, process=busy, gaps=(("docker", "no daemon"),))
    page = read(as_page(shipped("xeon-cpu"), compare(one, found, running()), found))
    assert "script" not in page.tags
    for text in ("OLLAMA_NUM_PARALLEL", "drift", "was started with `1`", "3 GiB", "ollama rm",
                 "in 4 of 5 periods", "no daemon", "process 1"):  # fmt: skip
        assert text in page.text
    assert "\x1b" not in page.text
