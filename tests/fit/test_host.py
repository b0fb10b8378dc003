"""What a model may take of a host that bounds nothing."""

import pytest

from generator.fit.host import host_of
from generator.host import Gpu
from tests.fit.shapes import GIB
from tests.views import view


@pytest.mark.parametrize(
    ("memory", "limit"), [(2, 1), (3, 1.5), (4, 2), (5, 3), (16, 14), (64, 56)]
)
def test_the_system_keeps_some_and_more_is_never_less(memory: int, limit: float) -> None:
    host = host_of(view(host={"memory": memory * GIB}))
    assert host.limit == limit * GIB


def test_a_bound_is_taken_as_it_stands() -> None:
    seen = view({}, {"memory_max": 15 * GIB}, host={"memory": 16 * GIB})
    assert host_of(seen).limit == 15 * GIB


def test_what_others_hold_of_a_card_is_not_free() -> None:
    seen = view(host={"gpus": [Gpu(name="X", memory=8 * GIB, reserved=GIB)]})
    assert host_of(seen).free == [7 * GIB]
    assert host_of(seen).gpu_memory == 8 * GIB


def test_an_apple_gpu_computes_by_metal() -> None:
    apple = Gpu(name="Apple M1 Pro", memory=12 * GIB, vendor="apple")
    seen = view(host={"gpus": (apple,)}, acceleration="cpu")
    assert host_of(seen).devices == (apple,)
    plain = view(host={"gpus": (Gpu(name="X", memory=GIB),)}, acceleration="cpu")
    assert host_of(plain).devices == ()
