"""The writer on a real file system, killed and failed at every step it takes."""

from __future__ import annotations

import errno
import functools
import hashlib
import itertools
import json
import os
import re
import shutil
import signal
import stat
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from generator.errors import EnvironmentFailure, HostwrightError, WriteRefused
from generator.files import backup, lock, replace
from generator.files.write import MANIFEST, Change, compare, write
from generator.targets.base import File

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

# The children only write and leave; they never take a lock that another thread might hold.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")

OLD = (File("a.conf", "a = 1\n"), File("same", "same\n"), File("sub/gone.conf", "gone\n"))
NEW = (
    File("a.conf", "a = 2\n"),
    File("new/b", "b\n"),
    File("run", "#!/bin/sh\n", executable=True),
    OLD[1],
)
MINE = {"README": "mine\n"}


def contents(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): path.read_text()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }


def texts(*files: File) -> dict[str, str]:
    return {file.path: file.text for file in files}


def kinds(changes: tuple[Change, ...]) -> dict[str, str]:
    return {change.path: change.kind for change in changes}


def litter(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if ".hostwright-" in path.name]


def in_child(action: Callable[[], object]) -> str:
    """Run `action` in a forked process; return how that ended."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        said = "done"
        try:
            action()
        except BaseException as error:  # noqa: BLE001 - all of it is told to the parent
            said = f"{type(error).__name__}: {error}"
        os.write(writer, said.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as stream:
        said = stream.read()
    killed = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
    return "killed" if killed else said


@pytest.fixture(autouse=True)
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record what reaches the disk instead of waiting for it; no test cuts the power."""
    paths: list[str] = []

    def fsync(fd: int) -> None:
        paths.append(str(Path(f"/proc/self/fd/{fd}").readlink()))

    monkeypatch.setattr(os, "fsync", fsync)
    return paths


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def root(out: Path) -> Path:
    """A directory with OLD in it, and MINE beside it."""
    write(OLD, out)
    (out / "README").write_text(MINE["README"])
    return out


# --- what changes -------------------------------------------------------------------------------


def test_new_directory_holds_files_and_manifest(out: Path) -> None:
    changes = write(NEW, out / "deep" / "er")
    here = out / "deep" / "er"
    assert contents(here) == texts(*NEW)
    assert set(kinds(changes).values()) == {"new"}
    assert [change.path for change in changes] == ["a.conf", MANIFEST, "new/b", "run", "same"]
    assert stat.S_IMODE((here / "a.conf").stat().st_mode) == 0o644
    assert stat.S_IMODE((here / "run").stat().st_mode) == 0o755
    assert not litter(out.parent)


def test_manifest_is_deterministic(out: Path) -> None:
    write([File("b", ""), File("a", "x")], out)
    assert (out / MANIFEST).read_text() == (
        "{\n"
        '  "schema_version": 1,\n'
        '  "files": {\n'
        '    "a": "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",\n'
        '    "b": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"\n'
        "  }\n"
        "}\n"
    )


def test_compare_writes_nothing(tmp_path: Path, out: Path) -> None:
    assert kinds(compare(OLD, out))["a.conf"] == "new"
    assert list(tmp_path.iterdir()) == []
    write(OLD, out)
    before = contents(out)
    assert compare(NEW, out) == write(NEW, out, force=True)
    assert before == texts(*OLD)


def test_unchanged_is_not_touched(root: Path) -> None:
    before = {path: path.stat() for path in (root, *root.rglob("*"))}
    changes = write(OLD, root)
    assert set(kinds(changes).values()) == {"unchanged"}
    assert {path: path.stat() for path in (root, *root.rglob("*"))} == before


def test_changed_is_refused_with_nothing_touched(root: Path) -> None:
    (root / "a.conf").write_text("mine\n")
    (root / "run").write_text("mine, too\n")
    before = contents(root)
    with pytest.raises(WriteRefused) as refusal:
        write(NEW, root)
    assert refusal.value.exit_code == 2
    assert refusal.value.message == (
        f"writing to `{root}` would replace `a.conf` (edited since gen wrote it), "
        "`run` (gen did not write it)"
    )
    assert "--diff" in refusal.value.hint
    assert "--force" in refusal.value.hint
    assert contents(root) == before


