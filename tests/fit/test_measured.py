"""What was measured on a host corrects what is estimated for it."""

from dataclasses import replace

import pytest

from generator.fit.calibrate import calibrated
from generator.fit.host import Host
from generator.fit.measured import Measured, corrected, correction, machine_of
from generator.fit.speed import Rate, Speed
from generator.fit.verdict import ModelFit, judge, timed
from generator.host import Gpu
from tests.fit.shapes import GIB, ask, shape

XEON = Host(
    memory=32 * GIB, limit=32 * GIB, cpu="Intel Xeon E5-2670 v3", cores=12, acceleration="cpu"
)
SPEED = Speed(
    decode=Rate(low=8, likely=10, high=12),
    full=Rate(low=4, likely=5, high=6),
    prompt=Rate(low=80, likely=100, high=120),
)


def measured(name: str = "llama3.1:8b", decode: float = 5.0, **more: object) -> Measured:
    found = Measured(
        model=name, quantisation="Q4_K_M", digest="", release="0.32.15", machine=machine_of(XEON),
        date="2026-11-30", requests=20, slots=1, context=4096, cache_type="f16", depth=200,
        decode=decode, low=decode * 0.99, high=decode * 1.2, prompt=50.0, size=0, on_gpus=0, load=0,
    )  # fmt: skip
    return replace(found, **more)  # type: ignore[arg-type]


def judged(name: str, host: Host) -> ModelFit:
    return timed(judge(shape(name), ask(), host, search=False), ask(), host)


def of_llama(seen: Measured, speed: Speed = SPEED) -> tuple[Speed, bool]:
    llama, placement = shape("llama3.1:8b"), judged("llama3.1:8b", XEON).placement
    found, by = corrected(
        llama, placement, speed, [correction(llama, placement, speed, 4096, seen)]
    )
    assert by is not None
    assert by.estimate == speed
    return found, by.own


def test_a_model_that_was_measured_is_as_fast_as_it_was() -> None:
    """Half as fast as estimated, so also once the context is full; its bar is the measured one."""
    found, own = of_llama(measured(decode=5.0))
    assert own
    assert found.decode == Rate(low=4.75, likely=5, high=6)  # 1 % is made 5, a fifth stays
    assert found.full == Rate(low=2.38, likely=2.5, high=3)
    assert found.prompt == Rate(low=47.5, likely=50, high=60)


def test_with_more_in_the_cache_less_is_expected() -> None:
    """Between 512 tokens and 4096 the time for one grows from 100 ms to 200: at 2304 it is 150."""
    found, _ = of_llama(measured(decode=1 / 0.150, depth=2304))
    assert found.decode is not None
    assert found.decode.likely == 10


def test_where_nothing_is_estimated_what_was_measured_is_known() -> None:
    found, _ = of_llama(measured(decode=5.0), Speed(unknown="nobody knows"))
    assert found == Speed(
        decode=Rate(low=4.75, likely=5, high=6), prompt=Rate(low=47.5, likely=50, high=60)
    )


def test_others_that_are_placed_alike_keep_their_error_bar() -> None:
    """One model is half as fast as estimated, another twice: on the geometric mean as estimated."""
    plain = judged("qwen3:4b", XEON).speed
    half = measured(decode=_rate(judged("llama3.1:8b", XEON)) / 2)
    host, doubts = calibrated(XEON, [half], (), ask())
    fit = judged("qwen3:4b", host)
    assert (doubts, fit.corrected is not None and fit.corrected.own) == ([], False)
    assert fit.corrected is not None
    assert fit.corrected.estimate == plain
    assert plain is not None
    assert plain.decode is not None
    assert _rate(fit) == pytest.approx(plain.decode.likely / 2, rel=0.01)
    assert fit.speed is not None
    assert fit.speed.decode is not None
    bar = fit.speed.decode.high / fit.speed.decode.likely
    assert bar == pytest.approx(plain.decode.high / plain.decode.likely, rel=0.01)
    twice = measured("qwen3:8b", 2 * _rate(judged("qwen3:8b", XEON)))
    host, _ = calibrated(XEON, [half, twice], (), ask())
    assert _rate(judged("qwen3:4b", host)) == pytest.approx(plain.decode.likely, rel=0.01)


def _rate(fit: ModelFit) -> float:
    assert fit.speed is not None
    assert fit.speed.decode is not None
    return fit.speed.decode.likely


def test_another_machine_is_not_corrected() -> None:
    """As after `--set`: one card more, and nothing that was measured holds any more."""
    other = replace(XEON, devices=(Gpu(name="RTX 3090", memory=24 * GIB),))
    host, (doubt,) = calibrated(other, [measured()], (), ask())
    assert host.corrections == ()
    assert "12 cores, 32 GiB, RTX 3090 24 GiB" in doubt


@pytest.mark.parametrize(
    "seen", [measured("nobody/knows:1b"), measured(quantisation="Q3_K_XL"), measured("")]
)
def test_a_model_that_is_not_known_corrects_nothing(seen: Measured) -> None:
    host, doubts = calibrated(XEON, [seen], (), ask())
    assert (host.corrections, doubts) == ((), [])


def test_of_a_quantisation_that_the_server_does_not_tell_it_is_the_usual() -> None:
    host, _ = calibrated(XEON, [measured(quantisation="", decode=3.0)], (), ask())
    own = judged("llama3.1:8b", host)
    assert own.corrected is not None
    assert (own.corrected.own, _rate(own)) == (True, 3)


def test_another_quantisation_is_another_model() -> None:
    host, _ = calibrated(XEON, [measured(quantisation="Q8_0", decode=3.0)], (), ask())
    own, other = judged("llama3.1:8b:Q8_0", host), judged("llama3.1:8b", host)
    assert own.corrected is not None
    assert other.corrected is not None
    assert (own.corrected.own, other.corrected.own, _rate(own)) == (True, False, 3)
