"""`--set`: values, places, and what is no setting."""

from pathlib import Path

import pytest

from generator.errors import ProfileError
from generator.profiles.flags import flag_value
from generator.profiles.load import load_profile, read_document
from tests.profiles.bad import problems


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


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("name", True),
        ("host.system", True),
        ("host.driver", True),
        ("host.cpu.model", True),
        ("host.cpu.features.0", True),
        ("host.cpu.cores", False),
        ("host.memory", False),
        ("host.gpus.0.uuid", True),
        ("host.gpus.0.memory", False),
        ("ollama.version", True),
        ("ollama.origins", False),
        ("ollama.origins.1", True),
        ("ollama.env.ANY_NAME", True),
        ("ollama.env", False),
        ("ollama.keep_alive", False),
        ("resources.cpu_quota", True),
        ("resources.memory_max", False),
        ("resources.tasks_max", False),
        ("gpu.device_order", True),
        ("gpu.layers", False),
        ("gpu.visible_devices.0", False),
        ("models.0.serve_as", True),
        ("models.0.parameters.num_ctx", False),
        ("models.0.preload", False),
        ("service.restart", True),
        ("service.restart_seconds", False),
        ("check.ignore.0.rule", True),
        ("no.such.key", False),
        ("name.below.text", False),
    ],
)
def test_a_number_is_text_where_the_schema_takes_nothing_else(path: str, text: bool) -> None:
    assert flag_value("535", tuple(path.split("."))) == ("535" if text else 535)


def test_a_flag_that_replaces_a_table_owns_its_keys(file: Path) -> None:
    found = problems(file, "[resources]\nnice = 1\n", "resources={ nice = 99 }")
    assert found["resources.nice"].source == "--set"


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
