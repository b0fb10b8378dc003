"""HW641: parameters of Modelfiles."""

from pathlib import Path

import pytest

from generator.check.gather import CheckRequest, check
from tests.texts import sides, told

FROM = "FROM qwen3:8b\n"
# rule: (caught, left alone)
CASES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "HW641": (
        (
            "PARAMETER max_tokens 100\n",
            "parameter num_gpus 1\n",
            "PARAMETER num_ctx 8192 # big\n",
            "PARAMETER num_ctx 8k\n",
            "PARAMETER temperature high\n",
            "PARAMETER use_mmap yes\n",
            "PARAMETER mirostat 1\n",
            "PARAMETER tfs_z 1\n",
        ),
        (
            "PARAMETER num_ctx 8192\nPARAMETER temperature 0.7\nPARAMETER use_mmap false\n",
            'PARAMETER stop "<|im_end|>"\nPARAMETER stop "User:"\n',
            'SYSTEM """You are it.\nPARAMETER max_tokens 100\n"""\n',
            'SYSTEM "You are\nPARAMETER max_tokens 100\nit."\n',
            "# PARAMETER max_tokens 100\n",
            "MESSAGE user max_tokens 100\n",
            "PARAMETER num_ctx ${CTX}\n",
        ),
    ),
}


def test_what_is_gone_is_not_put_forward(tmp_path: Path) -> None:
    (tmp_path / "Modelfile").write_text(f"{FROM}PARAMETER num_gqa 8\nPARAMETER num_gq 8\n")
    report = check(CheckRequest(paths=[str(tmp_path)]))
    fixes = [placed.finding.fix for placed in report.findings]
    assert fixes == ["leave it out", "did you mean `num_gpu`?"]


@pytest.mark.parametrize(("rule", "text", "caught"), sides(CASES))
def test_parameters_are_those_of_the_release(
    rule: str, text: str, caught: bool, tmp_path: Path
) -> None:
    assert told(tmp_path, {"Modelfile": FROM + text}) == ({rule} if caught else set())
