"""Files in a directory: written, compared, shown and kept."""

import os
from pathlib import Path

import pytest

from tests.commands import called, run


def test_a_file_that_differs_is_shown_and_kept(out: Path) -> None:
    run("--profile", "xeon-cpu", "-o", str(out))
    result = called("--profile", "xeon-cpu", "-o", str(out), "--set", "threads.count=8")
    assert result.returncode == 2
    assert '-      LLAMA_ARG_THREADS = mkDefault "20";' in result.stderr
    assert "--force" in result.stderr
    assert '"20"' in (out / "nixos/xeon-cpu.nix").read_text()
    forced = run("--profile", "xeon-cpu", "-o", str(out), "--set", "threads.count=8", "--force")
    assert forced.exit_code == 0
    assert 'LLAMA_ARG_THREADS = mkDefault "8"' in (out / "nixos/xeon-cpu.nix").read_text()


def test_a_foreign_file_is_not_overwritten(out: Path) -> None:
    (out / "nixos").mkdir(parents=True)
    (out / "nixos/xeon-cpu.nix").write_text("mine\n")
    assert called("--profile", "xeon-cpu", "-o", str(out)).returncode == 2
    assert (out / "nixos/xeon-cpu.nix").read_text() == "mine\n"
    assert sorted(path.name for path in (out / "nixos").iterdir()) == ["xeon-cpu.nix"]


def test_diff_writes_nothing(out: Path) -> None:
    result = run("--profile", "xeon-cpu", "-o", str(out), "--diff")
    assert result.exit_code == 0
    assert "+++ b/nixos/xeon-cpu.nix" in result.stdout
    assert not out.exists()


def test_check_tells_by_its_exit_code(out: Path) -> None:
    command = ("--profile", "xeon-cpu", "-o", str(out))
    assert called(*command, "--check").returncode == 1
    assert not out.exists()
    run(*command)
    assert called(*command, "--check").returncode == 0
    assert called(*command, "--check", "--set", "threads.count=8").returncode == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere; see the next test")
def test_a_read_only_directory_is_the_environments_fault(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    result = called("--profile", "xeon-cpu", "-o", str(tmp_path / "out"))
    assert result.returncode == 3


def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = called("--profile", "xeon-cpu", "-o", str(tmp_path / "file" / "out"))
    assert result.returncode in {2, 3}
    assert "Traceback" not in result.stderr
