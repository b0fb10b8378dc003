"""Files in a directory: written, compared, shown and kept."""

import json
import os
from pathlib import Path

import pytest

from generator.files.backup import find
from tests.commands import called, on_terminal, run


def test_what_nobody_has_edited_is_replaced(out: Path) -> None:
    run("--profile", "xeon-cpu", "-o", str(out))
    result = called("--profile", "xeon-cpu", "-o", str(out), "--set", "threads.count=8")
    assert result.returncode == 0
    assert f"in {out}: 1 changed, 1 unchanged\n" in result.stderr
    assert 'LLAMA_ARG_THREADS = mkDefault "8"' in (out / "nixos/xeon-cpu.nix").read_text()


def test_a_hand_edit_is_named_and_shown_and_force_keeps_it(out: Path) -> None:
    run("--profile", "xeon-cpu", "-o", str(out))
    file = out / "nixos/xeon-cpu.nix"
    edited = file.read_text().replace('"20"', '"12" /*\x1b]0;owned\x07*/')
    file.write_text(edited)
    dry = called("--profile", "xeon-cpu", "-o", str(out), "--diff")
    assert "nixos/xeon-cpu.nix: edited since gen wrote it; --force backs it up" in dry.stderr
    result = called("--profile", "xeon-cpu", "-o", str(out))
    assert result.returncode == 2
    assert '-      LLAMA_ARG_THREADS = mkDefault "12" /*\\x1b]0;owned' in result.stderr
    assert "`nixos/xeon-cpu.nix` (edited since gen wrote it)" in result.stderr
    assert file.read_text() == edited
    forced = called("--profile", "xeon-cpu", "-o", str(out), "--force")
    assert forced.returncode == 0
    [kept] = [each.kept for each in find(out).backups]
    assert f"kept as it was: {kept}" in forced.stderr
    assert kept.read_text() == edited
    # Nobody takes a backup for what it is a backup of.
    checked = called("check", str(out), "--json").stdout
    assert [Path(name).name for name in json.loads(checked)["files"]] == ["xeon-cpu.nix"]
    put_back = called("restore", str(out), "--at", "latest")
    assert put_back.returncode == 0
    assert file.read_text() == edited


def test_a_link_out_of_the_tree_is_named(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/out").symlink_to(tmp_path / "elsewhere")
    result = called("xeon-cpu", "-o", "out", cwd=tmp_path / "tree")
    assert f"warning: out is a symbolic link to {tmp_path}/elsewhere\n" in result.stderr
    assert (tmp_path / "elsewhere/nixos/xeon-cpu.nix").is_file()


def test_a_diff_is_coloured_on_a_terminal_alone(out: Path) -> None:
    told = on_terminal("xeon-cpu", "-o", str(out), "--diff")
    assert "\x1b[32m+" in told
    assert "\x1b" not in called("xeon-cpu", "-o", str(out), "--diff").stdout
    assert "sha256" not in told
    assert "manifest.json" not in told


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
