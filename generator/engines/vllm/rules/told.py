"""HW673, HW674, HW676, HW677 and HW680: what the server is told on its command line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.engines.vllm.rules.helpers.options import last, open_ended, options, program
from generator.rules.helpers.containers import REFERENCE, is_own_image, repository
from generator.rules.helpers.routes import public_routes
from generator.rules.helpers.secrets import stands_in
from generator.rules.rule import Hit, Hits, Rule
from generator.units import closest, is_entry_point, is_local

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue.facts import Facts
    from generator.engines.vllm.rules.helpers.options import Told
    from generator.view import Place, View

_TAG: Final = re.compile(r"v?(\d+\.\d+\.\d+)(?![\w.])(?:-.*)?", re.ASCII)
_NO_SERVER: Final = frozenset({"--api-key", "--uds", "--config", "--help", "--headless"})
"""Options with which there is a key, or nobody listens, or a file says more."""
_ANY: Final = "0.0.0.0"  # noqa: S104 -- to recognise, not to bind


@Rule(
    id="HW673",
    severity="error",
    title="an option that the release of vLLM does not know",
    why="The server ends with `unrecognized arguments`. Options come and go with releases: "
    "`--swap-space` and `--task` of older guides are gone; `--disable-log-requests` was, and came "
    "back with 0.33.0. It is said where the tag of the image names a release that is known here, "
    "and of any release where a name is a slip: `--max-modellen`, `--gpu-memory-utilisation`. "
    "Where the tag is `latest`, or none, it is said of options that are long gone.",
    bad="image: vllm/vllm-openai:v0.33.0\ncommand: [org/name, --swap-space, '8']",
    good="image: vllm/vllm-openai:v0.33.0\ncommand: [org/name, --max-model-len, '8192']",
    source="vllm/utils/argparse_utils.py@0.33.0",
)
def unknown_option(view: View, facts: Facts) -> Hits:
    is_told = _is_told(view, facts)
    floats = _floats(view)
    for one in options(view):
        if not one.name.startswith("--") or _knows(one.name, facts.serve_names):
            continue
        if floats and not is_told and one.name in facts.serve_gone:
            yield _gone(one, facts.serve_gone[one.name])
            continue
        meant = _slip(one.name, facts.serve_names)
        if is_told or meant:
            close = meant or closest(one.name, facts.serve_names, 0.8)
            whose = f"vLLM {facts.release} has no" if is_told else "no release of vLLM has an"
            yield Hit(
                message=f"{whose} option `{one.name}`: it ends at its start",
                place=one.place,
                fix=f"did you mean `{close}`?"
                if close
                else "leave it out, or take a release that has it",
            )


def _floats(view: View) -> bool:
    """Return whether the tag of vLLM's own image means the newest release."""
    box = view.container
    return box is not None and is_own_image(view) and box.tag in _FLOATING and not box.digest


_FLOATING: Final = frozenset({"", "latest", "nightly"})


def _gone(one: Told, instead: str) -> Hit:
    return Hit(
        message=f"no new release of vLLM has `{one.name}`: with the image as it is fetched today "
        "it ends at its start",
        place=one.place,
        severity="warning",
        fix=f"write `{instead}`" if instead else "leave it out, or name the release that has it",
    )


def _slip(name: str, names: frozenset[str]) -> str:
    """Return the option of the same letters, whichever way its words are parted or spelled."""
    return next((one for one in sorted(names) if _letters(one) == _letters(name)), "")


def _letters(name: str) -> str:
    return name.replace("-", "").replace("isation", "ization").lower()


def _is_told(view: View, facts: Facts) -> bool:
    """Return whether the tag of vLLM's own image names the release that is judged."""
    box = view.container
    if box is None or not facts.known or not is_own_image(view):
        return False
    found = _TAG.fullmatch(box.tag)
    return found is not None and found[1] == str(facts.release)


def _knows(name: str, names: frozenset[str]) -> bool:
    """Return whether a parser of argparse takes a name: whole, its beginning, or to say no."""
    forms = (name, name.replace("--no-", "--", 1))
    return any(one.startswith(forms) for one in names)


@Rule(
    id="HW680",
    severity="error",
    title="a command that the image hands to `vllm serve`",
    why="The image starts `vllm serve`, and what a file gives as the command follows it: "
    "`vllm serve python3 -m …`, or `vllm serve vllm serve …`, ends with `unrecognized arguments`, "
    "at every restart. Another program goes in as the entry point.",
    bad="image: vllm/vllm-openai:v0.33.0\ncommand: vllm serve org/name",
    good="image: vllm/vllm-openai:v0.33.0\ncommand: org/name",
    source="docker/Dockerfile@0.33.0, ENTRYPOINT; the parser of 0.32.0, asked",
)
def handed_to_the_program(view: View, _: Facts) -> Hits:
    box = view.container
    if box is None or not is_own_image(view) or not repository(box.image).endswith("/vllm-openai"):
        return
    if (found := program(view)) is not None:
        yield Hit(
            message=f"the image starts `vllm serve`, which takes `{found[0]}` for a model and ends",
            place=found[1],
            fix="give the model and its options alone, or name the program as the entry point",
        )


