"""HW508: images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.rules.helpers.containers import REFERENCE, is_official, repository
from generator.rules.rule import Hit, Rule
from generator.view import Edit

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator

    from generator.catalogue.facts import Facts
    from generator.view import Container, View


# Tags that move on with each release, and the shape of one that does not.
MOVING: Final = ("", "latest", "rocm")


@Rule(
    id="HW508",
    severity="warning",
    title="an image without a fixed release",
    why="`latest` is the newest release at the last pull. Releases change defaults, the engine and "
    "the variables that are read: the same file is another service on the next host.",
    bad="image: ollama/ollama:latest",
    good="image: ollama/ollama:0.32.15",
    source="scripts/build_docker.sh@v0.32.15:24-33",
)
def unpinned_image(view: View, facts: Facts) -> Iterator[Hit]:
    container = view.container
    if container is None or container.digest:
        return
    reference = REFERENCE.fullmatch(container.tag)
    tag = container.tag if reference is None else (reference["default"] or "")
    if tag not in MOVING or (tag == "rocm" and not is_official(view, facts)):
        return
    wanted = _pinned(view, container, tag, facts)
    yield Hit(
        message=_what_runs(container, tag, reference),
        place=container.place,
        fix=_pin_fix(wanted, reference),
        edits=_pin_edits(view, container, wanted) if reference is None else (),
    )


def _what_runs(container: Container, tag: str, reference: re.Match[str] | None) -> str:
    day = "which release runs depends on the day of the last pull"
    if reference is not None and tag:
        return f"`{container.tag}` is `{tag}` where nobody sets it; {day}"
    if reference is not None:
        return f"`{container.tag}` has no default: where nobody sets it, the image is refused"
    message = f"the tag is `{tag}`" if tag else "there is no tag, which means `latest`"
    return f"{message}; {day}"


def _pinned(view: View, container: Container, tag: str, facts: Facts) -> str:
    """Return the reference to write; empty for images whose tags are not Ollama's."""
    if not is_official(view, facts):
        return ""
    pattern = facts.image.rocm_tag if tag == "rocm" else facts.image.tag
    return f"{repository(container.image)}:{pattern.format(release=view.release)}"


def _pin_fix(wanted: str, reference: re.Match[str] | None) -> str:
    if not wanted:
        return "name a tag that does not move, or a digest"
    if reference is not None:
        return f"give it a release as its default: `{wanted.rpartition(':')[2]}`"
    return f"write the release that you want, like `{wanted}`"


def _pin_edits(view: View, container: Container, wanted: str) -> tuple[Edit, ...]:
    """Which release runs must be known: a fix must not change it."""
    if not (wanted and view.release_told):
        return ()
    bare = repository(container.image)
    return (Edit(container.place, f"{bare}:{container.tag}" if container.tag else bare, wanted),)
