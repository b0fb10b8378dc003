"""The scan of Ollama's source, on a repository that is made here."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from generator.catalogue.catalogue import Catalogue
from generator.units import Release
from tools import scan_ollama
from tools.scan_ollama import Checkout, Difference, differences, scan

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = """package envconfig
const uninstall = "OLLAMA_NEW_NAME"
var (
\tNumParallel = Uint("OLLAMA_NUM_PARALLEL", {slots})
\tNoPrune = Bool("OLLAMA_NOPRUNE")
)
func remove() string {{ return os.Getenv(uninstall) }}
"""
SCHEDULER = (
    'if slices.Contains([]string{"lfm2", "qwen35moe"}, req.model.Config.ModelFamily)'
    " && numParallel != 1 {"
    "\nif len(pending.model.ProjectorPaths) > 0 && numParallel != 1 {"
)
PRESETS = {
    "configurePresets": [
        {"name": "base", "cacheVariables": {"OLLAMA_RUNNER_DIR": "cuda_v12"}},
        {
            "name": "linux",
            "inherits": ["base"],
            "cacheVariables": {"CMAKE_CUDA_ARCHITECTURES": "50-virtual;61;120"},
        },
        {
            "name": "windows",
            "inherits": ["base"],
            "cacheVariables": {"CMAKE_CUDA_ARCHITECTURES": "75"},
        },
    ]
}


def _commit(folder: Path, tag: str, files: dict[str, str]) -> None:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    by = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
    for arguments in (("add", "."), (*by, "commit", "-qm", tag), ("tag", tag)):
        subprocess.run(["git", "-C", folder, *arguments], check=True)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ollama")
    subprocess.run(["git", "init", "-q", folder], check=True)
    settings = "envconfig/config.go"
    _commit(folder, "v0.1.0", {settings: SETTINGS.format(slots=4).replace("NEW_NAME", "OLD")})
    sources = {
        settings: SETTINGS.format(slots=1),
        "envconfig/config_test.go": 'clean("OLLAMA_FROM_A_TEST")',
        "server/sched.go": SCHEDULER,
        "CMakePresets.json": json.dumps(PRESETS),
        "LLAMA_CPP_VERSION": "b9452\n",
    }
    _commit(folder, "v0.2.0", sources)
    _commit(folder, "v0.3.0", {"LLAMA_CPP_VERSION": "b9479\n"})
    _commit(folder, "ci-build", {"README.md": ""})
    _commit(folder, "v0.4.0-rc1", {settings: 'var Auth = Bool("OLLAMA_AUTH")\n'})
    return folder


def _variable(name: str, since: str, **more: object) -> dict[str, object]:
    told = {"kind": "uint", "scope": "server", "on_invalid": "default", "effect": "", "source": ""}
    return {"name": name, "since": since, **told, **more}


CATALOGUE = Catalogue(
    {
        "engine": "ollama",
        "newest": "0.2.0",
        "lines": {"0.1": [0], "0.2": [0]},
        "era": [{"name": "all", "since": "0.0.1", "source": ""}],
        "variable": [
            _variable("OLLAMA_NUM_PARALLEL", "0.1.0", defaults=[{"since": "0.1.0", "value": "4"}]),
            _variable("OLLAMA_NOPRUNE", "0.1.0"),
        ],
        "one_slot": [
            {"architecture": "lfm2", "since": "0.1.0", "names": ["m"], "source": ""},
            {"architecture": "qwen35", "since": "0.2.0", "names": ["q"], "source": ""},
        ],
        "architecture": [],
        "library": [
            {"name": "cuda_v12", "since": "0.2.0", "architectures": [61, 120], "source": ""}
        ],
        "llama_cpp": {"0.2.0": "b9452"},
    }
)


def _found(checkout: Path) -> list[Difference]:
    source = Checkout(checkout)
    seen = scan(source, lambda _: None)
    source.close()
    return list(differences(seen, CATALOGUE))


def test_what_the_source_says_is_read_by_release(checkout: Path) -> None:
    source = Checkout(checkout)
    seen = scan(source, lambda _: None)
    source.close()
    assert [str(release) for release in seen] == ["0.1.0", "0.2.0", "0.3.0", "0.4.0-rc1"]
    second = seen[Release.parse("0.2.0")]
    assert second.reads == {"OLLAMA_NUM_PARALLEL", "OLLAMA_NOPRUNE", "OLLAMA_NEW_NAME"}
    assert second.defaults == {"OLLAMA_NUM_PARALLEL": "1"}
    assert second.lists["one slot"] == {"lfm2", "qwen35moe"}
    assert second.vision == {"vision"}
    assert second.libraries == {"cuda_v12": {50, 61, 120}}
    assert second.llama_cpp == "b9452"


def test_each_difference_is_told_with_its_releases(checkout: Path) -> None:
    assert _found(checkout) == [
        Difference("releases", "0.3.0", "", "not listed", "a tag"),
        Difference("variables", "OLLAMA_AUTH", "0.4.0-rc1", "-", "read"),
        Difference("variables", "OLLAMA_NEW_NAME", "0.2.0 to 0.3.0", "-", "read"),
        Difference("variables", "OLLAMA_NOPRUNE", "0.4.0-rc1", "read", "-"),
        Difference("variables", "OLLAMA_NUM_PARALLEL", "0.4.0-rc1", "read", "-"),
        Difference("variables", "OLLAMA_OLD", "0.1.0", "-", "read"),
        Difference("defaults", "OLLAMA_NUM_PARALLEL", "0.2.0 to 0.3.0", "4", "1"),
        Difference("one slot", "lfm2", "0.1.0", "one slot", "-"),
        Difference("one slot", "vision", "0.2.0 to 0.4.0-rc1", "-", "one slot"),
        Difference("libraries", "cuda_v12", "0.2.0 to 0.4.0-rc1", "61 120", "50 61 120"),
        Difference("llama.cpp", "the pinned build", "0.3.0 to 0.4.0-rc1", "b9452", "b9479"),
    ]


def test_the_command_prints_them_and_says_so_by_its_exit_code(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(scan_ollama, "load_catalogue", lambda: CATALOGUE)
    assert scan_ollama.main([str(checkout), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)[0]["table"] == "releases"
    assert scan_ollama.main([str(checkout)]) == 1
    assert "releases: 0.3.0" in capsys.readouterr().out
