"""Secrets by reference reach the server of every target, whatever their paths hold."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from generator.targets import TARGETS, load_target
from tests.consumers.effective import Effective
from tests.consumers.targets import consumer, written
from tests.plans import plan

# Every kind of character that a path of a profile may have.
FOLDERS = ("plain", "a=b,c:d@e~f+g", "é漢", "-x_y.z")
KEY, CA = "id_ed25519", "SSL_CERT_FILE"


def secrets(folder: Path, *, encrypted: bool = False) -> dict[str, Any]:
    """Return a profile that names files of that folder, and write them."""
    folder.mkdir()
    for name, text in (("x.env", "A_TOKEN=1\nB=2\n"), ("c.env", "B=3\n"), (KEY, "k"), (CA, "c")):
        (folder / name).write_text(text)
    return {
        "service": {
            "environment_files": [str(folder / "x.env")],
            "credentials": {
                KEY: {"path": str(folder / KEY), "encrypted": encrypted},
                CA: {"path": str(folder / CA)},
            },
        },
        "container": {"env_files": [str(folder / "c.env")]},
    }


def asked(target: str, profile: dict[str, Any], folder: Path) -> Effective:
    decided, ask = plan(profile), consumer(target)
    folder.mkdir()
    written(target, decided, folder)
    assert ask.complaints(folder, decided) == []
    return ask.read(folder, decided)


@pytest.mark.parametrize("name", FOLDERS)
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("target", ["systemd", "nixos"])
def test_a_unit_is_handed_them(target: str, full: bool, name: str, tmp_path: Path) -> None:
    profile = secrets(tmp_path / name, encrypted=full)
    profile["service"]["full_unit"] = full
    found = asked(target, profile, tmp_path / "out")
    assert found.extra["fields"]["EnvironmentFile"] == [str(tmp_path / name / "x.env")]
    assert found.environment[CA] == f"/run/credentials/ollama.service/{CA}"
    assert "A_TOKEN" not in found.environment
    (link,) = (line for line in found.extra["exec"]["ExecStartPre"] if "CREDENTIALS" in line)
    assert link.endswith(f" .ollama/{KEY} {KEY}")
    assert found.extra["exec"]["ExecStopPost"][0].endswith(f" .ollama/{KEY}")
    text = "".join(file.text for file in load_target(target).render(plan(profile)))
    # The manager's dump has no line for them; `systemd-analyze verify` has read these.
    assert f"{KEY}:{tmp_path / name / KEY}" in text
    assert ("LoadCredentialEncrypted" in text) == full


@pytest.mark.parametrize("name", FOLDERS)
def test_compose_reads_the_files_and_mounts_the_others(name: str, tmp_path: Path) -> None:
    found = asked("compose", secrets(tmp_path / name), tmp_path / "out")
    assert found.environment == {"A_TOKEN": "1", "B": "3", CA: f"/run/secrets/{CA}"}
    mounted = {one["source"]: one["target"] for one in found.extra["service"]["secrets"]}
    assert mounted == {KEY: f"/root/.ollama/{KEY}", CA: f"/run/secrets/{CA}"}
    files = {key: one["file"] for key, one in found.extra["project"]["secrets"].items()}
    assert files == {each: str(tmp_path / name / each) for each in (KEY, CA)}


@pytest.mark.parametrize("name", FOLDERS)
@pytest.mark.parametrize("rootless", [False, True])
def test_podman_reads_the_files_and_mounts_what_systemd_has(
    rootless: bool,
    name: str,
    tmp_path: Path,
) -> None:
    profile = secrets(tmp_path / name, encrypted=True)
    profile["container"]["rootless"] = rootless
    found = asked("quadlet", profile, tmp_path / "out")
    options = found.extra["options"]
    files = [value for option, value in options if option == "env-file"]
    assert files == [str(tmp_path / name / each) for each in ("x.env", "c.env")]
    mounts = [value for option, value in options if option == "v" and value.endswith(":ro")]
    ends = [f"/credentials/ollama.service/{CA}:/run/secrets/{CA}:ro"]
    if not rootless:  # The manager of a user does not decrypt.
        ends.insert(0, f"/credentials/ollama.service/{KEY}:/root/.ollama/{KEY}:ro")
    assert len(mounts) == len(ends)
    assert all(mount.endswith(end) for mount, end in zip(mounts, ends, strict=True))


@pytest.mark.parametrize("target", [name for name in TARGETS if name != "plan"])
def test_no_output_has_what_is_in_them(target: str, tmp_path: Path) -> None:
    profile = secrets(tmp_path / "s")
    (tmp_path / "s" / "x.env").write_text("A_TOKEN=a-secret\n")
    text = "".join(file.text for file in load_target(target).render(plan(profile)))
    assert "a-secret" not in text


def test_the_key_is_where_the_server_looks_while_it_runs(tmp_path: Path) -> None:
    (credential,) = plan({"service": {"credentials": {KEY: {"path": "/k"}}}}).service.credentials
    assert credential.link is not None
    assert credential.unlink is not None
    home, handed = tmp_path / "ho me", tmp_path / "cre'd"
    handed.mkdir()
    (handed / KEY).write_text("given")
    key = home / ".ollama" / KEY

    def run(argv: tuple[str, ...]) -> None:
        env = os.environ | {"HOME": str(home), "CREDENTIALS_DIRECTORY": str(handed)}
        subprocess.run(argv, env=env, check=True, timeout=30)

    for _ in range(2):  # Again over what a crash has left.
        run(credential.link.argv)
        assert key.read_text() == "given"
    run(credential.unlink.argv)
    assert not os.path.lexists(key)
    key.write_text("of the server")
    run(credential.unlink.argv)
    run(credential.link.argv)
    assert key.read_text() == "given"
    (kept,) = key.parent.glob(f"{KEY}.*")
    assert kept.read_text() == "of the server"
