"""Bad profiles: every problem at once, each with where, what and what to do."""

from pathlib import Path

import pytest

from generator.errors import EnvironmentFailure, HostwrightError, Problem, ProfileError
from generator.load import load_profile, read_document

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
