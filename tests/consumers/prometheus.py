"""What Prometheus, Alertmanager and their exporters say of rendered files, by their own tools."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from tests.tools import require

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def complaints(folder: Path) -> list[str]:
    """Return what the programs that read the folder `monitor` of a bundle do not take."""
    rules, tests = folder / "prometheus-rules.yml", folder / "prometheus-rules_test.yml"
    return [
        *_said("promtool", "check", "rules", rules),
        *_said("promtool", "check", "config", folder / "prometheus.yml"),
        *tested(tests),
        *_said("amtool", "check-config", folder / "alertmanager.yml"),
        *_said(
            "prometheus-blackbox-exporter",
            "--config.check",
            "--config.file",
            folder / "blackbox.yml",
        ),
    ]


def tested(tests: Path) -> list[str]:
    """Return which tests of rules fail."""
    return _said("promtool", "test", "rules", tests)


def told(folder: Path, *labels: str) -> str:
    """Return who is told of an alert with those labels."""
    file = folder / "alertmanager.yml"
    done = _run("amtool", "config", "routes", "test", "--config.file", file, *labels)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def unparsed(exprs: Iterable[str], folder: Path) -> list[str]:
    """Return what promtool says of expressions, each as the rule of a file of its own making."""
    from generator.formats.yaml import to_yaml

    rules = [{"record": f"x{at}", "expr": expr} for at, expr in enumerate(exprs)]
    file = folder / "exprs.yml"
    file.write_text(to_yaml({"groups": [{"name": "x", "rules": rules}]}), encoding="utf-8")
    return _said("promtool", "check", "rules", file)


def _said(tool: str, *words: str | Path) -> list[str]:
    done = _run(tool, *words)
    return [f"{tool}: {done.stdout}{done.stderr}"] if done.returncode else []


def _run(tool: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [require(tool), *map(str, words)], capture_output=True, text=True, check=False, timeout=60
    )
