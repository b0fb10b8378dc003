"""`gen restore`, of what `--force` and `gen check --fix` have replaced."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from generator.files import backup
from tests.cli.test_output_schemas import validated
from tests.commands import called

UNIT = "[Service]\nEnvironment=OLLAMA_NUM_THREADS=3\nEnvironment=OLLAMA_KEEP_ALIVE=5m\n"


@pytest.fixture
def mended(tmp_path: Path) -> Path:
    """A drop-in after `--fix`, and its backup of three hours ago."""
    file = tmp_path / "ollama.service.d/a.conf"
    file.parent.mkdir()
    file.write_text(UNIT.replace("OLLAMA_KEEP_ALIVE", "OLLAMA_KEEPALIVE"))
    told = called("check", str(file), "--fix")
    assert "; as it was: " in told.stderr
    [kept] = [each.kept for each in backup.find(file).backups]
    earlier = datetime.now(UTC) - timedelta(hours=3, minutes=1)
    kept.rename(kept.with_name(f"a.conf.before-{backup.stamp(earlier)}"))
    return file


def test_backups_are_listed_with_their_ages(mended: Path, tmp_path: Path) -> None:
    told = called("restore", cwd=tmp_path)
    assert told.returncode == 0
    [_, row] = told.stdout.splitlines()
    assert row.split("  ")[1:] == ["3 hours ago", "ollama.service.d/a.conf"]
    [listed] = validated("restore", called("restore", "--json", str(tmp_path)).stdout)["backups"]
    assert listed["age_seconds"] // 60 == 181


def test_the_latest_is_shown_and_put_back(mended: Path, tmp_path: Path) -> None:
    now = mended.read_text()
    shown = called("restore", str(tmp_path), "--at", "latest", "--diff")
    assert "+Environment=OLLAMA_KEEPALIVE=5m" in shown.stdout
    assert mended.read_text() == now
    done = called("restore", str(mended), "--at", "latest", "--json")
    assert done.returncode == 0
    assert "OLLAMA_KEEPALIVE" in mended.read_text()
    [kept] = validated("restore", done.stdout)["kept"]
    assert Path(kept).read_text() == now
    assert called("restore", kept, "--at", "latest").returncode == 0
    assert mended.read_text() == now


def test_what_is_not_there_is_told(mended: Path, tmp_path: Path) -> None:
    wrong = called("restore", str(tmp_path), "--at", "20200101T000000Z", "--json")
    assert wrong.returncode == 2
    assert "no backup of 20200101T000000Z" in json.loads(wrong.stdout)["error"]
    assert called("restore", str(tmp_path), "--diff").returncode == 2
    (tmp_path / "none").mkdir()
    assert called("restore", str(tmp_path / "none"), "--at", "latest").returncode == 2
    assert "there is no backup" in called("restore", str(tmp_path / "none")).stderr
    assert called("restore", str(tmp_path / "no/where")).returncode in {2, 3}
    assert mended.is_file()
