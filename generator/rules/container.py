"""HW508: images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.rules.helpers.containers import REFERENCE, is_official, repository
from generator.rules.rule import Hit, Hits, Rule
from generator.view import Edit

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.view import View


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
def unpinned_image(view: View, facts: Facts) -> Hits:
    container = view.container
    if container is None or container.digest:
        return
    reference = REFERENCE.fullmatch(container.tag)
    tag = container.tag if reference is None else (reference["default"] or "")
    official, bare = is_official(view, facts), repository(container.image)
    if tag not in MOVING or (tag == "rocm" and not official):
        return
    pattern = facts.image.rocm_tag if tag == "rocm" else facts.image.tag
    # Tags of other images are not those of the engine.
    right = pattern.format(release=view.release) if official else ""
    what, fix = _advice(container.tag, tag, bare, right)
    # Which release runs must be known: a fix must not change it.
    certain = right and view.release_told and reference is None
    written = f"{bare}:{tag}" if tag else bare
    yield Hit(
        message=what,
        place=container.place,
        fix=fix if right else "name a tag that does not move, or a digest",
        edits=(Edit(container.place, written, f"{bare}:{right}"),) if certain else (),
    )


def _advice(written: str, tag: str, image: str, right: str) -> tuple[str, str]:
    """Return what runs where this is written, and how to write the tag that is right."""
    day = "which release runs depends on the day of the last pull"
    if not written.startswith("$"):
        named = f"the tag is `{tag}`" if tag else "there is no tag, which means `latest`"
        return f"{named}; {day}", f"write the release that you want, like `{image}:{right}`"
    nobody = f"`{tag}` where nobody sets it; {day}"
    refused = "no default: where nobody sets it, the image is refused"
    message = f"`{written}` is {nobody}" if tag else f"`{written}` has {refused}"
    return message, f"give it a release as its default: `{right}`"
