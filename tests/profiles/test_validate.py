"""Bad profiles: every problem at once, each with where, what and what to do."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.profiles.bad import HEAD, problems


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
        "ollama.num_parallel": ("`4` is not a whole number", "write `4`, without quotes"),
        "ollama.acceleration": ("`cudda` is not one of the values", "did you mean `cuda`?"),
        "resources.cpu_qouta": ("unknown key", "did you mean `cpu_quota`?"),
        "resources.memory_max": (
            "`24GB` is decimal for some and binary for others",
            "write `24G` or `24GiB` (both × 1024)",
        ),
        "gpu.layers": ("`al` is not one of the values", 'write a whole number or `"fit"`'),
    }


def test_an_empty_list_is_told_and_one_of_faults_is_not_empty(file: Path) -> None:
    head = '[[scale.periods]]\nname = "night"\nbegins = '
    (problem,) = problems(file, head + "[]").values()
    assert (problem.message, problem.hint) == ("nothing is in it", "write one at least")
    assert list(problems(file, head + '["never"]')) == ["scale.periods.0.begins.0"]


def test_a_problem_names_the_file_or_flag_it_came_from(file: Path) -> None:
    base = file.with_name("base.toml")
    base.write_text(HEAD + '[ollama]\nport = "x"\n[resources]\nnice = 99\n')
    found = problems(file, 'extends = "./base.toml"\n', "resources.nice=98")
    assert found["ollama.port"].source == str(base)
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
        ("ollama.num_parallel = 0", "`0` is not 1 or more", "write `1` or more, or leave it out"),
        ("ollama.port = 65536", "`65536` is not 65535 or less", "write `65535` or less"),
        ("slo.vram_percent = nan", "`nan` is not 100.0 or less", "write `100.0` or less"),
        ('ollama.context_length = "8k"', "`8k` is not a whole number", "write `8192`, without"),
        ('ollama.context_length = "much"', "`much` is not a whole number", "write it in digits"),
        ('ollama.origins = "*"', "`*` is not an array", 'write it in brackets, `["*"]`'),
        ("ollama.origins = true", "`true` is not an array", "write it in brackets"),
        ('warmup.tokens = "1"', "`1` is not one of the values", "write `1` without quotes"),
        ("description = [true]", "`[true]` is not text", "write it in quotes"),
        (f'description = ["{"x" * 5000}"]', f'`["{"x" * 57}…` is not text', "write it in quotes"),
        (f'ollama.host = "{"," * 5000}"', f"`{',' * 59}…` is not an address", "write a host name"),
        (
            f'ollama.acceleration = "{"x" * 5000}"',
            f"`{'x' * 59}…` is not one of",
            'write `"cpu"`, ',
        ),
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


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('[ollama]\nmodels_dir = "~/models"\n', "ollama.models_dir"),
        ('[ollama]\nmodels_dir = "/a/../b"\n', "ollama.models_dir"),
        ('[ollama]\nmodels_dir = "/my models"\n', "ollama.models_dir"),
        ('[ollama]\nmodels_dir = "/50%"\n', "ollama.models_dir"),
        ('[service]\nenvironment_files = ["//nix/./store/x"]\n', "service.environment_files.0"),
        ('[container]\nenv_files = ["/nix/store/x"]\n', "container.env_files.0"),
        (
            '[service.credentials]\nSSL_CERT_FILE = { path = "/nix/store/x" }\n',
            "service.credentials.SSL_CERT_FILE.path",
        ),
        ('[ollama]\nhost = "http://x"\n', "ollama.host"),
        ('[ollama]\nenv = { "A-B" = "x" }\n', "ollama.env.A-B"),
        ("[ollama]\nenv = { A = true }\n", "ollama.env.A"),
        ('[resources]\ncpus = 2\ncpu_quota = "200%"\n', "resources.cpus"),
        ("[host]\ncpu = { cores = 4, threads = 2 }\n", "host.cpu.threads"),
        ('[[models]]\nname = "two words"\n', "models.0.name"),
        ('[warmup]\ntimeout = "0s"\n', "warmup.timeout"),
        ('[gpu]\nvisible_devices = ["first"]\n', "gpu.visible_devices.0"),
        ('[check]\nignore = [{ rule = "HW201", reason = " " }]\n', "check.ignore.0.reason"),
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


def test_pydantic_looks_for_no_plugins_here_and_may_elsewhere() -> None:
    code = (
        "import sys; from generator.api import load_profile\n"
        "load_profile('xeon-cpu'); assert 'email' not in sys.modules\n"
        "import pydantic.plugin._loader as loader; assert loader.__file__"
    )
    subprocess.run([sys.executable, "-c", code], timeout=60, check=True)
