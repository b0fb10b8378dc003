"""The questions that all readers ask."""

import pytest

from generator.catalogue.catalogue import load_catalogue
from generator.readers.base import Context, ImageName, image_name
from generator.units import Release

NEWEST = "0.32.15"


@pytest.mark.parametrize(
    ("tag", "release", "told"),
    [
        ("0.9.2", "0.9.2", True),
        ("v0.9.2", "0.9.2", True),
        ("0.9.2-rocm", "0.9.2", True),
        ("0.9", "0.9.6", True),
        ("0.5.4-rc1", "0.5.4-rc1", True),
        ("99.0.0", "99.0.0", True),
        ("", NEWEST, False),
        ("latest", NEWEST, False),
        ("rocm", NEWEST, False),
        ("0.12.999", NEWEST, False),
        ("0.0.1", NEWEST, False),
        ("${TAG:-0.9.2}", NEWEST, False),
    ],
)
def test_a_tag_tells_the_release(tag: str, release: str, *, told: bool) -> None:
    assert Context(load_catalogue()).release_for(tag) == (Release.parse(release), told)


def test_the_user_is_believed_first() -> None:
    release = Release.parse("0.24.0")
    assert Context(load_catalogue(), release).release_for("0.9.2") == (release, True)


@pytest.mark.parametrize(
    ("text", "parts", "ours"),
    [
        ("ollama/ollama", ImageName("ollama/ollama", "", digest=False), True),
        ("ollama/ollama:0.9.2", ImageName("ollama/ollama", "0.9.2", digest=False), True),
        ("h:5000/o/ollama@sha256:a", ImageName("h:5000/o/ollama", "", digest=True), True),
        ("h:5000/x:1@sha256:a", ImageName("h:5000/x", "1", digest=True), False),
        ("", ImageName("", "", digest=False), False),
    ],
)
def test_an_image_has_parts(text: str, parts: ImageName, *, ours: bool) -> None:
    assert image_name(text) == parts
    assert Context(load_catalogue()).engine.is_image(parts.repository) is ours


def test_only_ollamas_own_tags_count_releases() -> None:
    context = Context(load_catalogue())
    images = (f"{name}:0.9.2" for name in ("ollama/ollama", "x/webui"))
    assert [context.release_of(image)[1] for image in images] == [True, False]
