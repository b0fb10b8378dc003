"""The scripts of a bundle, and what people do: help, files that they edit, addresses."""

from __future__ import annotations

import shlex
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.host import Host
from tests.test_apply import LARGE, LIMITS, SICK, in_place, installed, rewrite

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


@pytest.mark.parametrize("script", ["apply.sh", "remove.sh", "verify.sh"])
def test_help_is_no_error_and_changes_nothing(script: str, host: Host) -> None:
    host.apply(LARGE)
    before = host.everything
    for word in ("--help", "-h"):
        done = host.run("sh", host.bundle(LARGE) / script, word)
        assert (done.returncode, done.stderr) == (0, "")
        assert f"\n    usage: {script} [" in done.stdout
        assert "set -eu" not in done.stdout
    done = host.run("sh", host.bundle(LARGE) / script, "--nope")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"usage: {script} [")
    assert host.everything == before


# ── files that somebody has edited ────────────────────────────────────────────────────────────


def test_an_edit_is_kept_before_it_is_written_over(host: Host) -> None:
    host.apply(LARGE)
    rewrite(host.root / LIMITS, "MemoryMax=7G", "MemoryMax=9G")
    edited = host.files[LIMITS]
    before = host.everything
    done = host.run("sh", host.bundle(LARGE) / "apply.sh", "--dry-run")
    kept = f"{host.root / LIMITS}.edited-1"
    assert f"would keep {host.root / LIMITS}, which was edited, as {kept}" in done.stdout
    assert host.everything == before
    said = host.apply(LARGE)
    assert host.files == installed(host) | in_place(host, LARGE) | {f"{LIMITS}.edited-1": edited}
    # What it says puts it back.
    line = next(line for line in said.splitlines() if "was edited" in line)
    subprocess.run(shlex.split(line.partition("to put it back: ")[2]), check=True)
    assert host.files[LIMITS] == edited
    host.apply(LARGE)
    rewrite(host.root / LIMITS, "MemoryMax=7G", "MemoryMax=5G")
    host.apply({})
    assert {path.rpartition("-")[2] for path in host.files if ".edited-" in path} == {"1", "2"}


def test_what_nobody_has_edited_is_not_kept(host: Host) -> None:
    host.apply(LARGE)
    host.apply({**LARGE, "resources": {"memory_max": "9G"}})
    host.apply({})
    assert host.files == installed(host) | in_place(host, {})


def test_what_nobody_has_noted_may_be_edited(host: Host) -> None:
    host.apply(LARGE)
    (host.root / "etc/hostwright/written").unlink()
    more = {**LARGE, "resources": {"memory_max": "9G"}}
    assert "20-limits.conf may have been edited, which nobody has noted" in host.apply(more)
    assert [path for path in host.files if ".edited-" in path] == [f"{LIMITS}.edited-1"]


def test_an_edit_is_back_when_anything_fails(host: Host) -> None:
    host.apply(LARGE)
    rewrite(host.root / LIMITS, "MemoryMax=7G", "MemoryMax=9G")
    told = host.refuse(host.bundle({**SICK, "resources": {}}))
    assert "What was there before is back." in told


def test_an_edit_of_a_file_that_goes_is_kept(host: Host) -> None:
    host.apply(LARGE)
    (modelfile,) = (host.root / "etc/hostwright").glob("Modelfile.*")
    path = modelfile.relative_to(host.root).as_posix()
    rewrite(modelfile, "4096", "8192")
    host.apply({})
    kept = {f"{path}.edited-1": in_place(host, LARGE)[path].replace("4096", "8192")}
    assert host.files == installed(host) | in_place(host, {}) | kept
    host.remove({})
    assert host.files == installed(host) | kept


# ── remove.sh ─────────────────────────────────────────────────────────────────────────────────


def test_what_goes_and_what_comes_back_is_told_before(host: Host) -> None:
    mine = host.root / LIMITS
    mine.parent.mkdir(parents=True)
    mine.write_text("[Service]\nMemoryMax=1G\n", encoding="utf-8")
    host.apply(LARGE)
    job = host.root / "etc/systemd/system/ollama-pull.service"
    job.write_text(f"{job.read_text(encoding='utf-8')}# mine\n", encoding="utf-8")
    before = host.everything
    done = host.run("sh", host.bundle({}) / "remove.sh", "--dry-run")
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr, host.calls) == (0, "", [])
    assert host.everything == before
    assert f"would remove {mine}" in lines
    assert f"would put back {mine} as it was before" in lines
    assert f"would keep {job}, which was edited, as {job}.edited-1" in lines
    assert f"would disable and stop ollama-pull.service, and remove {job}" in lines
    ours = set(host.files) - set(installed(host)) - {f"{LIMITS}.before-hostwright"}
    assert all(any(f"remove {host.root / path}" in line for line in lines) for path in ours)
    said = host.run("sh", host.bundle({}) / "remove.sh").stdout
    assert f"removed {host.root / 'etc/systemd/system/ollama-warmup.service'}" in said
    assert f"put back {mine}" in said
    assert mine.read_text(encoding="utf-8") == "[Service]\nMemoryMax=1G\n"
    assert (job.parent / "ollama-pull.service.edited-1").is_file()


# ── where the server listens ──────────────────────────────────────────────────────────────────


def test_the_address_is_that_of_the_process(host: Host) -> None:
    (host.state / "pid").write_text("7\n", encoding="utf-8")
    proc = host.root / "proc/7"
    proc.mkdir(parents=True)
    others = ("NOTE=see\nOLLAMA_HOST=6.6.6.6:6", "B=x OLLAMA_HOST=7")
    pairs = "\0".join((others[0], "OLLAMA_HOST=0.0.0.0:1234", others[1], ""))
    (proc / "environ").write_text(pairs, encoding="utf-8")
    assert "The server answers at 0.0.0.0:1234." in host.apply(LARGE)
    assert {line.split()[0] for line in host.clients} == {"0.0.0.0:1234"}