def test_what_nobody_has_edited_is_replaced_and_removed(root: Path) -> None:
    same = (root / "same").stat()
    changes = write(NEW, root)
    assert kinds(changes) == {
        "a.conf": "changed",
        MANIFEST: "changed",
        "new/b": "new",
        "run": "new",
        "same": "unchanged",
        "sub/gone.conf": "removed",
    }
    assert contents(root) == texts(*NEW) | MINE
    assert not (root / "sub").exists()
    assert ((root / "same").stat().st_ino, (root / "same").stat().st_mtime_ns) == (
        same.st_ino,
        same.st_mtime_ns,
    )
    assert not litter(root.parent)
    assert set(kinds(write(NEW, root)).values()) == {"unchanged"}


def test_force_keeps_what_it_replaces(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    time = datetime(2026, 11, 30, 15, 35, 1, tzinfo=UTC)
    monkeypatch.setattr(backup, "now", lambda: time)
    monkeypatch.setattr(replace, "now", lambda: time)
    (root / "a.conf").write_text("mine\n")
    (root / "a.conf").chmod(0o600)
    changes = write(NEW, root, force=True)
    [kept] = [Path(each.backup) for each in changes if each.backup]
    assert [each.kept for each in backup.find(root / "a.conf").backups] == [kept]
    assert kept.name == "a.conf.before-20261130T153501Z"
    assert contents(root) == texts(*NEW) | MINE
    assert (kept.read_text(), stat.S_IMODE(kept.stat().st_mode)) == ("mine\n", 0o600)
    (root / "a.conf").write_text("mine again\n")
    write(NEW, root, force=True)
    assert kept.read_text() == "mine\n"
    assert kept.with_name(f"{kept.name}-2").read_text() == "mine again\n"


def test_what_is_kept_goes_when_nothing_is_replaced(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "a.conf").write_text("mine\n")
    before = snapshot(root)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(EnvironmentFailure):
        write(NEW, root, force=True)
    assert snapshot(root) == before


def test_own_checksums_are_no_part_of_a_diff(root: Path) -> None:
    [manifest] = [each for each in compare(NEW, root) if each.path == MANIFEST]
    assert (manifest.kind, manifest.diff) == ("changed", "")


def test_adding_files_needs_no_force(root: Path) -> None:
    write([*OLD, File("later", "x\n")], root)
    assert contents(root) == texts(*OLD, File("later", "x\n")) | MINE


def test_stale_manifest_alone_is_replaced_without_force(root: Path) -> None:
    (root / MANIFEST).write_text('{"schema_version": 1, "files": {}}')
    assert kinds(write(OLD, root))[MANIFEST] == "changed"
    assert json.loads((root / MANIFEST).read_text())["files"].keys() == texts(*OLD).keys()


@pytest.mark.parametrize(
    "text",
    ['{"name": "extension"}', "not json", '{"schema_version": 2, "files": {}}', "[" * 100_000],
)
def test_foreign_manifest_is_the_users(out: Path, text: str) -> None:
    out.mkdir()
    (out / MANIFEST).write_text(text)
    with pytest.raises(WriteRefused, match=MANIFEST):
        write(OLD, out)
    assert (out / MANIFEST).read_text() == text
    [kept] = [each.backup for each in write(OLD, out, force=True) if each.backup]
    assert Path(kept).read_text() == text
    assert contents(out).keys() == {*texts(*OLD)}


def test_manifest_cannot_make_the_writer_delete_elsewhere(tmp_path: Path, root: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious\n")
    digest = hashlib.sha256(b"precious\n").hexdigest()
    (root / MANIFEST).write_text(
        json.dumps({"schema_version": 1, "files": {"../victim": digest, str(victim): digest}})
    )
    write(OLD, root, force=True)
    assert victim.read_text() == "precious\n"


def test_folder_of_a_file_that_the_user_deleted_goes_with_it(root: Path) -> None:
    (root / "sub/gone.conf").unlink()
    write(NEW, root, force=True)
    assert not (root / "sub").exists()


def test_removed_file_that_the_user_edited_is_kept(out: Path) -> None:
    write(OLD, out)
    (out / "sub/gone.conf").write_text("edited\n")
    rest = OLD[:2]
    assert kinds(write(rest, out)) == {
        "a.conf": "unchanged",
        MANIFEST: "changed",
        "same": "unchanged",
        "sub/gone.conf": "kept",
    }
    assert (out / "sub/gone.conf").read_text() == "edited\n"
    assert set(kinds(write(rest, out)).values()) == {"unchanged"}


def test_removed_file_behind_a_link_is_kept(tmp_path: Path, out: Path) -> None:
    write(OLD, out)
    (out / "sub").rename(tmp_path / "moved")
    (out / "sub").symlink_to(tmp_path / "moved")
    assert kinds(write(OLD[:2], out, force=True))["sub/gone.conf"] == "kept"
    assert (tmp_path / "moved/gone.conf").read_text() == "gone\n"


def test_foreign_files_and_empty_folders_stay(out: Path) -> None:
    (out / "empty").mkdir(parents=True)
    (out / "mine").symlink_to("/nonexistent")
    write(OLD, out)
    write(NEW, out, force=True)
    assert (out / "empty").is_dir()
    assert (out / "mine").is_symlink()


# --- diffs ---------------------------------------------------------------------------------------


def test_diff_is_unified(out: Path) -> None:
    write([File("d/x", "one\ntwo\n")], out)
    (change,) = (c for c in compare([File("d/x", "one\n2\x0b2\n")], out) if c.path == "d/x")
    assert change.diff == "--- a/d/x\n+++ b/d/x\n@@ -1,2 +1,2 @@\n one\n-two\n+2\x0b2\n"


def test_diff_of_new_and_removed_names_dev_null(out: Path) -> None:
    write([File("x", "1\n")], out)
    new, _, gone = compare([File("a", "2")], out)
    assert new.diff == "--- /dev/null\n+++ b/a\n@@ -0,0 +1 @@\n+2\n\\ No newline at end of file\n"
    assert gone.diff == "--- a/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-1\n"


@pytest.mark.parametrize("data", [b"\xff\xfe", b"a\0b"])
def test_diff_of_binary(out: Path, data: bytes) -> None:
    out.mkdir()
    (out / "x").write_bytes(data)
    assert compare([File("x", "1\n")], out)[1] == Change(
        "x", "changed", "Binary files a/x and b/x differ\n", "foreign"
    )


def test_mode_counts_as_changed(root: Path) -> None:
    files = [File("a.conf", "a = 1\n", executable=True), *OLD[1:]]
    change = compare(files, root)[0]
    assert change == Change("a.conf", "changed", "old mode 100644\nnew mode 100755\n")
    write(files, root, force=True)
    assert stat.S_IMODE((root / "a.conf").stat().st_mode) == 0o755
    write(OLD, root, force=True)
    assert stat.S_IMODE((root / "a.conf").stat().st_mode) == 0o644


# --- permissions ---------------------------------------------------------------------------------


def test_permission_bits_survive(root: Path) -> None:
    root.chmod(0o2750)
    (root / "a.conf").chmod(0o640)
    write([File("a.conf", "2\n"), *OLD[1:]], root, force=True)
    assert stat.S_IMODE(root.stat().st_mode) == 0o2750
    assert stat.S_IMODE((root / "a.conf").stat().st_mode) == 0o640


def test_umask_is_obeyed(out: Path) -> None:
    def strict() -> None:
        os.umask(0o077)
        write(NEW, out)

    assert in_child(strict) == "done"
    assert stat.S_IMODE((out / "run").stat().st_mode) == 0o700
    assert stat.S_IMODE((out / "a.conf").stat().st_mode) == 0o600


@pytest.fixture
def open_dir() -> Iterator[Path]:
    """A place that every user can reach, which tmp_path is not."""
    place = Path(tempfile.mkdtemp())
    place.chmod(0o755)
    yield place
    shutil.rmtree(place)


def as_nobody(action: Callable[[], object]) -> str:
    """Run as a user whom permissions bind."""

    def drop() -> None:
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
        action()

    return in_child(drop)


def test_missing_permission_is_reported(open_dir: Path) -> None:
    out = open_dir / "out"
    write(OLD, out)
    out.chmod(0o555)
    out.parent.chmod(0o555)
    before = contents(open_dir)
    for place in (out, open_dir / "new"):
        said = as_nobody(functools.partial(write, NEW, place, force=True))
        assert said.startswith("EnvironmentFailure: cannot write `")
        assert str(place) in said
        assert said.endswith("Permission denied")
    assert contents(open_dir) == before
    assert not litter(open_dir)
    out.parent.chmod(0o755)
    out.chmod(0o755)


def test_read_only_directory_in_a_writable_parent_is_not_written(open_dir: Path) -> None:
    out = open_dir / "home" / "out"
    write(OLD, out)
    if os.geteuid() == 0:
        for path in (out.parent, out, *out.rglob("*")):
            os.chown(path, 65534, 65534)
    out.chmod(0o555)
    assert "Permission denied" in as_nobody(lambda: write(NEW, out, force=True))
    assert contents(out) == texts(*OLD)
    out.chmod(0o755)
    assert as_nobody(lambda: write(NEW, out, force=True)) == "done"
    assert contents(out) == texts(*NEW)
    assert not litter(open_dir)


def test_own_directory_in_a_read_only_parent_is_written(open_dir: Path) -> None:
    out = open_dir / "out"
    write(OLD, out)
    if os.geteuid() == 0:
        for path in (out, *out.rglob("*")):
            os.chown(path, 65534, 65534)
    open_dir.chmod(0o555)
    assert as_nobody(lambda: write(NEW, out, force=True)) == "done"
    assert contents(out) == texts(*NEW)
    open_dir.chmod(0o755)


def test_unreadable_file_is_reported(open_dir: Path) -> None:
    write(OLD, open_dir / "out")
    secret = open_dir / "out" / "a.conf"
    secret.chmod(0)
    assert as_nobody(lambda: compare(OLD, open_dir / "out")) == (
        f"EnvironmentFailure: cannot read `{secret}`: Permission denied"
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root meets directories of others")
def test_root_leaves_files_to_their_owner(out: Path) -> None:
    write(OLD, out)
    for path in (out, *out.rglob("*")):
        os.chown(path, 65534, 0)
    write(NEW, out, force=True)
    assert out.stat().st_uid == 65534
    assert (out / "a.conf").stat().st_uid == 65534


# --- what is refused whatever the force --------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["../x", "/etc/x", "a/../../x", "..", "", ".", "./a", "a//b", "a/", "a\0b", "a\nb"]
)
def test_path_outside_is_refused(tmp_path: Path, out: Path, path: str) -> None:
    with pytest.raises(WriteRefused, match="not a plain path inside"):
        write([File(path, "x")], out, force=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        (["a", "a"], "`a` would be written twice"),
        ([MANIFEST], "`manifest.json` would be written twice"),
        (["a", "a/b"], "`a` would be both a file and a directory"),
    ],
)
def test_clash_is_refused(out: Path, paths: list[str], message: str) -> None:
    with pytest.raises(WriteRefused) as refusal:
        compare([File(path, "x") for path in paths], out)
    assert refusal.value.message == message


def test_text_that_is_no_unicode_is_refused(out: Path) -> None:
    with pytest.raises(WriteRefused, match="UTF-8"):
        write([File("a", "\udcff")], out)


@pytest.mark.parametrize("link", ["a.conf", "sub", MANIFEST])
def test_symbolic_link_is_refused(tmp_path: Path, out: Path, link: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "victim").write_text("precious\n")
    out.mkdir()
    (out / link).symlink_to(elsewhere if link == "sub" else elsewhere / "victim")
    with pytest.raises(WriteRefused, match=f"`{out / link}` is a symbolic link"):
        write(OLD, out, force=True)
    assert contents(elsewhere) == {"victim": "precious\n"}
    assert [path.name for path in out.iterdir()] == [link]


def test_dangling_link_is_refused(tmp_path: Path, out: Path) -> None:
    out.mkdir()
    (out / "a.conf").symlink_to(tmp_path / "nothing")
    with pytest.raises(WriteRefused, match="symbolic link"):
        write(OLD, out, force=True)


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_what_is_no_file_is_refused(out: Path, make: Callable[[Path], None]) -> None:
    out.mkdir()
    make(out / "a.conf")
    with pytest.raises(WriteRefused, match="not a regular file"):
        write(OLD, out, force=True)


def test_file_in_place_of_a_folder_is_refused(out: Path) -> None:
    out.mkdir()
    (out / "sub").write_text("mine\n")
    with pytest.raises(WriteRefused, match=f"`{out / 'sub'}` is not a directory"):
        write(OLD, out, force=True)
    assert contents(out) == {"sub": "mine\n"}


def test_directory_must_be_one(tmp_path: Path, out: Path) -> None:
    out.write_text("mine\n")
    (tmp_path / "dangling").symlink_to("nothing")
    (tmp_path / "loop").symlink_to("loop")
    for place in (out, out / "below", tmp_path / "dangling", tmp_path / "loop", Path("/dev/null")):
        with pytest.raises(WriteRefused, match=f"`{place}` is not a directory"):
            write(OLD, place, force=True)
    assert out.read_text() == "mine\n"


# --- the directory itself ------------------------------------------------------------------------


def test_link_to_a_directory_stays_a_link(tmp_path: Path, out: Path) -> None:
    write(OLD, out)
    inode = out.stat().st_ino
    link = tmp_path / "link"
    link.symlink_to(out)
    write(NEW, link, force=True)
    assert link.is_symlink()
    assert out.stat().st_ino == inode
    assert contents(out) == texts(*NEW)


def test_the_directory_itself_stays(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others may watch it, mount it or work in it."""
    write(OLD, out)
    inode = out.stat().st_ino
    monkeypatch.chdir(out)
    write(NEW, Path(), force=True)
    assert out.stat().st_ino == inode
    assert contents(out) == texts(*NEW)
    assert not litter(out.parent)


def test_without_hard_links_files_are_copied(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(new: Path, old: Path) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    before = (root / "same").stat().st_mtime_ns
    write(NEW, root, force=True)
    assert contents(root) == texts(*NEW) | MINE
    assert (root / "same").stat().st_mtime_ns == before


# --- failures and crashes ------------------------------------------------------------------------


def test_all_of_it_is_on_disk(root: Path, synced: list[str]) -> None:
    synced.clear()
    write(NEW, root, force=True)
    names = {re.sub(r"\.([^/]*)\.hostwright-\w{8}", r"\1", path) for path in synced}
    expected = [root / name for name in ("a.conf", "new/b", "run", MANIFEST, "new", "")]
    assert names == {str(path) for path in expected}


@pytest.mark.parametrize("call", [1, 2, 3, 4])
def test_full_disk_leaves_the_old(root: Path, call: int, monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents(root)
    left = call

    def fsync(fd: int) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(EnvironmentFailure, match=f"`{root}.*`: No space left") as failure:
        write(NEW, root, force=True)
    assert failure.value.exit_code == 3
    assert "free some space" in failure.value.hint
    assert contents(root) == before
    assert not litter(root.parent)


def strike_child(number: int, action: Callable[[], object], strike: Callable[[], None]) -> str:
    """Run `action` in a child, struck at the numbered call that Python audits (open, link, …)."""
    left = number

    def hook(event: str, args: tuple[object, ...]) -> None:
        nonlocal left
        left -= not event.startswith(("builtins.", "import", "shutil."))
        if left == 0:
            left = -1
            strike()

    def child() -> None:
        sys.addaudithook(hook)
        action()
        if left > 0:
            raise EOFError

    return in_child(child)


def struck(scene: Scene, strike: Callable[[], None]) -> Iterator[str]:
    """Write the scene in one child per step, struck there, until one escapes."""
    for number in itertools.count(1):
        scene.prepare()
        said = strike_child(number, scene.write, strike)
        if said.startswith("EOFError"):
            assert number > 15, "the strikes miss the work"
            return
        yield said


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def fill_disk() -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def interrupt() -> None:
    raise KeyboardInterrupt


def snapshot(root: Path) -> dict[str, str | None]:
    """Everything below `root`, the manifest and folders too."""
    return {
        str(path.relative_to(root)): path.read_text() if path.is_file() else None
        for path in root.rglob("*")
    }


class Scene:
    """A directory, absent or not, and what is there before and after writing NEW."""

    def __init__(self, place: Path, *, absent: bool) -> None:
        self.place = place
        self.absent = absent
        self.root = place / "deep" / "out" if absent else place / "out"
        self.prepare()
        self.old = snapshot(place)
        self.write()
        self.new = snapshot(place)

    def prepare(self) -> None:
        shutil.rmtree(self.place, ignore_errors=True)
        self.place.mkdir()
        if not self.absent:
            write(OLD, self.root)
            (self.root / "README").write_text(MINE["README"])

    def write(self) -> None:
        write(NEW, self.root, force=True)

    def check_rewrite(self) -> None:
        """The next write puts everything right, but for the empty folder of a removed file."""
        self.write()
        left = snapshot(self.place)
        left.pop("out/sub", None)
        assert left == self.new


@pytest.fixture(params=["absent", "present"])
def scene(tmp_path: Path, request: pytest.FixtureRequest) -> Scene:
    return Scene(tmp_path / "place", absent=request.param == "absent")


@pytest.mark.parametrize("scene", ["absent"], indirect=True)
def test_kill_leaves_no_new_directory_or_all_of_it(scene: Scene) -> None:
    seen = []
    for said in struck(scene, kill):
        assert said == "killed"
        left = {
            path: text for path, text in snapshot(scene.place).items() if ".hostwright-" not in path
        }
        assert left in (scene.old, scene.new)
        seen.append(left == scene.new)
        scene.check_rewrite()
    assert set(seen) == {False, True}


@pytest.mark.parametrize("scene", ["present"], indirect=True)
def test_kill_leaves_each_file_whole(scene: Scene) -> None:
    for said in struck(scene, kill):
        assert said == "killed"
        left = snapshot(scene.place)
        for path, text in left.items():
            if ".hostwright-" not in path:
                assert text in (scene.old.get(path, text), scene.new.get(path, text))
        assert left.keys() >= (scene.old.keys() & scene.new.keys())
        assert left.items() >= (scene.old.items() & scene.new.items())
        scene.check_rewrite()


def test_failure_at_any_step_leaves_the_old(scene: Scene) -> None:
    failures = 0
    for said in struck(scene, fill_disk):
        if said != "done":  # a step that does not matter, or that has another way
            assert said.startswith("EnvironmentFailure: cannot ")
            assert said.endswith("No space left on device")
            assert snapshot(scene.place) == scene.old
            failures += 1
        scene.check_rewrite()
    assert failures > 5


def test_interrupt_at_any_step_leaves_old_or_new(scene: Scene) -> None:
    for said in struck(scene, interrupt):
        assert said.startswith("KeyboardInterrupt")
        left = {
            path: text
            for path, text in snapshot(scene.place).items()
            if ".hostwright-" not in path and path != "out/sub"
        }
        scene.old.pop("out/sub", None)
        assert left in (scene.old, scene.new)
        scene.check_rewrite()


def test_litter_of_others_stays(tmp_path: Path, out: Path) -> None:
    names = [".outer.hostwright-0123abcd", ".out.hostwright-short", ".out.backup-0123abcd"]
    for name in names:
        (tmp_path / name).mkdir()
    (tmp_path / ".out.hostwright-0123abcd").mkdir()
    write(OLD, out)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*names, "out"])


# --- two at once ---------------------------------------------------------------------------------


def test_writers_at_once_leave_one_set(root: Path) -> None:
    sets = [[File(name, f"{name}{n}\n") for name in "xyz"[: n % 3 + 1]] for n in range(4)]
    children = []
    for files in sets:
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                for _ in range(8):
                    write(files, root, force=True)
                code = 0
            finally:
                os._exit(code)
        children.append(pid)
    assert [os.waitpid(pid, 0)[1] for pid in children] == [0] * 4
    assert contents(root) in [texts(*files) | MINE for files in sets]
    assert not litter(root.parent)
    listed = json.loads((root / MANIFEST).read_text())["files"]
    assert set(listed) == set(contents(root)) - set(MINE)


def test_waiting_writer_sees_the_folder_that_another_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, waited_for = lock._lock, []

    def wait(folder: Path) -> AbstractContextManager[bool]:
        waited_for.append(folder)
        (tmp_path / "deep").mkdir(exist_ok=True)
        return real(folder)

    monkeypatch.setattr(lock, "_lock", wait)
    with lock.locked(tmp_path / "deep" / "out") as held:
        assert held
    assert waited_for == [tmp_path, tmp_path / "deep"]


def test_lock_that_is_never_released_is_reported(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "_PATIENCE", 0.05)
    with lock.locked(out), pytest.raises(EnvironmentFailure, match="holds a lock"):
        write(OLD, out)
    assert not out.exists()


def test_every_failure_is_one_of_ours() -> None:
    assert issubclass(WriteRefused, HostwrightError)
    assert (WriteRefused.exit_code, EnvironmentFailure.exit_code) == (2, 3)


def test_folders_that_a_write_is_not_about_stay_as_they_are(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write([File("nixos/a.nix", "a\n"), File("compose/c.yaml", "c\n")], out)
    changes = write([File("nixos/b.nix", "b\n")], out, force=True, within=["nixos"])
    kinds = {change.path: change.kind for change in changes}
    assert kinds == {"nixos/a.nix": "removed", "nixos/b.nix": "new", "manifest.json": "changed"}
    assert (out / "compose/c.yaml").read_text() == "c\n"
    listed = json.loads((out / "manifest.json").read_text())["files"]
    assert list(listed) == ["compose/c.yaml", "nixos/b.nix"]
