"""A name that is used elsewhere is not taken away; setting it again is no use of it."""

import subprocess
from pathlib import Path

import pytest

from generator.check.gather import CheckRequest, check
from generator.check.mend import mended
from generator.check.names import without_used
from generator.errors import Finding
from generator.view import Edit, LocatedFinding, Place
from tests.tools import require

COMPOSE = """\
services:
  ollama:
    image: ollama/ollama:0.32.15
    restart: unless-stopped
    volumes: ["ollama:/root/.ollama"]
    environment:
      OLLAMA_KEEPALIVE: 1h
      OLLAMA_DEBUG: 1
volumes: { ollama: }
"""
POD = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: c}
data:
  OLLAMA_KEEPALIVE: "1h"
  OLLAMA_NUM_PARALLEL: "1"
---
apiVersion: v1
kind: Pod
metadata: {name: o}
spec:
  containers:
  - name: o
    image: ollama/ollama:0.32.15
    envFrom: [{configMapRef: {name: c}}]
"""
BESIDE = """\
  - name: s
    image: busybox:1.37
    env:
    - name: K
      valueFrom: {configMapKeyRef: {name: c, key: OLLAMA_KEEPALIVE}}
"""
SET, SERVE = "export OLLAMA_KEEPALIVE=1h\n", "exec ollama serve\n"
NIX = """\
let vars = { OLLAMA_KEEPALIVE = "1h"; }; in {
  services.ollama = { enable = true; environmentVariables = vars; };
  environment.etc."k".text = vars.OLLAMA_KEEPALIVE;
}
"""
FLOW = """\
on: push
env:
  OLLAMA_KEEPALIVE: 1h
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
    - run: |
        ollama serve &
        echo ${{ env.OLLAMA_KEEPALIVE }}
