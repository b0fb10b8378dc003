from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generator.errors import RenderError
from generator.formats.nix import (
    Call,
    Interpolated,
    Lines,
    Raw,
    Value,
    attr_name,
    attr_path,
    indented_string,
    nix_string,
    to_nix,
)
from generator.formats.text import Commented
from tests.hostile import HOSTILE, batches, texts
from tests.tools import require

HOSTILE_LINES = ("", "a", " a\n", "a\n \nb\n", "a''\n", "'''\n", "a'${x}\n", "$${x}\na\n", "a\tb\n")
NIX_CONFIG = """\
build-users-group =
sandbox = false
substituters =
experimental-features = nix-command flakes
flake-registry =
"""


def run_nix(expression: str, *flags: str) -> subprocess.CompletedProcess[str]:
    tool = require("nix-instantiate")
    with TemporaryDirectory() as directory:
        file = Path(directory, "default.nix")
        file.write_text(expression, encoding="utf-8", newline="")
        return subprocess.run(
            [tool, *flags, str(file)],
            env=os.environ
            | {"NIX_CONFIG": NIX_CONFIG, "HOME": directory, "NIX_STATE_DIR": directory},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )


def evaluate(expression: str) -> Any:
    """Return what Nix makes of `expression`; the exit status decides, not the output."""
    done = run_nix(expression, "--eval", "--strict", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# ── layout, by hand ───────────────────────────────────────────────────────────────────────────


def test_a_module_looks_as_a_person_writes_it() -> None:
    quota = "20 of 24 hardware threads; at least one per compute thread, or they stall each other."
    assert (
        to_nix(
            {
                ("services", "ollama"): {
                    "enable": Call("mkDefault", True),
                    "host": Call("mkDefault", "127.0.0.1"),
                    "package": Raw("pkgs.ollama-cpu"),
                    "environmentVariables": {
                        "LLAMA_ARG_THREADS": Commented(Call("mkDefault", "20"), "Compute threads."),
                        "OMP_NUM_THREADS": Commented(Call("mkDefault", "20"), gap=True),
                    },
                    "loadModels": ["qwen2.5-coder:7b"],
                },
                ("systemd", "services", "ollama", "serviceConfig"): Commented(
                    {
                        "CPUQuota": Commented(Call("mkDefault", "2000%"), quota),
                        "OOMScoreAdjust": Call("mkDefault", -500),
                        "DeviceAllow": Call("mkForce", ["/dev/nvidia0 rw", "/dev/nvidiactl rw"]),
                    },
                    gap=True,
                ),
            }
        )
        == """\
{
  services.ollama = {
    enable = mkDefault true;
    host = mkDefault "127.0.0.1";
    package = pkgs.ollama-cpu;
    environmentVariables = {
      # Compute threads.
      LLAMA_ARG_THREADS = mkDefault "20";

      OMP_NUM_THREADS = mkDefault "20";
    };
    loadModels = [ "qwen2.5-coder:7b" ];
  };

  systemd.services.ollama.serviceConfig = {
    # 20 of 24 hardware threads; at least one per compute thread, or they stall each other.
    CPUQuota = mkDefault "2000%";
    OOMScoreAdjust = mkDefault (-500);
    DeviceAllow = mkForce [
      "/dev/nvidia0 rw"
      "/dev/nvidiactl rw"
    ];
  };
}"""
    )


def test_a_commented_document_has_its_comment_above() -> None:
    assert to_nix(Commented({"a": 1}, "why")) == "# why\n{\n  a = 1;\n}"


def test_long_comments_wrap_at_one_hundred_columns() -> None:
    text = to_nix({"a": {"b": Commented(1, "word " * 60)}})
    lines = [line for line in text.splitlines() if "#" in line]
    assert all(line.startswith("    # word") for line in lines)
    assert [len(line) for line in lines] == [100, 100, 100, 20]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({}, "{ }"),
        ([], "[ ]"),
        ([1], "[ 1 ]"),
        (["a"], '[ "a" ]'),
        ([-1], "[ (-1) ]"),
        ([-0.5, 1], "[\n  (-0.5)\n  1\n]"),
        ([Raw("pkgs.hello")], "[ pkgs.hello ]"),
        ([Raw("./module.nix")], "[ ./module.nix ]"),
        ([Raw("f x")], "[ (f x) ]"),
        ([Raw('"a" + "b"')], '[ ("a" + "b") ]'),
        ([Call("mkBefore", [1])], "[ (mkBefore [ 1 ]) ]"),
        ([{"a": 1}], "[\n  {\n    a = 1;\n  }\n]"),
        ([Commented("a", "why"), Commented("b", gap=True)], '[\n  # why\n  "a"\n\n  "b"\n]'),
        (Call("mkIf cfg.enable", {"a": 1}), "mkIf cfg.enable {\n  a = 1;\n}"),
        (Call("mkDefault", Call("toString", -1)), "mkDefault (toString (-1))"),
        (Call("mkDefault", Raw("a ++ b")), "mkDefault (a ++ b)"),
        (Call("mkDefault", None), "mkDefault null"),
        (-1, "-1"),
        (0.25, "0.25"),
        (1e-05, "1.0e-05"),
        (False, "false"),
        ({"a": Raw("let\n  x = 1;\nin\nx")}, "{\n  a = let\n    x = 1;\n  in\n  x;\n}"),
        ((1, 2), "[\n  1\n  2\n]"),
    ],
)
def test_values(value: Value, text: str) -> None:
    assert to_nix(value) == text


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        ("plain", '"plain"'),
        ('say "hi"', r'"say \"hi\""'),
        ("a\\b", r'"a\\b"'),
        ("${x} $x $$", r'"\${x} $x $$"'),
        ("a\nb\rc\td", r'"a\nb\rc\td"'),
        ("''", "\"''\""),
        ("é漢🦙\u2028", '"é漢🦙\u2028"'),
    ],
)
def test_strings(text: str, literal: str) -> None:
    assert nix_string(text) == literal


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        ("plain $x", '"plain $x"'),
        ('[ -e "$x" ]', "''[ -e \"$x\" ]''"),
        ('"${x%/*}"', "''\"''${x%/*}\"''"),
        ("""echo "a" 'b'""", r'''"echo \"a\" 'b'"'''),
        ('"a"\n', r'"\"a\"\n"'),
    ],
)
def test_lines_of_a_shell(text: str, literal: str) -> None:
    assert indented_string(text) == literal


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("CPUQuota", "CPUQuota"),
        ("_a-b'", "_a-b'"),
        ("with", '"with"'),
        ("or", '"or"'),
        ("true", "true"),
        ("1st", '"1st"'),
        ("a.b", '"a.b"'),
        ("", '""'),
        ("a b", '"a b"'),
        ("é", '"é"'),
        ("${x}", r'"\${x}"'),
    ],
)
def test_attribute_names(name: str, text: str) -> None:
    assert attr_name(name) == text


