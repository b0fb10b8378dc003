"""`gen explain` as a command: usage, colours, JSON, and what it imports."""

import json
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner, Result

from generator.cli import gen
from generator.explain.lookup import listed
from generator.explain.page import KINDS


def run(*args: str) -> Result:
    return CliRunner().invoke(gen, ["explain", *args], prog_name="gen", standalone_mode=False)


def test_unknown_names_exit_2_without_output() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "generator", "explain", "OLLAMA_NUM_PARALEL"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: there is nothing to explain by the name `OLLAMA_NUM_PARALEL`\n"
        "hint: did you mean `OLLAMA_NUM_PARALLEL` or `ollama.num_parallel` or "
        "`OLLAMA_MAX_PARALLEL`? `gen explain --list` has every name\n"
    )


def test_names_that_are_known_are_explained_beside_one_that_is_not() -> None:
    result = run("HW202", "NO_SUCH_NAME")
    assert result.output.startswith("HW202 ")
    assert "`NO_SUCH_NAME`" in str(result.exception)


@pytest.mark.parametrize("args", [[], ["--list", "rule", "HW202"], ["--list", "nonsense"]])
def test_bad_usage(args: list[str]) -> None:
    assert isinstance(run(*args).exception, click.UsageError)


def test_the_list_is_grouped_one_line_each() -> None:
    lines = run("--list").output.splitlines()
    heads = [line for line in lines if line and not line.startswith(" ")]
    assert [head.partition(":")[0] for head in heads] == list(KINDS)
    assert max(map(len, lines)) <= 80
    assert "  HW202  warning: more compute threads than the CPU quota lets run" in lines
    assert len(lines) == len(listed()) + 2 * len(KINDS) - 1


def test_the_list_of_a_kind() -> None:
    lines = run("--list", "option").output.splitlines()
    assert lines[0] == "option: model options: requests, PARAMETER in a Modelfile"
    assert [line.split()[0] for line in lines[1:4]] == ["num_ctx", "num_thread", "num_gpu"]


def test_json_of_a_variable() -> None:
    document = json.loads(run("OLLAMA_DEBUG", "HW202", "--json").output)
    assert document["schema_version"] == 1
    variable, rule = document["pages"]
    assert variable["kind"] == "variable"
    assert variable["name"] == "OLLAMA_DEBUG"
    assert variable["since"] == "0.1.21"
    assert variable["removed"] is None
    assert variable["allowed"][1]["values"] == ["0", "1", "2"]
    assert variable["profile_key"] == "ollama.debug"
    assert variable["sources"] == ["envconfig/config.go@v0.32.15:199-212"]
    assert rule["severity"] == "warning"
    assert rule["bad"] == "CPUQuota=400%\nEnvironment=LLAMA_ARG_THREADS=8"


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("HW202", {"severity", "why", "bad", "good", "releases", "silence"}),
        (
            "OLLAMA_HOST",
            {
                *("type", "scope", "since", "removed", "effective", "effective_until"),
                *("defaults", "allowed", "on_invalid", "dangerous", "safe", "replacement"),
                *("note", "status", "profile_key", "rules"),
            },
        ),
        (
            "OLLAMA_NUM_THREADS",
            {"category", "belief", "replacement", "profile_key", "names", "note"},
        ),
        (
            "ollama.keep_alive",
            {"takes", "default", "required", "keys", "becomes", "rules"},
        ),
        ("CPUQuota", {"compose", "profile_key", "ollama", "careful", "rules"}),
        (
            "num_ctx",
            {
                *("type", "since", "removed", "defaults", "modelfile", "reload"),
                *("status", "rules"),
            },
        ),
    ],
)
def test_json_has_the_same_fields_for_all_of_a_kind(name: str, fields: set[str]) -> None:
    (told,) = json.loads(run(name, "--json").output)["pages"]
    assert {*told} == {"kind", "name", "summary", "sources"} | fields


def test_json_of_the_list() -> None:
    document = json.loads(run("--list", "limit", "--json").output)
    assert document["schema_version"] == 1
    assert document["names"][0]["kind"] == "limit"
    assert document["names"][0]["name"] == "CPUQuota"


def test_nothing_imports_pydantic() -> None:
    code = (
        "import sys\nfrom generator.cli import gen\n"
        "for args in (['OLLAMA_KEEP_ALIVE'], ['keep_alive', 'CPUQuota', 'HW202'], ['--list']):"
        "\n    gen.main(['explain', *args], standalone_mode=False)\n"
        "print(sorted({m.split('.')[0] for m in sys.modules} "
        "& {'pydantic', 'jinja2', 'yaml', 'tomli_w', 'tomlkit'}))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def on_a_terminal(*args: str) -> str:
    result = CliRunner().invoke(gen, ["explain", *args], color=True, standalone_mode=False)
    return result.output


def test_colour_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert on_a_terminal("HW202").startswith("\x1b[1mHW202 · ")
    assert "\x1b" not in run("HW202").output
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in on_a_terminal("HW202")


def test_of_a_profile_every_value_is_told_with_its_reason() -> None:
    told = run("-p", "xeon-cpu").output
    assert "services.ollama.environment\n" in told
    assert "profile: Request slots per model;" in told
    one = run("OLLAMA_NUM_PARALLEL", "-p", "xeon-cpu").output
    assert one.startswith("OLLAMA_NUM_PARALLEL · read by the server")
    assert "\nIn xeon-cpu:\nservices.ollama.environment\nwhat " in one


def test_a_value_of_a_profile_is_found_by_its_key_as_well() -> None:
    document = json.loads(run("ollama.num_parallel", "-p", "xeon-cpu", "--json").output)
    assert [(one["name"], one["value"]) for one in document["values"]] == [
        ("OLLAMA_NUM_PARALLEL", "4")
    ]
    assert [page["name"] for page in document["pages"]] == ["ollama.num_parallel"]


def test_a_topic_tells_what_a_host_has_of_it() -> None:
    document = json.loads(run("keep-alive", "-p", "dual-pascal", "--json").output)
    assert ("OLLAMA_KEEP_ALIVE", "1h") in {(v["name"], v["value"]) for v in document["values"]}
    assert [page["name"] for page in document["pages"]] == ["keep-alive"]


def test_what_is_advised_of_a_name_ends_its_page() -> None:
    told = run("sched_spread", "-p", "dual-pascal").output
    assert told.index("key of a profile") < told.index("In dual-pascal:") < told.index("Advised:")
    assert told.splitlines()[-2].strip() == "--set ollama.sched_spread=false"
    document = json.loads(run("ollama.sched_spread", "-p", "dual-pascal", "--json").output)
    assert [one["lever"] for one in document["advice"]] == ["one card where it does"]
    assert json.loads(run("HOME", "-p", "dual-pascal", "--json").output)["advice"] == []


def test_what_a_profile_does_not_decide_is_said() -> None:
    told = run("maxconn", "-p", "xeon-cpu").output
    assert told.endswith("xeon-cpu decides nothing of that name.\n")
    assert "`nonsense`" in str(run("nonsense", "-p", "xeon-cpu").exception)
    assert run("--list", "rule", "-p", "xeon-cpu").exit_code != 0