"""
USED = {
    "run.sh": [
        ({"run.sh": f'{SET}echo "$OLLAMA_KEEPALIVE"\n{SERVE}'}, 2),
        ({"run.sh": f"{SET}cat <<EOF\nkeep ${{OLLAMA_KEEPALIVE:-1h}}\nEOF\n{SERVE}"}, 3),
        ({"run.sh": f"OLLAMA_KEEPALIVE=1h\nexport OLLAMA_KEEPALIVE\n{SERVE}"}, 2),
        ({"run.sh": f"{SET}echo $((OLLAMA_KEEPALIVE - 1))\n{SERVE}"}, 2),
        ({"run.sh": f'{SET}[ "$OLLAMA_KEEPALIVE" = 1h ]\n{SERVE}'}, 2),
    ],
    "lib.sh": [
        ({"run.sh": f"{SET}. ./lib.sh\n{SERVE}", "lib.sh": "K=${OLLAMA_KEEPALIVE}\n"}, 1),
    ],
    "Makefile": [
        (
            {"Makefile": f"{SET}s:\n\techo $(OLLAMA_KEEPALIVE)\n\t{SERVE}"},
            3,
        ),
    ],
    "README.md": [
        ({"README.md": f"```sh\n{SET}echo $OLLAMA_KEEPALIVE\n{SERVE}```\n"}, 3),
    ],
    "default.nix": [({"default.nix": NIX}, 3)],
    "k.yaml": [({"k.yaml": POD + BESIDE}, 20)],
    ".github/workflows/c.yml": [({".github/workflows/c.yml": FLOW}, 10)],
}
CASES = [(files, f"{file}:{line}") for file, each in USED.items() for files, line in each]


def after(folder: Path, files: dict[str, str], *names: str) -> tuple[dict[str, str], set[str]]:
    """Return the files of a folder that fixes change, as they are then, and why others are not."""
    if any(name.endswith(".nix") for name in files):
        require("nix-instantiate")
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    paths = [str(folder / name) for name in names] or [str(folder)]
    report = check(CheckRequest(paths=paths), fixing=True)
    found = [placed for placed in report.found if "KEEPALIVE" in placed.finding.message]
    assert found
    new = mended(report.found, report.texts)
    told = {placed.withheld.replace(f"{folder}/", "") for placed in found}
    return {file.removeprefix(f"{folder}/"): text for file, text in new.items()}, told - {""}


@pytest.mark.parametrize(
    ("files", "where"), CASES, ids=[f"{n} {c[1]}" for n, c in enumerate(CASES)]
)
def test_a_name_that_is_used_stays(files: dict[str, str], where: str, tmp_path: Path) -> None:
    assert after(tmp_path, files) == ({}, {f"`OLLAMA_KEEPALIVE` is still used in {where}"})


def test_a_file_that_nobody_named_uses_it(tmp_path: Path) -> None:
    files = {"run.sh": f"{SET}. ./lib.sh\n{SERVE}", "lib.sh": "K=${OLLAMA_KEEPALIVE}\n"}
    told = {"`OLLAMA_KEEPALIVE` is still used in lib.sh:1"}
    assert after(tmp_path, files, "run.sh") == ({}, told)


def test_the_script_still_runs(tmp_path: Path) -> None:
    text = f'set -eu\n{SET}test -n "$OLLAMA_KEEPALIVE"\nexit 0\n{SERVE}'
    new, told = after(tmp_path, {"a.sh": text})
    (tmp_path / "a.sh").write_text(new.get("a.sh", text), encoding="utf-8")
    assert told
    assert subprocess.run(["/bin/sh", str(tmp_path / "a.sh")], check=False).returncode == 0


SETS = {
    "a/compose.yaml": COMPOSE,
    "b/compose.yaml": COMPOSE.replace("OLLAMA_KEEPALIVE: 1h", '"OLLAMA_KEEPALIVE": 1h'),
    "c/run.sh": f"# OLLAMA_KEEPALIVE was it\n{SET}{SERVE}",
    "d/ollama.service.d/a.conf": "[Service]\nEnvironment=OLLAMA_KEEPALIVE=1h\n",
    "e/Dockerfile": "FROM ollama/ollama:0.32.15\nENV OLLAMA_KEEPALIVE 1h\n",
    "f/README.md": f"Set `$OLLAMA_KEEPALIVE`.\n\n```sh\n{SET}{SERVE}```\n",
    "g/k.yaml": POD,
}


def test_files_that_only_set_it_are_all_mended(tmp_path: Path) -> None:
    new, told = after(tmp_path, SETS)
    assert new.keys() == SETS.keys()
    assert told == set()


@pytest.mark.parametrize(
    ("line", "used"),
    [
        ("- A_B=1", False),
        ("A_B: 1", False),
        ("A_B:", False),
        ('"A_B":1,', False),
        ('os.environ["A_B"] = "1"', False),
        ('{"name": "A_B", "value": "1"}', False),
        ("- name: A_B", False),
        ("<key>A_B</key>", False),
        ("launchctl setenv A_B 1", False),
        ('$env:A_B = "1"', False),
        ("A_B ?= 1", False),
        ("x: 1 # A_B is old", False),
        ("// A_B is old", False),
        ("MA_B: $A_BC", False),
        ('echo "x # $A_B"', True),
        ("- A_B", True),
        ("key: A_B", True),
        ("PassEnvironment=A_B", True),
        ("unset A_B", True),
        ("${A_B:=1}", True),
        ("$(A_B)", True),
        ("{{ A_B }}", True),
        ("{{.A_B}}", True),
        ("%A_B%", True),
        ("$env:A_B", True),
        ('if os.environ["A_B"] == "1":', True),
        ('os.getenv("A_B")', True),
        ("inherit (vars) A_B;", True),
    ],
)
def test_what_uses_a_name(line: str, *, used: bool) -> None:
    finding = Finding(rule="HW101", severity="warning", message="m", where="A_B", fix="f")
    edits = (Edit(Place("a", 1), "A_B", ""),)
    placed = LocatedFinding(finding, Place("a", 1), edits)
    (left,) = without_used([placed], {"a": "A_B=1", "b": line}, {"A_B"})
    assert left.withheld == ("`A_B` is still used in b:1" if used else "")
    assert bool(left.edits) is not used
