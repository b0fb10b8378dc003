"""Every `--json` is what its committed JSON Schema says, and holds no key that the schema lacks."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from generator.cli import COMMANDS
from generator.detect.machine import read_machine
from generator.detect.root import archive_of
from generator.errors import shortened
from tests.commands import ROOT, called, run
from tests.detect.machines import NAMES, root_of
from tests.plans import PROFILES
from tools.output_schemas import PRINTED, files

SCHEMAS = ROOT / "docs/schemas"
CORPUS = ROOT / "tests/corpus"
# A machine without a card and one with two of them.
ALL_THAT_FITS = {"xeon-cpu", "dual-pascal"}


def strict(schema: Any) -> Any:
    """Return a schema that lets no key through which it does not name."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {"additionalProperties": False} if "properties" in schema else {}
    return closed | {key: strict(part) for key, part in schema.items()}


def validated(name: str, text: str) -> dict[str, Any]:
    schema = strict(json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8")))
    document: dict[str, Any] = json.loads(text)
    fault = best_match(Draft202012Validator(schema).iter_errors(document))
    assert fault is None, f"{fault.json_path}: {shortened(fault.message, 300)}"
    return document


def test_every_command_has_one() -> None:
    assert {*PRINTED} == {*COMMANDS, "error"} - {"schema"}
    for text in files().values():
        Draft202012Validator.check_schema(json.loads(text))


@pytest.mark.parametrize("fleet", [(), ("--fleet",)])
def test_a_schema_is_a_schema(fleet: tuple[str, ...]) -> None:
    Draft202012Validator.check_schema(json.loads(run("schema", "--json", *fleet).stdout))


def test_list() -> None:
    assert validated("list", run("list", "--json").stdout)["profiles"]


def test_completion() -> None:
    assert validated("completion", run("completion", "bash", "--json").stdout)["shell"] == "bash"


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("command", ["show", "plan", "fit"])
def test_a_profile(command: str, profile: str) -> None:
    # Without a model all that fit are printed: five million characters that tell of one machine.
    some = () if command != "fit" or profile in ALL_THAT_FITS else ("-m", "llama3.1:8b")
    text = run(command, profile, *some, "--json", "--set", "host.memory=64GiB").stdout
    assert validated(command, text)


@pytest.mark.parametrize("more", [("--ollama-version", "0.9"), ("--full-unit", "--legacy-env")])
def test_a_profile_under_flags(more: tuple[str, ...]) -> None:
    assert validated("plan", run("plan", "dual-pascal", "--json", *more).stdout)["services"]
    assert validated("show", run("show", "dual-pascal", "--json", *more).stdout)["settings"]
    of_target = run("show", "dual-pascal", "--json", "-t", "compose", *more)
    assert validated("show", of_target.stdout)["left_out"]


def test_files_and_changes(tmp_path: Path) -> None:
    for profile in PROFILES:
        printed = run(profile, "-t", "all", "--json").stdout
        assert validated("render", printed)["files"]
        assert validated(
            "render", run(profile, "-t", "all", "-o", str(tmp_path / profile), "--json").stdout
        )["changes"]
    dry = run(
        "xeon-cpu",
        "-t",
        "all",
        "-o",
        str(tmp_path / "xeon-cpu"),
        "--diff",
        "--set",
        "threads.count=2",
        "--json",
    ).stdout
    assert "changed" in {change["kind"] for change in validated("render", dry)["changes"]}


def test_fit_of_many_kinds() -> None:
    some = ("-m", "llama3.1:8b", "-m", "llama3.3:70b", "-m", "gpt-oss:20b")
    for more in ((), ("--parallel", "4"), ("--ollama-version", "0.9")):
        document = validated("fit", run("fit", "dual-pascal", *some, *more, "--json").stdout)
        assert len(document["models"]) == len(some) // 2
        assert document["together"]


def test_fit_where_a_size_is_not_known() -> None:
    unbounded = ("--set", "ollama.prompt_cache=infinity")
    document = validated("fit", run("fit", "dual-pascal", *unbounded, "--json").stdout)
    assert None in {room["left"] for room in document["models"][0]["rooms"]}
    assert {room["may_grow_by"] for room in document["models"][0]["rooms"]} == {None, 0}


def test_fleet(tmp_path: Path) -> None:
    file = tmp_path / "fleet.toml"
    file.write_text('schema_version = 1\n[hosts.a]\nprofile = "xeon-cpu"\ntags = ["x"]\n')
    for more in ((), ("-o", "-"), ("-o", str(tmp_path / "out"))):
        assert validated("fleet", run("fleet", str(file), *more, "--json").stdout)


def test_check_of_everything_that_is_read() -> None:
    document = validated("check", run("check", str(CORPUS), *PROFILES, "--json").stdout)
    assert len(document["findings"]) > 50
    assert document["files"]
    whole = {each["file"] for each in document["not_judged"] if not each["part"]}
    assert whole.isdisjoint(document["files"])


def test_check_says_what_was_not_read(tmp_path: Path) -> None:
    module = tmp_path / "ollama.nix"
    module.write_text("{ config, ... }: { services.ollama = config.mine; }\n")
    strict = ("--fail-on", "not-judged")
    done = called("check", str(module), "--json", *strict, env={"PATH": str(tmp_path)})
    assert done.returncode in {2, 3}  # without Nix the syntax tree is read, where that can be
    (gap,) = validated("check", done.stdout)["not_judged"]
    assert gap["file"] == str(module)


def names() -> Iterator[str]:
    listed = validated("explain", run("explain", "--list", "--json").stdout)["names"]
    yield from (entry["name"] for entry in listed)


@pytest.mark.parametrize("release", [(), ("--ollama-version", "0.9")])
def test_explain_everything(release: tuple[str, ...]) -> None:
    text = run("explain", "--json", *release, "--", *names(), "LLAMA_ARG_NO_MMAP").stdout
    kinds = {page["kind"] for page in validated("explain", text)["pages"]}
    assert kinds == {
        *("rule", "variable", "dead", "key", "limit", "option", "setting", "topic", "model"),
    }


def test_explain_a_profile() -> None:
    for names in ((), ("OLLAMA_NUM_PARALLEL",), ("maxconn",)):
        text = run("explain", *names, "-p", "xeon-cpu", "--json").stdout
        assert bool(validated("explain", text)["values"]) is ("maxconn" not in names)


@pytest.mark.parametrize("machine", NAMES)
def test_detect(machine: str, tmp_path: Path) -> None:
    root, file = root_of(machine), tmp_path / "machine.tar"
    read_machine(root)
    file.write_bytes(archive_of(root.taken))
    assert validated("detect", run("detect", "--root", str(file), "--json").stdout)["tuning"]


@pytest.mark.parametrize(
    "args",
    [
        ("show",),
        ("show", "nope"),
        ("show", "xeon-cpu", "--set", "a=1", "--set", "b=2"),
        ("detct",),
        ("list", "--nope"),
        ("fit", "xeon-cpu", "--server", "http://127.0.0.1:1", "-m", "x"),
        ("fleet", "/nowhere.toml"),
        ("detect", "--root", "/nowhere"),
        ("explain", "NOTHING_LIKE_IT"),
        ("xeon-cpu", "-t", "compose", "-o", "/dev/null/out"),
    ],
)
def test_failures(args: tuple[str, ...]) -> None:
    done = called(*args, "--json")
    assert validated("error", done.stdout)["exit_code"] == done.returncode