@Rule(
    id="HW674",
    severity="error",
    title="a share of the card that is none",
    why="`--gpu-memory-utilization` is above 0 and at most 1: of each card's memory what the "
    "server takes. With another value it ends at its start, and so it does with 1: what is free "
    "has to be as much, and the context of CUDA has taken some by then.",
    bad="--gpu-memory-utilization 90",
    good="--gpu-memory-utilization 0.9",
    source="vllm/config/cache.py@0.33.0:215; vllm/v1/worker/utils.py, request_memory",
)
def no_share(view: View, _: Facts) -> Hits:
    told = last(view, "--gpu-memory-utilization")
    if told is None or "$" in told.value or "{{" in told.value:
        return
    if _is_share(told.value):
        yield from _all_of_it(view, told)
        return
    percent = re.fullmatch(r"([1-9]\d?)(?:\.0*)?%?", told.value)
    right = f"{int(percent[1]) / 100:g}" if percent and int(percent[1]) > 1 else "0.9"
    said = f"`{told.value}`" if told.value else "nothing"
    yield Hit(
        message=f"`--gpu-memory-utilization` is {said}, and has to be above 0 and at most 1",
        place=told.of_value,
        fix=f"write {right}",
    )


def _all_of_it(view: View, told: Told) -> Hits:
    """Yield that all of a card is more than there is: the driver has taken some of it before."""
    on_cpu = view.container is not None and "cpu" in view.container.image
    if float(told.value) == 1 and not on_cpu and not last(view, "--kv-cache-memory-bytes"):
        yield Hit(
            message="`--gpu-memory-utilization` is all of the card, of which its driver has taken "
            "some before: `Free memory on device … is less than desired`, and the server ends",
            place=told.of_value,
            severity="warning",
            fix="write 0.95, or less",
        )


def _is_share(text: str) -> bool:
    try:
        return 0 < float(text) <= 1
    except ValueError:
        return False


@Rule(
    id="HW676",
    title="the API of vLLM can be reached from other machines, without a key",
    why="Without a key everybody who reaches the port may use the cards. `--api-key`, or "
    "VLLM_API_KEY, has clients send one with requests below /v1; other paths, as /metrics and "
    "/tokenize, stay open, so that a proxy in front is better. Without `--host` it listens on all "
    "addresses.",
    bad='image: vllm/vllm-openai:v0.33.0\nports: ["8000:8000"]',
    good='image: vllm/vllm-openai:v0.33.0\nports: ["127.0.0.1:8000:8000"]',
    source="docs/usage/security.md@0.33.0:152; vllm/entrypoints/common/cli_args.py@0.33.0:293",
)
def open_without_a_key(view: View, _: Facts) -> Hits:
    named = {one.name for one in options(view)}
    if (
        view.adds
        or view.phrases.passing
        or named & _NO_SERVER
        or not view.lacks("VLLM_API_KEY")
        or open_ended(view)
    ):
        return
    place, where = next(_open(view), (None, ""))
    if place is not None:
        yield Hit(
            message=f"the API {where}, and asks for no key",
            place=place,
            fix="publish it behind a proxy that authenticates alone, or give it VLLM_API_KEY from "
            f"{view.phrases.keep_in or 'a file of variables'}",
        )


def _open(view: View) -> Iterator[tuple[Place, str]]:
    """Yield what lets others in, with where it listens."""
    box, told = view.container, last(view, "--host")
    inside = told is not None and (_is_shut(told.value) or "$" in told.value)
    if box is None:
        # A guide leaves it to whoever follows it where to listen.
        silent = view.phrases.keyed or view.phrases.several
        if not inside and (told or (view.commands and not silent)):
            place = told.of_value if told else view.commands[0].words[0][1]
            if not is_entry_point(place.file):  # What publishes the container decides.
                yield place, f"listens on {told.value if told and told.value else _ANY}"
        return
    for text, place in box.ports:
        host = _published(text)
        if "$" not in host and not _is_shut(host):
            yield place, f"is published on {host or 'every address of the host'}"
    if box.host_network is not None and not inside:
        yield box.host_network, "listens on the network of the host"
    for route in public_routes(view):
        yield route.place, f"is opened by {route.subject}, {route.name}"
    for line in box.exposed:
        if line.section == "service":
            yield line.place, f"is open outside the cluster by a service of type {line.value}"


def _is_shut(host: str) -> bool:
    return bool(host) and is_local(host)


def _published(text: str) -> str:
    """Return the address before the ports; empty: none is said."""
    plain = REFERENCE.sub(lambda found: found["default"] or "0", text.strip("\"' "))
    host, *ports = plain.partition("/")[0].rsplit(":", 2)
    return host.strip("[]") if len(ports) > 1 or not host.replace("-", "").isdecimal() else ""


@Rule(
    id="HW677",
    secret=True,
    title="a secret on the command line of vLLM",
    why="Every user of the host reads the command line of a process, and `docker inspect` shows "
    "it. The server takes the same from variables, VLLM_API_KEY and HF_TOKEN, which may stand in "
    "a file of mode 0600.",
    bad="command: [org/name, --api-key, sk-…]",
    good="env_file: [/etc/vllm/secrets.env]    # VLLM_API_KEY=…",
    source="vllm/entrypoints/serve/middleware/register.py@0.33.0:33",
)
def key_on_the_command_line(view: View, facts: Facts) -> Hits:
    names = {"--api-key": "VLLM_API_KEY", "--hf-token": "HF_TOKEN"}
    for one in options(view):
        if one.name in names and _is_literal(one) and not stands_in(one.value, facts):
            yield Hit(
                message=f"`{one.name}`: every user of the host reads it on the command line",
                place=one.of_value,
                fix=f"put {names[one.name]} into a file of variables, and name that",
            )


def _is_literal(told: Told) -> bool:
    return bool(told.value) and not re.match(r"\$|%|\{\{|<|/", told.value)
