"""Garbage is a warning and never an error, in files as in roots."""

from __future__ import annotations

import functools
import os
import tomllib
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generator.catalogue.catalogue import load_catalogue
from generator.detect.derive import derive
from generator.detect.machine import read_machine
from generator.detect.profile import name_of, profile_text
from generator.detect.root import Archive, Tree, one_line, open_root
from generator.detect.situation import situation_of
from generator.errors import HostwrightError
from generator.profiles.schema import Profile
from tests.detect.machines import RECONSTRUCTED, Held, files_of, machine, warned

if TYPE_CHECKING:
    from pathlib import Path


# Free text: whatever stands there is a name.
FREE = ("osrelease", "dmi/id/sys_vendor", "dmi/id/product_name", "/device", "uevent", "/meminfo")


@pytest.mark.parametrize("name", RECONSTRUCTED)
def test_garbage_in_any_file_is_a_warning_about_it(name: str) -> None:
    files = files_of(name)
    before = set(machine(name).warnings)
    for path, content in files.items():
        if path not in read_paths(name):
            continue
        # What is only asked whether it is there, and what says more than is asked.
        if not content or path.endswith((*FREE, "nvidia-smi-version.txt", "nvidia-ctk.txt")):
            continue
        found = read_machine(Held(files | {path: "gar bage\n"}))
        told = {w.where for w in found.warnings if w not in before}
        file = path.removeprefix(".hostwright/tools/")
        assert any(where.endswith(file) for where in told), f"{path}: {told}"


@pytest.mark.parametrize("name", RECONSTRUCTED)
def test_bytes_that_are_no_text_are_a_warning(name: str) -> None:
    files: dict[str, str | bytes] = {**files_of(name)}
    for path in [path for path, content in files.items() if content]:
        found = read_machine(Held({**files, path: b"\xff\xfe\x00"}))
        if path not in read_paths(name):
            continue
        assert any(w.message == "is not text throughout" for w in found.warnings), path


@functools.cache
def read_paths(name: str) -> set[str]:
    root = Held(files_of(name))
    read_machine(root)
    return set(root.taken)


PATHS = sorted({path for name in RECONSTRUCTED for path in files_of(name)})
ODD = st.one_of(
    st.binary(max_size=60),
    st.text(max_size=60).map(lambda text: text.encode(errors="replace")),
    st.sampled_from(
        [
            b"-1", b"0", b"max", b"0-8191", b"99999999999999999999", b"1" * 5000, b"\n\n", b"0::",
            b"processor: 5\n\nprocessor: x", b"MemTotal:       0 kB\n", b"0::/../..", b"a: b: c",
            "٣".encode(), b"{}", b"[[[[", b"index, name\n0\n", b"9999 9999", b"0 0", b"ID='",
        ]
    ),
)  # fmt: skip


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.sampled_from(RECONSTRUCTED),
    st.dictionaries(st.sampled_from(PATHS), ODD, min_size=1, max_size=4),
)
def test_whatever_is_in_the_files_a_valid_profile_comes_out(
    name: str, changes: dict[str, bytes]
) -> None:
    files: dict[str, str | bytes] = {**files_of(name)}
    found = read_machine(Held(files | changes))
    at = situation_of(found, load_catalogue())
    text = profile_text(at, derive(at), name=name_of(at))
    Profile.model_validate(tomllib.loads(text), strict=False)
    assert all(w.where and one_line(w.message) == w.message for w in found.warnings)


def test_an_empty_machine_is_told_and_gives_a_profile() -> None:
    found = read_machine(Held({}))
    assert warned(found) == {
        "/proc/cpuinfo": "lists no processor",
        "/proc/meminfo": "reports no memory",
    }
    at = situation_of(found, load_catalogue())
    assert 'acceleration = "cpu"' in profile_text(at, derive(at), name="empty")


def test_a_link_out_of_the_tree_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("MemTotal:       1024 kB\n")
    folder = tmp_path / "root"
    (folder / "proc").mkdir(parents=True)
    (folder / "proc/meminfo").symlink_to(secret)
    found = read_machine(Tree(folder))
    assert found.memory.total == 0
    assert warned(found)["/proc/meminfo"] == "reports no memory"
    assert "leads out of the captured tree and is not read" in [w.message for w in found.warnings]


def test_a_pipe_in_the_tree_does_not_keep_anybody_waiting(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    os.mkfifo(tmp_path / "proc/meminfo")
    assert read_machine(Tree(tmp_path)).memory.total == 0


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x1f\x8b\x08garbage"])
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "machine.tar"
    path.write_bytes(content)
    with pytest.raises(HostwrightError, match="no tar archive"):
        Archive(path)


def test_a_root_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HostwrightError, match="no directory or archive"):
        open_root(str(tmp_path / "nowhere"))
