"""A key of a file that somebody has written: nothing else of it changes."""

import tomllib

import pytest

from generator.errors import HostwrightError
from generator.formats.edit import with_value

PROFILE = """\
# The machine under the desk.
schema_version = 1

[ollama]
num_parallel = 2   # two of us

# More of them only wait.
[threads]

[[models]]
name = "a"
parameters = { num_ctx = 4096 } # long ones

[[models]]
name = "b"

[models.parameters]
num_ctx = 1024
"""


def changed(before: str, after: str) -> list[str]:
    """The lines that are not in both, those of after with a plus."""
    old, new = before.splitlines(), after.splitlines()
    return [f"-{line}" for line in old if line not in new] + [
        f"+{line}" for line in new if line not in old
    ]


@pytest.mark.parametrize(
    ("path", "lines"),
    [
        ("threads.count", ["+count = 8 # measured: r"]),
        (
            "ollama.num_parallel",
            ["-num_parallel = 2   # two of us", "+num_parallel = 8   # two of us; measured: r"],
        ),
        ("ollama.context_length", ["+context_length = 8 # measured: r"]),
        ("models.1.parameters.num_batch", ["+num_batch = 8 # measured: r"]),
        ("gpu.layers", ["+[gpu]", "+layers = 8 # measured: r"]),
    ],
)
def test_one_line_changes(path: str, lines: list[str]) -> None:
    assert changed(PROFILE, with_value(PROFILE, path.split("."), 8, "r")) == lines


def test_it_stands_in_its_table_and_not_below_the_comment_of_the_next() -> None:
    lines = with_value(PROFILE, ("ollama", "context_length"), 8, "r").splitlines()
    assert lines[5] == "context_length = 8 # measured: r"
    assert lines[6:9] == ["", "# More of them only wait.", "[threads]"]


def test_a_table_in_one_line_has_its_comment_behind_it() -> None:
    text = with_value(PROFILE, ("models", "0", "parameters", "num_batch"), 8, "r")
    assert tomllib.loads(text)["models"][0]["parameters"] == {"num_ctx": 4096, "num_batch": 8}
    assert "# long ones; measured: r\n" in text


def test_the_next_measurement_takes_the_place_of_the_last() -> None:
    once = with_value(PROFILE, ("ollama", "num_parallel"), 3, "first")
    assert "num_parallel = 4   # two of us; measured: second\n" in with_value(
        once, ("ollama", "num_parallel"), 4, "second"
    )


def test_a_reason_ends_no_line() -> None:
    text = with_value("a = 1\n", ("a",), 2, 'evil\nb = "\x1b[31m"')
    assert tomllib.loads(text) == {"a": 2}
    assert "\x1b" not in text


@pytest.mark.parametrize("path", ["schema_version.count", "models.7.name", "models.x.name"])
def test_where_no_table_is_nothing_is_written(path: str) -> None:
    with pytest.raises(HostwrightError, match="cannot be written") as error:
        with_value(PROFILE, path.split("."), 8, "r")
    assert error.value.hint.startswith("write it by hand: ")
