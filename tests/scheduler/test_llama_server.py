"""What Ollama expects of llama-server from 0.30 on."""

import pytest

from generator.engines.ollama.scheduler.llama_server import batch_of, predicted
from tests.fit.shapes import GIB, mib, shape


def test_the_prediction_from_0_30_on_is_file_and_f16_cache() -> None:
    model = shape("llama3.1:8b")
    # 4685.3 + 7 + 128 KiB × 32768 = 4096
    assert mib(predicted(model, 32768)) == 8788


@pytest.mark.parametrize(
    ("tokens", "flash", "cuda", "free", "batch"),
    [
        (4096, True, False, (), 512),
        (4097, True, False, (), 1024),
        (32768, True, False, (), 1024),
        (32769, True, False, (), 2048),
        (32768, True, True, (24 * GIB,), 1024),
        # 10 of 16 GiB are above 60 %, and 2 GiB more are too many for 80 %.
        (65536, True, True, (16 * GIB,), 1024),
        (65536, True, True, (24 * GIB,), 2048),
        (65536, True, True, (11 * GIB,), 512),
        (65536, False, True, (24 * GIB,), 512),
        (65536, False, True, (8 * GIB,), 256),
        (4096, False, True, (8 * GIB,), 512),
    ],
)
def test_the_batch_from_0_30_on(
    tokens: int, flash: bool, cuda: bool, free: tuple[int, ...], batch: int
) -> None:
    found = batch_of(10 * GIB, tokens, free, flash=flash, cuda=cuda)
    assert found == batch
