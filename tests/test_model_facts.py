"""Models of the library: which one a tag is, how large, and which names there are not."""

import re

import pytest

from generator.catalogue.catalogue import _DATA as DATA
from generator.catalogue.catalogue import FILES, parse_catalogue
from generator.catalogue.models import ModelFact
from generator.errors import CatalogueError
from tests.facts import facts_at

MIB = 2**20


@pytest.mark.parametrize(
    ("tag", "name", "quantisation", "mib"),
    [
        ("llama3.1:8b", "llama3.1:8b", "Q4_K_M", 4685),
        ("llama3.1", "llama3.1:8b", "Q4_K_M", 4685),
        ("llama3:8b", "llama3:8b", "Q4_0", 4437),
        ("library/llama3.1:latest", "llama3.1:8b", "Q4_K_M", 4685),
        ("registry.ollama.ai/library/Llama3.1:8B", "llama3.1:8b", "Q4_K_M", 4685),
        ("llama3.1:8b-instruct-q8_0", "llama3.1:8b", "Q8_0", 8137),
        ("llama3.1:8b-instruct-fp16", "llama3.1:8b", "F16", 15317),
        # As `ollama list` printed them on one host.
        ("hermes3:8b-llama3.1-q5_K_M", "hermes3:8b", "Q5_K_M", 5459),
        ("hermes3:3b-llama3.2-q6_K", "hermes3:3b", "Q6_K", 2513),
        ("hermes3:3b-llama3.2-q3_K_S", "hermes3:3b", "Q3_K_S", 0),  # a shape, no size
        ("deepseek-r1:8b-0528-qwen3-q8_0", "deepseek-r1:8b", "Q8_0", 8435),
        ("dolphin3:8b", "dolphin3:8b", "Q4_K_M", 4685),
        ("phi4-mini-reasoning:3.8b", "phi4-mini-reasoning:3.8b", "Q4_K_M", 3004),
        ("qwen2.5-coder:7b", "qwen2.5-coder:7b", "Q4_K_M", 4460),
    ],
)
def test_a_tag_is_a_model_and_a_size(tag: str, name: str, quantisation: str, mib: int) -> None:
    model = facts_at().model(tag)
    assert model is not None
    assert model.names[0] == name
    assert model.quantisation == quantisation
    assert model.weight_bytes // MIB == mib


PUBLISHED = re.compile(r"(?:library|tag keeps .*?|`ollama list`): ([\d.]+) ([GM]B)(?! at)")


@pytest.mark.parametrize("model", facts_at().models, ids=lambda model: model.names[0])
def test_a_size_is_that_which_the_library_shows(model: ModelFact) -> None:
    found = PUBLISHED.search(model.source)
    if found is None:
        assert "shape of" in model.source, "a size has to be held against something"
        return
    shown = float(found[1])
    unit = 1e9 if found[2] == "GB" else 1e6
    # A file has 1 to 15 MB beside its tensors, by its vocabulary; the library rounds what it shows.
    last = 10 ** -len(found[1].partition(".")[2])
    size = (model.weight_bytes + 7e6) / unit
    assert abs(size - shown) <= max(0.6 * last, 0.011 * shown), f"{size:.3f} {found[2]}"


@pytest.mark.parametrize(
    "tag", ["llama3.1:405b", "somebody/llama3.1:8b", "llama3.1:8b-tuned", "llama3.1:8b-q", "", ":"]
)
def test_what_is_not_known_is_none(tag: str) -> None:
    assert facts_at().model(tag) is None


@pytest.mark.parametrize(
    ("tag", "why"),
    [
        ("llama3.3:8b", "llama3.3 comes as 70b only; use `llama3.1:8b`"),
        ("llama3.3:8b-instruct-q4_K_M", "llama3.3 comes as 70b only; use `llama3.1:8b`"),
        ("library/llama3.3:8B", "llama3.3 comes as 70b only; use `llama3.1:8b`"),
        ("llama3.3:8bx", None),
        ("llama3.3:70b", None),
        ("llama3.1:8b", None),
        ("somebody/llama3.3:8b", None),
    ],
)
def test_names_that_do_not_exist(tag: str, why: str | None) -> None:
    assert facts_at().missing_model(tag) == why


@pytest.mark.parametrize("tag", ["llama3.2:8b", "llama3:8b-q4_0"])
def test_what_is_offered_instead_exists(tag: str) -> None:
    hint = facts_at().missing_model(tag)
    assert hint is not None
    assert facts_at().model(hint.rpartition("use `")[2].rstrip("`")) is not None


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            'quantisation = "MXFP4"',
            'quantisation = "Q4_0"',
            "`gpt-oss:20b` has no weights for Q4_0",
        ),
        ('"llama3.1:latest"', '"llama3:latest"', "`llama3:latest` is listed twice"),
        ('Q8_0 = "1252.41MiB"', 'Q8_0 = "1252.41MB"', "model.['llama3.2:1b', "),
        ('architecture = "phi3"\n', "", "architecture: Field required"),
    ],
)
def test_a_broken_file_says_where(old: str, new: str, told: str) -> None:
    texts = {file: (DATA / file).read_text(encoding="utf-8") for file in FILES}
    assert old in texts["models.toml"]
    texts["models.toml"] = texts["models.toml"].replace(old, new, 1)
    with pytest.raises(CatalogueError) as caught:
        parse_catalogue(texts)
    assert caught.value.message.startswith("data/models.toml: ")
    assert told in caught.value.message
