"""A host without a root: a directory in place of `/`, and stubs in place of what rules a host."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from generator.targets import all_files
from tests.plans import plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generator.plan import Plan
    from generator.targets.base import File

UNITS = "etc/systemd/system"
HOME = "/home/somebody"
INSTALLED = "[Service]\nExecStart={binary} serve\n\n[Install]\nWantedBy=default.target\n"

# Reads the state of the server and of its units from files; a server with SICK=1 never answers.
# A file `on-VERB` is run by the next call of that verb. A unit that is made of a `.container` can
# be neither enabled nor disabled; a sick one ends at its start, because it waits to be healthy.
SYSTEMCTL = r"""
words=$* home=$root/etc
if [ "$1" = --user ]; then shift; home=$root$HOME/.config; fi
verb=$1
case $verb in
  cat | show* | is-active | is-enabled | is-failed) echo "systemctl $words" >>"$state/asked" ;;
  *) echo "systemctl $words" >>"$state/calls" ;;
esac
for unit in "$@"; do :; done
found() { [ -e "$(echo "$home"/systemd/*/"$unit")" ]; }
generated() { ls "$home"/*/systemd/"${unit%.service}".container; } >/dev/null 2>&1
if [ -e "$state/on-$verb" ]; then
  mv "$state/on-$verb" "$state/once"
  . "$state/once"
fi
case $* in
  "cat "*)
    ! generated || { echo "# /run/systemd/generator/$unit"; exit; }
    [ -e "$units/$unit" ] || exit 1
    for file in "$units/$unit" "$units/$unit".d/*.conf; do
      [ ! -e "$file" ] || { echo "# $file"; cat "$file"; echo; }
    done
    ;;
  "show -p Environment "*) cat "$state/environment" ;;
  "show -p MainPID "*) cat "$state/pid" ;;
  "show $unit") cat "$state/held/$unit" ;;
  "is-active --quiet"*) [ -e "$state/active" ] ;;
  is-active*) [ -e "$state/active" ] && echo active ;;
  "is-enabled --quiet"*) generated || [ -e "$state/enabled/$unit" ] ;;
  is-enabled*)
    ! generated || { echo generated; exit; }
    [ ! -e "$state/enabled/$unit" ] || { echo enabled; exit; }
    found || { echo not-found; exit 4; }
    echo disabled
    exit 1
    ;;
  is-failed*) false ;;
  enable* | reenable*) found && : >"$state/enabled/$unit" ;;
  disable*) ! generated && rm -f "$state/enabled/$unit" ;;
  "restart ollama.service" | "enable --now ollama.service")
    : >"$state/active"
    rm -f "$state/sick"
    if grep -rqs SICK=1 "$units"/ollama.service*; then : >"$state/sick"; fi
    if grep -rqs SICK=1 "$home"/*/systemd/ollama.container; then rm "$state/active"; exit 1; fi
    ;;
  "stop ollama.service") rm -f "$state/active" "$state/sick" ;;
esac
"""
OLLAMA = 'echo "$OLLAMA_HOST $HOME $*" >>"$state/clients"\n[ ! -e "$state/sick" ]'
RECORD_NAME = "written"
RECORD = 'echo "${0##*/} $*" >>"$state/calls"'


def put(files: tuple[File, ...], folder: Path) -> Path:
    """Write `files` below `folder`."""
    for file in files:
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text, encoding="utf-8")
        path.chmod(0o755 if file.executable else 0o644)
    return folder


def stub(folder: Path, name: str, script: str) -> None:
    """Put a shell script in place of the program `name`."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    (folder / name).chmod(0o755)


