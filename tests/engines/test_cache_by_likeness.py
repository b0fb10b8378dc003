"""What an embedding and a Qdrant make of questions that differ in one word."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from tests.engines.programs import program

ROOT = Path(__file__).parents[2]


def test_a_threshold_that_hits_hits_wrongly() -> None:
    argv = [str(program("python3", "HOSTWRIGHT_EMBEDDER")), "-m", "benchmarks.semantic", "--json"]
    env = {"PATH": os.defpath, "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    rows = {row["threshold"]: row for row in json.loads(done.stdout)["rows"]}
    assert rows[0.92]["opposite"] > rows[0.92]["paraphrase"]
    assert all(row["opposite"] >= row["paraphrase"] for row in rows.values())
