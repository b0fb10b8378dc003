"""Units, drop-ins and other files whose text stands in a NixOS module."""

from pathlib import Path

import pytest

from generator.check.gather import CheckRequest, check
from generator.check.mend import mended
from tests.check.told import lines, report

pytest.importorskip("tree_sitter_nix", reason="the text of a file is read off the syntax tree")
DROP_IN = """{ pkgs, config, ... }:
{
  environment.etc."systemd/system/ollama.service.d/x.conf"%s
    [Service]
    Environment=OLLAMA_KEEP_ALIVE=1d
    Environment=OLLAMA_MODELS=${config.lab.models}
    StartLimitIntervalSec=5
  \'\';
}
"""
TEXT = DROP_IN % ".text = ''"


@pytest.mark.parametrize("how", [".text = ''", ".source = pkgs.writeText \"x.conf\" ''"])
def test_a_drop_in_is_judged_at_its_lines(how: str, tmp_path: Path) -> None:
    found = lines(tmp_path, "a.nix", DROP_IN % how)
    assert found == ["5 HW109 warning", "7 HW514 warning"]


def test_what_is_mended_keeps_its_indent(tmp_path: Path) -> None:
    file = tmp_path / "a.nix"
    file.write_text(TEXT, encoding="utf-8")
    found = check(CheckRequest(paths=[str(file)]), fixing=True)
    (new,) = mended(found.found, found.texts).values()
    assert new == TEXT.replace(
        "    [Service]\n", "    [Unit]\n    StartLimitIntervalSec=5\n\n    [Service]\n", 1
    ).replace("1d\n", "24h\n").replace("models}\n    StartLimitIntervalSec=5\n", "models}\n")


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ('environment.etc."containers/systemd/ollama.container".text', "5 HW508 warning"),
        ('xdg.configFile."containers/systemd/ollama.container".text', "5 HW508 warning"),
        ('home.file.".config/containers/systemd/ollama.container".text', "5 HW508 warning"),
    ],
)
def test_a_quadlet_wherever_it_is_put(option: str, told: str, tmp_path: Path) -> None:
    quadlet = "''\n    [Container]\n    Image=docker.io/ollama/ollama:latest\n  ''"
    text = f"{{ ... }}:\n{{\n  {option} = {quadlet};\n}}\n"
    assert told in lines(tmp_path, "a.nix", text)


def test_a_text_on_one_line_is_judged_and_not_mended(tmp_path: Path) -> None:
    text = '{ environment.etc."ollama.env".text = "OLLAMA_KEEP_ALIVE=1d\\nOLLAMA_DEBUG=0\\n"; }\n'
    found = report(tmp_path, {"a.nix": text}).findings
    assert [(p.finding.rule, p.place.line, p.edits) for p in found] == [("HW109", 1, ())]


def test_a_file_beside_it_is_judged_as_what_it_becomes(tmp_path: Path) -> None:
    option = 'environment.etc."systemd/system/ollama.service.d/x.conf".source'
    (tmp_path / "x.conf").write_text("[Service]\nEnvironment=OLLAMA_KEEP_ALIVE=1d\n")
    (tmp_path / "a.nix").write_text(f"{{ {option} = ./x.conf; }}\n")
    found = check(CheckRequest(paths=[str(tmp_path / "a.nix")])).findings
    assert [(Path(p.place.file).name, p.place.line, p.finding.rule) for p in found] == [
        ("x.conf", 2, "HW109")
    ]


def test_what_something_else_makes_is_named(tmp_path: Path) -> None:
    name = "systemd/system/ollama.service.d/x.conf"
    made = f'environment.etc."{name}".text = lib.generators.toINI {{ }} {{ }};'
    text = f"{{ lib, ... }}: {{ {made} services.ollama.enable = true; }}\n"
    assert f"etc/{name}" in [gap.part for gap in report(tmp_path, {"a.nix": text}).not_judged]


def test_a_quadlet_of_a_user_is_one(tmp_path: Path) -> None:
    option = 'xdg.configFile."containers/systemd/llm.container".text'
    quadlet = "''\n    [Container]\n    Image=ollama/ollama:0.32.15\n    [Install]\n"
    text = f"{{\n  {option} = {quadlet}    WantedBy=multi-user.target\n  '';\n}}\n"
    assert "6 HW537 warning" in lines(tmp_path, "a.nix", text)
