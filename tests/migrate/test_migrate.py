"""`gen migrate`, on files as earlier versions of this program wrote and took them."""

import json
import tomllib
from pathlib import Path

import pytest

from generator.codec import from_dict
from generator.errors import HostwrightError, ProfileError
from generator.files.backup import find
from generator.migrate.migrate import migrated
from tests.cli.test_output_schemas import validated
from tests.commands import called

HERE = Path(__file__).parent
# What the first version took.
PROFILE = """\
schema_version = 1
name = "old"  # mine

[gpu]
# The card is slow to come.
wait_seconds = 600
"""
FLEET = """\
schema_version = 1
[hosts.a]
profile = "xeon-cpu"
overrides.gpu.wait_seconds = 90 # slow
"""


@pytest.mark.parametrize("version", [1, 2])
def test_a_plan_of_an_earlier_shape_is_decided_anew_for_its_release(version: int) -> None:
    """Both are of this program's history: the last of version 1, and the first of version 2."""
    old = (HERE / f"plan-{version}.json").read_text()
    with pytest.raises(ProfileError):
        from_dict(json.loads(old))
    found = migrated(old, "plan.json")
    assert (found.kind, found.was, found.now) == ("plan", version, 2)
    plan = from_dict(json.loads(found.text))
    assert (plan.name, plan.service.release) == ("xeon-cpu", "0.32.15")
    assert migrated(found.text, "plan.json").text == found.text


def test_what_a_plan_said_otherwise_is_told() -> None:
    data = json.loads((HERE / "plan-1.json").read_text())
    (row,) = [row for row in data["environment"] if row["name"] == "OLLAMA_NUM_PARALLEL"]
    row["value"] = "7"
    notes = migrated(json.dumps(data), "plan.json").notes
    assert notes == (
        "OLLAMA_NUM_PARALLEL: was 7, is 4",
        "VECLIB_MAXIMUM_THREADS: was 20, is not set",
        "memory_swap_max: was not set, is 0",
    )


def test_a_plan_of_a_profile_that_is_not_there(tmp_path: Path) -> None:
    data = json.loads((HERE / "plan-1.json").read_text()) | {"source": "mine.toml"}
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(data))
    with pytest.raises(HostwrightError, match=r"mine\.toml"):
        migrated(file.read_text(), str(file))
    (tmp_path / "mine.toml").write_text('schema_version = 1\nname = "mine"\n')
    assert json.loads(migrated(file.read_text(), str(file)).text)["name"] == "mine"


def test_a_profile_keeps_its_comments_and_a_backup(tmp_path: Path) -> None:
    file = tmp_path / "old.toml"
    file.write_text(PROFILE)
    assert "write `60` or less" in called("check", str(file)).stdout
    shown = called("migrate", str(file))
    assert shown.returncode == 1
    assert "-wait_seconds = 600\n+wait_seconds = 60" in shown.stdout
    assert file.read_text() == PROFILE
    done = called("migrate", str(file), "--write")
    assert done.returncode == 0, done.stderr
    text = file.read_text()
    assert tomllib.loads(text)["gpu"]["wait_seconds"] == 60
    assert "# mine" in text
    assert "# The card is slow to come." in text
    (backup,) = (each.kept for each in find(file).backups)
    assert backup.read_text() == PROFILE
    assert called("migrate", str(file)).returncode == 0
    assert called("show", str(file)).returncode == 0


def test_a_fleet() -> None:
    found = migrated(FLEET, "fleet.toml")
    overrides = tomllib.loads(found.text)["hosts"]["a"]["overrides"]
    assert (found.kind, overrides) == ("fleet", {"gpu": {"wait_seconds": 60}})


def test_streams_and_json() -> None:
    done = called("migrate", "-", stdin=PROFILE)
    assert (done.returncode, tomllib.loads(done.stdout)["gpu"]) == (0, {"wait_seconds": 60})
    assert validated("migrate", called("migrate", "-", "--json", stdin=PROFILE).stdout)["changed"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "schema_version"),
        ("schema_version = 2\n", "a newer `gen`"),
        ("schema_version = true\n", "no version"),
        ("[" * 9999, "no TOML"),
        ("{", "no JSON"),
        ('{"schema_version": 1}', "no plan"),
        ('{"schema_version": 1, "release": "x", "source": 3}', "no plan"),
        ('{"schema_version": 2, "services": 3}', "no plan"),
        ('{"schema_version": 9}', "a newer `gen`"),
        ("schema_version = 1\nhosts = 3\n", ""),
        ("schema_version = 1\ngpu = 3\n", ""),
    ],
)
def test_what_is_none(text: str, says: str) -> None:
    done = called("migrate", "-", stdin=text)
    assert done.returncode == (2 if says else 0)
    assert says in done.stderr
    assert "Traceback" not in done.stderr
