"""From an `override.conf` to a bundle that is managed, in three commands, on a host in a folder."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from generator.catalogue.catalogue import load_catalogue
from generator.check.machine import installed
from generator.readers.base import Context
from generator.readers.seen import views
from generator.readers.text import read_beside
from tests.commands import called
from tests.host import UNITS, Host

if TYPE_CHECKING:
    from pathlib import Path

    from generator.view import View

OVERRIDE = """[Service]
Environment="OLLAMA_HOST=127.0.0.1:11434"
Environment="OLLAMA_NUM_PARALLEL=4" "OLLAMA_KEEP_ALIVE=24h"
Environment=OLLAMA_NUM_THREADS=12
Environment=OLLAMA_LOG_LEVEL=debug
Environment=HTTPS_PROXY=http://proxy.lan:3128
MemoryMax=24G
CPUQuota=1300%
RestartSec=10
"""


def in_effect(host: Host) -> View:
    """Return the server of a host as `gen check` sees it."""
    found = installed(str(host.root))
    (server, *_) = views(found, Context(load_catalogue(), read=read_beside)).views
    return server


def test_three_commands_and_nothing_is_lost(tmp_path: Path) -> None:
    host = Host(tmp_path)
    override = host.root / UNITS / "ollama.service.d/override.conf"
    override.parent.mkdir()
    override.write_text(OVERRIDE, encoding="utf-8")
    before = in_effect(host)

    profile, out = tmp_path / "host.toml", tmp_path / "out"
    units = str(host.root / UNITS)
    done = called("import", units, "--cores", "16", "-o", str(profile))
    assert done.returncode == 0, done.stderr
    assert f"take {override} away" in done.stderr
    done = called(str(profile), "-t", "systemd", "-o", str(out))
    assert done.returncode == 0, done.stderr
    shutil.move(override, override.with_suffix(".conf.before"))
    applied = host.run("sh", out / "systemd/apply.sh")
    assert applied.returncode == 0, applied.stderr

    after = in_effect(host)
    was = {one.name: one.value for one in before.served}
    assert was.pop("OLLAMA_NUM_THREADS") == "12"
    assert was.pop("OLLAMA_LOG_LEVEL") == "debug"
    now = {one.name: one.value for one in after.served}
    assert now["LLAMA_ARG_THREADS"] == "12"
    assert {name: now.get(name) for name in was} == was
    limits = {one.name: one.value for one in after.bounds}
    # What nobody had bounded stays so.
    assert limits.pop("memory_swap_max") is None
    assert limits == {one.name: one.value for one in before.bounds}
    directives = {line.name: line.value for line in after.lines}
    assert directives["RestartSec"] == "10"


def test_what_is_rendered_again_is_judged_no_worse(tmp_path: Path) -> None:
    host = Host(tmp_path)
    override = host.root / UNITS / "ollama.service.d/override.conf"
    override.parent.mkdir()
    override.write_text(OVERRIDE, encoding="utf-8")
    profile, out = tmp_path / "host.toml", tmp_path / "out"
    called("import", str(override), "-o", str(profile))
    called(str(profile), "-t", "systemd", "-o", str(out))
    assert called("check", str(out)).returncode == 0
    assert called("check", str(override)).returncode == 1