class Host:
    """A host with the unit that Ollama's installer makes, enabled, and its server running."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.bin = folder, folder / "bin"
        self.root, self.state = folder / "root", folder / "state"
        self.unit = self.root / UNITS / "ollama.service"
        self.unit.parent.mkdir(parents=True)
        self.installed = INSTALLED.format(binary=self.bin / "ollama")
        self.unit.write_text(self.installed, encoding="utf-8")
        (self.state / "enabled").mkdir(parents=True)
        (self.state / "enabled/ollama.service").touch()
        for name in ("active", "calls", "asked", "clients", "environment"):
            (self.state / name).touch()
        (self.state / "pid").write_text("0\n", encoding="utf-8")
        self.stub("systemctl", SYSTEMCTL)
        self.stub("ollama", OLLAMA)
        self.stub("journalctl", 'echo "the journal: $*"')
        # What is in effect is compared by the shell alone, but where a test says otherwise; and
        # `systemd-analyze` takes a quarter of the time of a run.
        self.stub("python3", "exit 1")
        self.stub("systemd-analyze", "exit 0")
        for name in ("modprobe", "systemd-tmpfiles", "systemd-sysusers", "id"):
            self.stub(name, RECORD)

    def stub(self, name: str, script: str) -> None:
        """Put a shell script, which knows three directories, in place of a program."""
        known = f"state='{self.state}' root='{self.root}' units='{self.root / UNITS}'"
        stub(self.bin, name, f"{known}\n{script}")

    def verifies(self) -> None:
        """Let the real `systemd-analyze` say what it takes, if there is one."""
        (self.bin / "systemd-analyze").unlink()

    def on(self, verb: str, script: str) -> None:
        """Let the next `systemctl VERB` run `script` first."""
        (self.state / f"on-{verb}").write_text(script, encoding="utf-8")

    def plan(self, data: Mapping[str, object]) -> Plan:
        """Resolve an inline profile for the ollama program of this host."""
        service = {"binary": str(self.bin / "ollama")}
        given = data.get("service", {})
        assert isinstance(given, dict)
        return plan({**data, "service": {**service, **given}})

    def bundle(self, data: Mapping[str, object]) -> Path:
        """Write a bundle afresh."""
        folder = Path(tempfile.mkdtemp(prefix="bundle-", dir=self.folder))
        return put(all_files("systemd", self.plan(data)), folder)

    def run(
        self,
        *argv: str | Path,
        cwd: Path | None = None,
        path: str | None = None,
        **variables: str,
    ) -> subprocess.CompletedProcess[str]:
        """Run a script on this host, with empty records of what it calls."""
        for record in ("calls", "asked", "clients"):
            (self.state / record).write_text("", encoding="utf-8")
        path = os.pathsep.join((str(self.bin), path or os.defpath))
        own = {"PATH": path, "DESTDIR": str(self.root), "TMPDIR": str(self.scratch)}
        return subprocess.run(
            [str(word) for word in argv],
            env={
                **own,
                "HOME": HOME,
                "XDG_RUNTIME_DIR": str(self.folder),
                "HOSTWRIGHT_WAIT": "1",
                **variables,
            },
            cwd=cwd,
            capture_output=True,
            timeout=60,
            check=False,
            encoding="utf-8",
        )

    def apply(self, data: Mapping[str, object]) -> str:
        """Apply a bundle, which must succeed, and return what was said."""
        done = self.run("sh", self.bundle(data) / "apply.sh")
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    def refuse(self, bundle: Path) -> str:
        """Apply a bundle, which must fail and leave nothing behind; return why it did."""
        before = self.everything
        done = self.run("sh", bundle / "apply.sh")
        assert done.returncode == 1
        assert self.everything == before
        return done.stderr

    def remove(self, data: Mapping[str, object]) -> None:
        """Run remove.sh, which must succeed."""
        done = self.run("sh", self.bundle(data) / "remove.sh")
        assert (done.returncode, done.stderr) == (0, "")

    @property
    def scratch(self) -> Path:
        """Return the directory for temporary files."""
        (self.folder / "tmp").mkdir(exist_ok=True)
        return self.folder / "tmp"

    @property
    def calls(self) -> list[str]:
        """Return the calls that change something, of the last run."""
        return (self.state / "calls").read_text(encoding="utf-8").splitlines()

    @property
    def clients(self) -> list[str]:
        """Return the calls of the ollama program, of the last run: address, home, arguments."""
        return (self.state / "clients").read_text(encoding="utf-8").splitlines()

    @property
    def enabled(self) -> set[str]:
        """Return the units that are enabled."""
        return {path.name for path in (self.state / "enabled").iterdir()}

    @property
    def files(self) -> dict[str, str]:
        """Return the text of every file by its path, but for what apply.sh notes for itself."""
        return {
            path.relative_to(self.root).as_posix(): path.read_text(encoding="utf-8")
            for path in self.root.rglob("*")
            if path.is_file() and path.name != RECORD_NAME
        }

    @property
    def everything(self) -> tuple[object, ...]:
        """Return all that a run may change: files with times, directories, units, scratch."""
        paths = sorted(self.root.rglob("*"))
        directories = [path for path in paths if path.is_dir()]
        files = [(p, p.read_bytes(), p.stat().st_mtime_ns) for p in paths if p.is_file()]
        states = [(self.state / name).exists() for name in ("active", "sick")]
        return (files, directories, sorted(self.enabled), states, list(self.scratch.iterdir()))
