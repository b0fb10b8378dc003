"""HW550 to HW552: command lines and bodies of requests."""

import pytest

from generator.readers.syntax.calls import calls
from generator.rules.registry import every_rule
from generator.view import Command, Place, View
from tests.views import found, view

BY_ID = every_rule()


def typed(line: str, release: str = "0.32.15") -> View:
    words = tuple((word, Place("run.sh", 2)) for word in line.split())
    return view(release=release, commands=(Command(words),))


def asked(*bodies: str, path: str = "/api/generate") -> View:
    text = "\n".join(f"curl localhost:11434{path} -d '{body}'" for body in bodies)
    return view(requests=calls(text, "run.sh", "ollama", r":11434\b")[0])


def options(text: str) -> str:
    return f'{{"model": "llama3.1:8b", "prompt": "hi", "options": {{{text}}}}}'


CASES: dict[str, tuple[View, View]] = {
    "HW550": (typed("run llama3.1:8b --num-gpu 1"), typed("run llama3.1:8b --keepalive 1h hi")),
    "HW551": (asked(options('"max_tokens": 9')), asked(options('"num_predict": 9'))),
    "HW552": (
        asked(options('"num_ctx": 4096'), options('"num_ctx": 8192')),
        asked(options('"num_ctx": 4096'), options('"num_ctx": 4096, "temperature": 0')),
    ),
}


@pytest.mark.parametrize("rule", CASES)
def test_it_catches_one_and_leaves_the_other_alone(rule: str) -> None:
    caught, left = CASES[rule]
    assert [placed.finding.rule for placed in found(BY_ID[rule], caught)] == [rule]
    assert found(BY_ID[rule], left) == ()


@pytest.mark.parametrize(
    ("line", "release", "part", "fix"),
    [
        ("run m --num-gpu 1", "0.32.15", "has no `--num-gpu`", "`PARAMETER num_gpu …`"),
        ("run m --num_ctx=8192", "0.32.15", "has no `--num_ctx`", "`PARAMETER num_ctx …`"),
        ("serve --host 0.0.0.0", "0.32.15", "has no `--host`", "set `OLLAMA_HOST`"),
        ("serve --port 8080", "0.32.15", "has no `--port`", "set `OLLAMA_HOST`"),
        ("serve --models /srv", "0.32.15", "has no `--models`", "set `OLLAMA_MODELS`"),
        ("run m --keep-alive 1h", "0.32.15", "has no `--keep-alive`", "set `OLLAMA_KEEP_ALIVE`"),
        ("run m --think", "0.8.0", "only since 0.9.0", "leave it out"),
        ("run m --experimental", "0.32.15", "only until 0.31.2", "leave it out"),
        ("run m --verbos", "0.32.15", "has no `--verbos`", "did you mean `--verbose`?"),
        ("pull -q m", "0.32.15", "has no `-q`", "it has `--insecure`"),
        ("list --json", "0.32.15", "has no `--json`", "takes none"),
    ],
)
def test_it_says_what_to_write_instead(line: str, release: str, part: str, fix: str) -> None:
    (placed,) = found(BY_ID["HW550"], typed(line, release))
    assert part in placed.finding.message
    assert fix in placed.finding.fix


@pytest.mark.parametrize(
    "line",
    [
        "run m --format json --verbose --think=high hi",
        "run m -- --num-gpu is what I ask about",
        "run m what is 3 -4 and - ?",
        "create m -f Modelfile -q q4_K_M",
        "show --modelfile m",
        "launch --whatever",
        "serve",
        "--version",
        "run --help",
        "",
    ],
)
def test_flags_that_are_there_are_left_alone(line: str) -> None:
    assert found(BY_ID["HW550"], typed(line)) == ()


@pytest.mark.parametrize(
    ("body", "part", "fix"),
    [
        (options('"n_gpu_layers": 9'), "no option `n_gpu_layers`", "write `num_gpu`"),
        (options('"keep_alive": "1h"'), "is no option", "beside `options`"),
        (options('"num_ctx": "4096"'), "is text here", "write `4096` without quotes"),
        (options('"use_mlock": true'), "any more since 0.7.0", ""),
        ('{"model": "m", "prompt": "hi", "num_ctx": 4096}', "no field of a request", '"num_ctx"'),
    ],
)
def test_a_body_is_held_against_the_api(body: str, part: str, fix: str) -> None:
    (placed,) = found(BY_ID["HW551"], asked(body))
    assert part in placed.finding.message
    assert fix in placed.finding.fix


def test_what_other_servers_take_is_left_alone() -> None:
    body = '{"model": "m", "messages": [], "max_tokens": 9}'
    assert found(BY_ID["HW551"], asked(body, path="/v1/chat/completions")) == ()


def test_models_are_loaded_for_themselves() -> None:
    other = options('"num_ctx": 8192').replace("llama3.1:8b", "qwen3:8b")
    assert found(BY_ID["HW552"], asked(options('"num_ctx": 4096'), other)) == ()
