"""The layout of every `.nix`, as far as it can be held without nixfmt: see `tests/engines`."""

import re
from pathlib import Path

import pytest

from generator.errors import ProfileError
from generator.targets import load_target
from tests.plans import PROFILES, RELEASES, plan, shipped
from tests.test_own_output import OWN

ROOT = Path(__file__).parents[2]
FOLDERS = ("benchmarks", "generator", "modules", "nix", "templates", "tests")
# What others have written, as they write it.
NOT_OURS = ROOT / "tests" / "corpus"
WIDTH = 100
CHANGES = (
    "ollama.models_dir=/srv/m",
    f"ollama.models_dir=/srv/{'m' * 90}",
    "ollama.acceleration=vulkan",
    f"ollama.env.{'A' * 90}={'v' * 30}",
    'models=[{ name="a:1b", preload=true, parameters={ stop=["a", "b"] } }]',
    f'models=[{{ name="{"a" * 90}:1b" }}]',
    f'service.environment_files=["/run/{"s" * 90}", "/run/x"]',
    'ollama.build={ blas="openblas" }',
    'service.credentials={ SSL_CERT_FILE={ path="/run/8" } }',
    'service.credentials={ id_ed25519={ path="/run/9" } }',
)


def committed() -> list[Path]:
    """Return the files of this repository, without those of the corpus."""
    found = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.nix")]
    return sorted([ROOT / "flake.nix", *(path for path in found if NOT_OURS not in path.parents)])


def rendered(folder: Path) -> list[Path]:
    """Write modules of every shape below a folder, and return them."""
    plans = [plan(data) for data in OWN.values()]
    for name in PROFILES:
        for release in RELEASES:
            for change in ((), *((one,) for one in CHANGES)):
                try:
                    plans.append(shipped(name, *change, version=release))
                except ProfileError:
                    continue  # Not of that host, or that release.
    texts = {file.text for one in plans for file in load_target("nixos").render(one)}
    files = []
    for number, text in enumerate(sorted(texts)):
        files.append(folder / f"{number}.nix")
        files[-1].write_text(text, encoding="utf-8")
    return files


def without_files(text: str) -> str:
    """Return a module without the lines of files that it holds, which stand as they are."""
    return re.sub(r"(''\n).*?\n( *'')", r"\1\2", text, flags=re.DOTALL)


def faults(text: str) -> list[str]:
    lines = without_files(text).split("\n")
    ends = [] if text.endswith("\n") and not text.endswith("\n\n") else ["no newline at the end"]
    return ends + [
        line
        for line in lines
        if line != line.rstrip()
        or re.match(r" *\t", line)
        # A text cannot be parted, nor need a comment be; but a list of one can be opened.
        or (
            len(line.strip()) > WIDTH
            and not line.lstrip().startswith("#")
            and ('"' not in line or re.search(r"= \[ .* \];$", line))
        )
    ]


@pytest.mark.parametrize("file", committed(), ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_committed(file: Path) -> None:
    assert faults(file.read_text(encoding="utf-8")) == []


def test_what_is_made(tmp_path: Path) -> None:
    files = rendered(tmp_path)
    assert len(files) > 40
    found = {file.name: faults(file.read_text(encoding="utf-8")) for file in files}
    assert {name: lines for name, lines in found.items() if lines} == {}
    # Lines of a shell are scripts of the store, not words of a command.
    assert [file.name for file in files if "/bin/sh" in file.read_text(encoding="utf-8")] == []
