"""Bad profiles: every problem at once, each with where, what and what to do."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from generator.errors import EnvironmentFailure, HostwrightError, Problem, ProfileError
from generator.pipeline import plan_of
from generator.profiles.flags import TEXT_KEYS
from generator.profiles.json_schema import json_schema
from generator.profiles.load import load_profile, read_document

HEAD = 'schema_version = 1\nname = "mine"\n'


def problems(path: Path, text: str, *overrides: str) -> dict[str, Problem]:
    path.write_text(HEAD + text, encoding="utf-8")
    with pytest.raises(ProfileError) as caught:
        load_profile(str(path), overrides)
    return {problem.where: problem for problem in caught.value.problems}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "mine.toml"


def test_all_problems_of_a_file_come_at_once(file: Path) -> None:
    found = problems(
        file,
        """
        [ollama]
        keep_alive = "1d"
        num_parallel = "4"
        acceleration = "cudda"
        [resources]
        cpu_qouta = "2000%"
        memory_max = "24GB"
        [gpu]
        layers = "al"
        """,
    )
    told = {where: (problem.message, problem.hint) for where, problem in found.items()}
    assert told == {
        "ollama.keep_alive": (
            "`1d` is not a Go duration, which has no unit above the hour",
            "write `24h`",
        ),
        "ollama.num_parallel": ("`4` is not a whole number", "write it without quotes, like `4`"),
        "ollama.acceleration": ("`cudda` is not one of the values", "did you mean `cuda`?"),
        "resources.cpu_qouta": ("unknown key", "did you mean `cpu_quota`?"),
        "resources.memory_max": (
            "`24GB` is decimal for some and binary for others",
            "write `24G` or `24GiB` (both × 1024)",
        ),
        "gpu.layers": ("`al` is not one of the values", "write a whole number or 'fit'"),
    }


def test_a_problem_names_the_file_or_flag_it_came_from(file: Path) -> None:
    base = file.with_name("base.toml")
    base.write_text(HEAD + '[ollama]\nport = "x"\n[resources]\nnice = 99\n')
    found = problems(file, 'extends = "./base.toml"\n', "resources.nice=98")
    assert found["ollama.port"].source == str(base)
    assert found["resources.nice"].source == "--set"


def test_extends_merges_tables_and_replaces_arrays(file: Path) -> None:
    file.write_text(
        HEAD
        + """
        extends = "xeon-cpu"
        [ollama]
        num_parallel = 2
        [[models]]
        name = "llama3.2:3b"
        """.replace("        ", "")
    )
    profile = load_profile(str(file))
    assert profile.name == "mine"
    assert profile.ollama.num_parallel == 2
    assert profile.ollama.context_length == 8192
    assert [model.name for model in profile.models] == ["llama3.2:3b"]


def test_a_circle_of_extends_is_told(file: Path) -> None:
    file.write_text(HEAD + 'extends = "./other.toml"\n')
    file.with_name("other.toml").write_text(HEAD + 'extends = "./mine.toml"\n')
    with pytest.raises(ProfileError) as caught:
        load_profile(str(file))
    assert "extend each other" in caught.value.problems[0].message


def test_a_missing_parent_names_who_asked_for_it(file: Path) -> None:
    file.write_text(HEAD + 'extends = "xeon-cpuu"\n')
    with pytest.raises(HostwrightError) as caught:
        load_profile(str(file))
    assert caught.value.message == f"there is no profile `xeon-cpuu`, which {file} extends"
    assert "did you mean `xeon-cpu`?" in caught.value.hint


def test_a_missing_profile_lists_the_known_ones() -> None:
    with pytest.raises(HostwrightError) as caught:
        load_profile("nope")
    assert caught.value.exit_code == 2
    for name in ("container-dev", "dgx-spark", "dual-pascal", "xeon-cpu"):
        assert name in caught.value.hint


def test_toml_syntax_is_told_with_line_and_column(file: Path) -> None:
    file.write_text('schema_version = 1\nname = "x\n')
    with pytest.raises(ProfileError) as caught:
        load_profile(str(file))
    assert caught.value.problems[0].where == "line 2, column 10"


def test_a_file_that_is_not_utf8_is_told(file: Path) -> None:
    file.write_bytes(b'name = "\xff"\n')
    with pytest.raises(ProfileError) as caught:
        load_profile(str(file))
    assert caught.value.problems[0].message == "this is not UTF-8"


def test_a_directory_is_no_profile(tmp_path: Path) -> None:
    with pytest.raises(HostwrightError):
        load_profile(f"{tmp_path}/")


@pytest.mark.parametrize("name", ["/", "/dev/null"])
def test_what_is_no_regular_file_is_no_profile(name: str) -> None:
    with pytest.raises(HostwrightError) as caught:
        load_profile(name)
    assert caught.value.message == f"`{name}` is not a regular file"


@pytest.mark.parametrize(
    "name", ["~nouser/x.toml", "./" + "a" * 5000 + ".toml", "./a\0.toml", "./\udcff.toml"]
)
def test_a_path_that_cannot_be_is_a_missing_profile(name: str) -> None:
    with pytest.raises(HostwrightError, match="there is no profile") as caught:
        load_profile(name)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("extended", [False, True])
def test_an_unreadable_directory_is_the_environments_fault(
    file: Path, extended: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text(HEAD + 'extends = "./closed/base.toml"\n')
    real = Path.stat

    def stat(path: Path, **more: Any) -> os.stat_result:
        if "closed" in path.parts:
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(path, **more)

    monkeypatch.setattr(Path, "stat", stat)
    with pytest.raises(EnvironmentFailure, match=r"cannot read .*base\.toml: Permission denied"):
        load_profile(str(file) if extended else str(file.with_name("closed") / "base.toml"))


LARGE = "9" * 5000
DEEP = "[" * 5000 + "]" * 5000
DOTTED = "a." * 5000 + "a"


@pytest.mark.parametrize(
    "text",
    [
        f"a = {LARGE}",
        f"a = 0x{LARGE}",
        f"a = {DEEP}",
        f"a = {DEEP[4700:5300]}",
        f"{DOTTED} = 1",
        f"[{DOTTED}]",
        "a = " + "{ a = " * 5000 + "1" + " }" * 5000,
    ],
    ids=lambda text: text[:8],
)
def test_what_no_profile_can_hold_is_told(file: Path, text: str) -> None:
    (problem,) = problems(file, text).values()
    assert problem.message in {
        "a whole number does not fit into 64 bits",
        "tables or arrays are nested too deeply",
    }


@pytest.mark.parametrize(
    "flag",
    [
        f"resources.nice={LARGE}",
        f"resources.nice=0x{LARGE}",
        f"resources.nice={DEEP}",
        f"{DOTTED}=1",
        f"models.{LARGE}.name=x",
        f"description.{LARGE}=x",
        "description=\udcff",
        "threads.count=8\nname='x'",
        "extends=xeon-cpu",
        "extends.a=1",
    ],
    ids=lambda flag: flag[:16],
)
def test_no_flag_is_a_traceback_or_fills_the_screen(flag: str) -> None:
    with pytest.raises(ProfileError) as caught:
        load_profile("xeon-cpu", [flag])
    (problem,) = caught.value.problems
    assert "--set" in {caught.value.source, problem.source}
    assert problem.hint
    assert max(map(len, (problem.where, problem.message, problem.hint))) < 120


def test_a_byte_order_mark_is_told(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf" + HEAD.encode())
    with pytest.raises(ProfileError) as caught:
        load_profile(str(file))
    (problem,) = caught.value.problems
    assert problem.message == "this file starts with a byte order mark"
    assert problem.hint == "save it as UTF-8 without BOM"


def test_an_unreadable_file_is_the_environments_fault(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text(HEAD)

    def denied(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", denied)
    with pytest.raises(EnvironmentFailure, match="Permission denied"):
        load_profile(str(file))


@pytest.mark.parametrize(
    ("flag", "path", "value"),
    [
        ("threads.count=8", ("threads", "count"), 8),
        ("resources.cpu_quota=800%", ("resources", "cpu_quota"), "800%"),
        ("ollama.version=0.30", ("ollama", "version"), "0.30"),
        ("ollama.flash_attention=false", ("ollama", "flash_attention"), False),
        ("gpu.visible_devices=['0']", ("gpu", "visible_devices"), ["0"]),
        ("ollama.env.FOO=a=b", ("ollama", "env", "FOO"), "a=b"),
        ("ollama.env.FOO=", ("ollama", "env", "FOO"), ""),
        ("ollama.env.FOO=0x1f", ("ollama", "env", "FOO"), "0x1f"),
        ("host.driver=535", ("host", "driver"), "535"),
        ("container.tag=0.32", ("container", "tag"), "0.32"),
        ("service.user=1000", ("service", "user"), "1000"),
        ("description=1e3", ("description",), "1e3"),
        ("ollama.env.FOO=true", ("ollama", "env", "FOO"), "true"),
        ("ollama.env.FOO='a # b'", ("ollama", "env", "FOO"), "a # b"),
    ],
)
def test_set_reads_toml_values_and_bare_words(
    flag: str, path: tuple[str, ...], value: object
) -> None:
    data: object = read_document("xeon-cpu", [flag]).data
    for key in path:
        assert isinstance(data, dict)
        data = data[key]
    assert data == value


def text_keys(
    table: dict[str, Any], schema: dict[str, Any], path: tuple[str, ...] = ()
) -> Iterator[tuple[str, str]]:
    """Yield the keys that the schema gives text and nothing else, `*` for any key."""
    choices = [choice for choice in table.get("anyOf", [table]) if choice.get("type") != "null"]
    if len(choices) > 1:
        return
    (part,) = choices
    if "$ref" in part:
        part = schema["$defs"][part["$ref"].split("/")[-1]]
    for key, below in part.get("properties", {}).items():
        yield from text_keys(below, schema, (*path, key))
    for below in (part.get("items"), part.get("additionalProperties")):
        if below:
            yield from text_keys(below, schema, (*path, "*"))
    if part.get("type") == "string":
        yield ".".join(path[:-1]), path[-1]


def test_the_text_keys_of_set_are_the_schemas() -> None:
    schema = json_schema()
    found = set(text_keys(schema, schema)) - {("", "extends")}
    assert found == {(table, key) for table, keys in TEXT_KEYS.items() for key in keys}


@pytest.mark.parametrize(
    ("text", "flags", "where", "origin"),
    [
        ("", ["ollama.kv_cache_type=q9"], "ollama.kv_cache_type", "--set"),
        ('extends = "./base.toml"', [], "ollama.kv_cache_type", "base.toml"),
        ('ollama.kv_cache_type = "q9"', [], "ollama.kv_cache_type", "mine.toml"),
    ],
)
def test_an_error_of_meaning_names_the_file_or_flag_too(
    file: Path, text: str, flags: list[str], where: str, origin: str
) -> None:
    file.with_name("base.toml").write_text(HEAD + 'ollama.kv_cache_type = "q9"\n')
    file.write_text(HEAD + text)
    with pytest.raises(ProfileError) as caught:
        plan_of(read_document(str(file), flags))
    assert [(p.where, Path(p.source).name) for p in caught.value.problems] == [(where, origin)]


def test_a_flag_that_replaces_a_table_owns_its_keys(file: Path) -> None:
    found = problems(file, "[resources]\nnice = 1\n", "resources={ nice = 99 }")
    assert found["resources.nice"].source == "--set"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("models = {}", "`{}` is not an array", "write `[[models]]`"),
        ("models = [1]", "`1` is not a table", "write `[[models]]`"),
        ("host = true", "`true` is not a table", "write `[host]`"),
        ("host.gpus = { a = 1 }", '`{"a": 1}` is not an array', "write `[[host.gpus]]`"),
        ("resources.cpu_quota = inf", "`inf` is not a whole number", 'write it like `"2000%"`'),
        ("resources.memory_max = 1.5", "`1.5` is not one of the values", 'write it like `"20G"`'),
        ("resources.nice = nan", "`nan` is not a whole number", "write it in digits alone, like"),
        ("threads.count = true", "`true` is not a whole number", "write it in digits alone, like"),
        ("description = [true]", "`[true]` is not text", "write it in quotes"),
        (f'description = ["{"x" * 5000}"]', f'`["{"x" * 57}…` is not text', "write it in quotes"),
        (f'ollama.host = "{"," * 5000}"', f"`{',' * 59}…` is not an address", "write a host name"),
        (f'ollama.acceleration = "{"x" * 5000}"', f"`{'x' * 59}…` is not one of", "write 'cpu', "),
        ('ollama.host = "a\\nb"', "`a\\nb` is not an address", "write a host name"),
    ],
    ids=lambda text: text[:24],
)
def test_a_value_is_told_in_short_and_as_toml_spells_it(
    file: Path, text: str, message: str, hint: str
) -> None:
    (problem,) = problems(file, text).values()
    assert problem.message.startswith(message)
    assert problem.hint.startswith(hint)


def test_a_long_key_is_shortened(file: Path) -> None:
    assert list(problems(file, f"{'k' * 5000} = 1")) == ["k" * 59 + "…"]


def test_set_reaches_into_arrays_that_exist() -> None:
    data = read_document("xeon-cpu", ["models.1.name=phi4:14b"]).data
    assert [model["name"] for model in data["models"]] == [
        "qwen2.5-coder:7b",
        "phi4:14b",
        "llama3.1:8b",
    ]


@pytest.mark.parametrize("flag", ["foo", "=1", "a..b=1", "threads.count.x=1", "models.9.name=x"])
def test_a_set_that_makes_no_sense_is_told(flag: str) -> None:
    with pytest.raises(ProfileError) as caught:
        load_profile("xeon-cpu", [flag])
    assert caught.value.source == "--set"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('[ollama]\nmodels_dir = "~/models"\n', "ollama.models_dir"),
        ('[ollama]\nmodels_dir = "/a/../b"\n', "ollama.models_dir"),
        ('[ollama]\nmodels_dir = "/my models"\n', "ollama.models_dir"),
        ('[ollama]\nmodels_dir = "/50%"\n', "ollama.models_dir"),
        ('[ollama]\nhost = "http://x"\n', "ollama.host"),
        ('[ollama]\nenv = { "A-B" = "x" }\n', "ollama.env.A-B"),
        ("[ollama]\nenv = { A = true }\n", "ollama.env.A"),
        ('[resources]\ncpus = 2\ncpu_quota = "200%"\n', "resources"),
        ("[host]\ncpu = { cores = 4, threads = 2 }\n", "host.cpu"),
        ('[[models]]\nname = "two words"\n', "models.0.name"),
        ('[warmup]\ntimeout = "0s"\n', "warmup.timeout"),
        ('[gpu]\nvisible_devices = ["first"]\n', "gpu.visible_devices.0"),
    ],
)
def test_form_is_judged_where_it_stands(file: Path, text: str, where: str) -> None:
    assert list(problems(file, text)) == [where]


def test_a_list_of_cpus_stays_within_what_kernels_have(file: Path) -> None:
    found = problems(file, '[resources]\nallowed_cpus = "0-99999"\nnuma_mask = "0-\u0663"\n')
    assert {where: str(problem.message) for where, problem in found.items()} == {
        "resources.allowed_cpus": "`0-99999` names a CPU that no kernel has",
        "resources.numa_mask": "`0-\u0663` is not a CPU list",
    }
