"""apply.sh, remove.sh and verify.sh of a project of Compose, with a `docker` told what to say.

No Compose of today is in Debian: its answers are those of its documentation.
"""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.commands import called
from tests.host import stub

if TYPE_CHECKING:
    from pathlib import Path

DOCKER = """
echo "$*" >>"$LOG"
case "$*" in
*version*) exit ${VERSION:-0} ;;
*"config --quiet") exit ${QUIET:-0} ;;
*"--file compose.yaml config") cat "$HERE/ours" ;;
*"compose config") cat "$HERE/every" ;;
*"config --services") echo ollama; echo ollama-pull ;;
*"config --volumes") echo ollama ;;
*"config --hash "*) echo "$4 same" ;;
*"ps --all --quiet "*) [ "${5:-}" = "$AWAY" ] || echo id ;;
*"ps --all --format"*) echo "would go: container x-ollama-1" ;;
*"ps --format"*) printf '%s\\n' "$STATES" ;;
inspect*) echo "${HASH:-same}" ;;
esac
"""


class Project:
    """A rendered project, and what the engine says."""

    def __init__(self, folder: Path) -> None:
        called("container-dev", "-t", "compose", "-o", str(folder / "out"))
        self.folder, self.here = folder, folder / "out/compose"
        stub(folder / "bin", "docker", DOCKER)
        stub(folder / "bin", "python3", "exit ${PYTHON:-0}")
        stub(folder / "bin", "sleep", ":")
        for name in ("ours", "every"):
            (folder / name).write_text("services:\n  ollama:\n    image: a\n")

    def run(self, script: str, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
        told = {
            "PATH": f"{self.folder / 'bin'}:/usr/bin:/bin", "LOG": str(self.folder / "log"),
            "HERE": str(self.folder), "AWAY": "", "STATES": "ollama healthy", "WAIT": "2",
        }  # fmt: skip
        return subprocess.run(
            ["/bin/sh", str(self.here / script), *args],
            capture_output=True, text=True, timeout=60, check=False, env=told | env,
        )  # fmt: skip

    @property
    def asked(self) -> list[str]:
        return (self.folder / "log").read_text().splitlines()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_what_answers_is_applied_and_compared(project: Project) -> None:
    done = project.run("apply.sh")
    assert (done.returncode, done.stdout) == (0, "The servers answer.\n"), done.stderr
    assert "compose up --detach" in project.asked
    applied = project.here / ".applied/compose.yaml"
    assert applied.read_text() == (project.here / "compose.yaml").read_text()
    assert project.run("apply.sh", PYTHON="1").returncode == 4


@pytest.mark.parametrize("states", ["ollama unhealthy", "ollama starting", ""])
def test_what_does_not_answer_gives_way_to_what_did(project: Project, states: str) -> None:
    done = project.run("apply.sh", STATES=states)
    assert done.returncode == 1
    assert not (project.here / ".applied").exists()
    project.run("apply.sh")
    done = project.run("apply.sh", STATES=states)
    assert (done.returncode, "applied last is started again" in done.stderr) == (1, True)
    again = "compose --project-directory . --file .applied/compose.yaml up --detach"
    assert project.asked[-1] == again


def test_nothing_is_done_where_it_cannot_be(project: Project) -> None:
    assert project.run("apply.sh", VERSION="1").returncode == 3
    assert project.run("apply.sh", QUIET="1").returncode == 2
    assert project.run("apply.sh", "--wrong").returncode == 2
    assert project.run("apply.sh", "--dry-run").returncode == 0
    assert not [line for line in project.asked if line == "compose up --detach"]
    assert project.asked[-1] == "compose --dry-run up --detach"


@pytest.mark.parametrize("script", ["apply.sh", "remove.sh"])
def test_help_asks_nobody(project: Project, script: str) -> None:
    done = project.run(script, "--help")
    assert (done.returncode, f"usage: {script}" in done.stdout) == (0, True)
    assert not (project.folder / "log").exists()


def test_removing_says_first_what_goes(project: Project) -> None:
    done = project.run("remove.sh", "--dry-run")
    assert done.stdout == "would go: container x-ollama-1\nstays: volume ollama\n"
    assert "compose down" not in project.asked
    project.run("apply.sh")
    assert project.run("remove.sh").returncode == 0
    assert project.asked[-1] == "compose down"
    assert not (project.here / ".applied").exists()


def test_a_shell_tells_what_has_no_effect(project: Project) -> None:
    assert project.run("verify.sh").returncode == 0
    (project.folder / "every").write_text("services:\n  ollama:\n    image: b\n")
    done = project.run("verify.sh")
    said = "of compose.yaml without effect, for another file says otherwise: image\n"
    assert (done.returncode, done.stdout) == (1, said)
    for name in ("ours", "every"):
        (project.folder / name).write_text('services:\n  a: "x\\ny \\\\ $$z"\n')
    assert project.run("verify.sh").returncode == 0  # whatever is in a value
    done = project.run("verify.sh", HASH="other")
    assert "ollama runs with something else than the files say" in done.stdout
    done = project.run("verify.sh", AWAY="ollama-pull")
    assert "ollama-pull has no container" in done.stdout
    assert project.run("verify.sh", "x").returncode == 2


def test_without_python_a_shell_compares(project: Project) -> None:
    (project.folder / "bin/python3").unlink()
    # Of /usr/bin and /bin what the scripts call, and no python3.
    for name in ("awk", "cat", "cp", "dirname", "mkdir", "sed", "sh", "rm"):
        (project.folder / "bin" / name).symlink_to(str(shutil.which(name)))
    done = project.run("apply.sh", PATH=str(project.folder / "bin"), HASH="other")
    assert (done.returncode, "runs with something else" in done.stdout) == (4, True), done.stderr


def test_a_part_of_a_project_has_no_scripts(tmp_path: Path) -> None:
    called("container-dev", "-t", "compose", "--fragment", "-o", str(tmp_path))
    assert not [*tmp_path.rglob("*.sh")]
