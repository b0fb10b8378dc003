"""The job that every target writes: run by real shells, with a program that acts as ollama's."""

import re
import subprocess
from pathlib import Path

import pytest

from generator.plan import PROGRAM, Job
from tests import plans

SHOWS = r"""#!/bin/sh
echo "$*" >>"$0.asked"
case $1 in
show) exit 0 ;;
ps) printf 'NAME CONTEXT\n%s 8192\n' "$2" ;;
run)
  printf '\033[?25l\033[1G-\033[K\033[?25h' >&2
  case $2 in broken) printf 'Error: 500 Internal Server Error: no room\n' >&2; exit 1 ;; esac
  [ -z "$3" ] || while echo word; do :; done
  ;;
esac
"""
CARD = {"name": "NVIDIA GB10", "memory": "119GiB", "compute_capability": "12.1"}


def job(**warmup: int) -> Job:
    models = [{"name": "a:1b", "preload": True}, {"name": "broken", "preload": True}]
    data = {"host": {"memory": "64GiB"}, "models": models, "warmup": warmup}
    return next(job for job in plans.plan(data).service.jobs if job.kind == "warmup")


@pytest.mark.parametrize("tokens", [0, 1])
@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_the_log_has_start_time_context_and_end(tmp_path: Path, shell: str, tokens: int) -> None:
    program = tmp_path / "ollama"
    program.write_text(SHOWS)
    program.chmod(0o755)
    (step,) = job(tokens=tokens).commands
    argv = [str(program) if word == PROGRAM else word for word in step.argv[1:]]
    done = subprocess.run([shell, *argv], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.sub(r"\d+ ms", "N ms", done.stdout).splitlines() == [
        "a:1b: loading",
        "a:1b: loaded, load_duration N ms",
        "NAME CONTEXT",
        "a:1b 8192",
        "broken: loading",
        "broken: cannot load: 500 Internal Server Error: no room",
    ]
    prompt = " ." if tokens else ""
    asked = (tmp_path / "ollama.asked").read_text().splitlines()
    assert [line for line in asked if line.startswith("run")] == [
        f"run a:1b{prompt}",
        f"run broken{prompt}",
    ]


@pytest.mark.parametrize(
    ("gpu", "tokens"),
    [
        (CARD, 1),
        (CARD | {"name": "Tesla P40", "memory": "24GiB", "compute_capability": "6.1"}, 0),
        (None, 0),
    ],
)
def test_a_token_where_the_driver_compiles(gpu: dict[str, str] | None, tokens: int) -> None:
    host = {"memory": "119GiB", **({"gpus": [gpu]} if gpu else {})}
    plan = plans.plan({"host": host, "models": [{"name": "a:1b", "preload": True}]})
    (warm,) = (job for job in plan.service.jobs if job.kind == "warmup")
    assert warm.tokens == tokens
    assert ("kernels" in warm.reason) == bool(tokens)