def test_attribute_paths() -> None:
    assert attr_path("services", "my app", "enable") == 'services."my app".enable'


# ── what Nix cannot hold ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("value", ["a\x00", "\ud800", "\ufffe", 2**63, -(2**63), float("nan")])
def test_a_refusal_names_the_attribute(value: str | float) -> None:
    with pytest.raises(RenderError, match=r"`services\.ollama\.host`"):
        to_nix({("services", "ollama"): {"host": Call("mkDefault", value)}})


def test_a_name_with_nul_is_refused() -> None:
    with pytest.raises(RenderError, match="attribute name"):
        to_nix({"a\x00": 1})


def test_a_value_of_another_type_is_a_bug() -> None:
    with pytest.raises(TypeError, match="a: no Nix expression for set"):
        to_nix({"a": {1, 2}})  # type: ignore[dict-item]


# ── what Nix reads back ───────────────────────────────────────────────────────────────────────


def test_hostile_strings_survive_nix() -> None:
    assert evaluate(to_nix(HOSTILE)) == list(HOSTILE)


def test_hostile_lines_survive_nix() -> None:
    lines = [f'"{text}{end}' for text in HOSTILE for end in ('"', "'", "$", "")]
    lines += ["\"'${x}", '"$${x}', "\"''${x}", "\"''$", '"\\n', ' "a"']
    literals = "\n".join(f"({indented_string(line)})" for line in lines)
    assert evaluate(f"[ {literals} ]") == lines


def test_hostile_texts_of_lines_survive_nix() -> None:
    lines = [f"a\n  {text}\n\n b\n" for text in HOSTILE if "\0" not in text]
    written = to_nix([Call("f", Lines(text)) for text in [*lines, *HOSTILE_LINES]])
    assert evaluate(f"let f = x: x; in {written}") == [*lines, *HOSTILE_LINES]


def test_lines_stand_as_they_are() -> None:
    text = to_nix({"a": Call("f", Lines('b "${c}"\n\n  d\n'))})
    assert text == """{\n  a = f ''\n    b "''${c}"\n\n      d\n  '';\n}"""


def test_hostile_names_survive_nix() -> None:
    names = [*HOSTILE, "if", "then", "or", "inherit", "__functor", "a-b", "a'"]
    document = {name: {("x", name): number} for number, name in enumerate(names)}
    expected = {name: {"x": {name: number}} for number, name in enumerate(names)}
    assert evaluate(to_nix(document)) == expected


def test_hostile_comments_survive_nix() -> None:
    document: dict[str, Value] = {f"a{i}": Commented(i, c) for i, c in enumerate(HOSTILE)}
    assert evaluate(to_nix(document)) == {f"a{i}": i for i in range(len(HOSTILE))}


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(batches)
def test_any_strings_survive_nix(strings: list[str]) -> None:
    assert evaluate(to_nix(strings)) == strings


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.integers(-4000, 4000).map(lambda number: number / 8)
    | texts
)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(DOCUMENTS, min_size=5, max_size=30))
def test_any_document_survives_nix(documents: list[Any]) -> None:
    assert evaluate(to_nix(documents)) == documents


def test_calls_and_raw_expressions_evaluate() -> None:
    text = to_nix(
        {
            "a": Call("f", -1),
            "b": [Call("f", -1), Raw("f 2"), -3, -0.5],
            "c": Call("f", Raw("1 + 1")),
            "d": Raw("let\n  x = 1;\nin\nx"),
        }
    )
    assert evaluate(f"let f = x: x * 2; in {text}") == {
        "a": -2,
        "b": [-2, 4, -3, -0.5],
        "c": 4,
        "d": 1,
    }


def test_hostile_text_around_an_expression_survives_nix() -> None:
    texts = [*HOSTILE, "a$", "$$", "\\$", "${"]
    document = [Interpolated((text, Raw('"{x}"'), text, text)) for text in texts]
    assert evaluate(to_nix(document)) == [f"{text}{{x}}{text}{text}" for text in texts]


def test_a_module_parses() -> None:
    document: Value = {("services", "ollama"): {"package": Raw("pkgs.ollama"), "a": [Raw("f x")]}}
    done = run_nix(f"{{ pkgs, f, x, ... }}: {to_nix(document)}", "--parse")
    assert done.returncode == 0, done.stderr
