"""HW125, HW501, HW502, HW504, HW507, HW516, HW547: models, their warm-up, and the unit."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.rules.helpers import sandbox
from generator.rules.helpers.containers import REFERENCE, is_official, repository
from generator.rules.rule import Hit, Hits, Rule
from generator.units import MODEL_NAME, Release, whole
from generator.view import PERHAPS, Edit, ModelUse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue.facts import Facts
    from generator.view import View


@Rule(
    id="HW501",
    title="a warm-up that is unloaded at once",
    why="OLLAMA_KEEP_ALIVE=0 unloads a model as soon as it has answered, a warm-up too.",
    bad="OLLAMA_KEEP_ALIVE=0    # and a warm-up job",
    good="OLLAMA_KEEP_ALIVE=24h",
    source="envconfig/config.go@v0.32.15:126-144",
)
def warmup_unloaded_at_once(view: View, _: Facts) -> Hits:
    keep_alive = view.variable("OLLAMA_KEEP_ALIVE")
    warmed = any(model.warmed for model in view.models)
    if warmed and keep_alive and keep_alive.value.rstrip("smhnuµ") in {"0", "-0"}:
        yield Hit(
            message="a keep-alive of zero unloads each model right after the warm-up",
            place=keep_alive.place,
            fix="write how long models shall stay, like `24h`",
        )


@Rule(
    id="HW502",
    title="a warm-up of more models than may be resident",
    why="Beyond OLLAMA_MAX_LOADED_MODELS each further model evicts one that was loaded before.",
    bad="OLLAMA_MAX_LOADED_MODELS=1    # and a warm-up of two models",
    good="OLLAMA_MAX_LOADED_MODELS=2",
    source="server/sched.go@v0.32.15:86",
)
def warmup_beyond_resident(view: View, _: Facts) -> Hits:
    resident = view.variable("OLLAMA_MAX_LOADED_MODELS")
    warmed = sum(model.warmed for model in view.models)
    if resident and 0 < (whole(resident.value) or 0) < warmed:
        yield Hit(
            message=f"the warm-up loads {warmed} models, {resident.value} may be resident: "
            f"the first ones are evicted again",
            place=resident.place,
            fix="preload fewer models, or let more be resident",
        )


@Rule(
    id="HW504",
    title="a warm-up of an embedding model",
    why="`ollama run` asks an embedding model for its input and fails without one: `embedding "
    "models require input text`.",
    bad='ollama run nomic-embed-text ""',
    good="# left out: it loads with the first request, in a second or two",
    source="cmd/cmd.go@v0.9.6, @v0.32.15",
)
def embedding_warmup(view: View, facts: Facts) -> Hits:
    for model in view.models:
        if model.warmed and model.role == "embedding":
            yield Hit(
                message=f"`{model.name}` cannot be loaded ahead: `ollama run` asks for its input",
                place=model.place,
                fix="remove `preload` from it",
            )
    for command in view.commands:
        (verb, _), *rest = command.words or (("", view.place),)
        plain = [word for word in rest if not word[0].startswith("-")]
        if verb != "run" or command.fed or len(plain) != 1 or len(rest) != len(plain):
            continue
        (name, place) = plain[0]
        known = facts.model(name)
        if known is not None and {*known.use} == {"embedding"}:
            yield Hit(
                message=f"`ollama run {name}` without a text ends with an error, and loads "
                "nothing: it is a model for embeddings",
                place=place,
                fix="leave it out; it loads with the first request, in a second or two",
            )


@Rule(
    id="HW507",
    title="a model, or an image, that is not to be had",
    why="The pull of a model fails: the service starts, and answers every request for it with 404. "
    "The library refuses one that an older release cannot load, with 412. "
    "An image without its registry is looked for on Docker Hub, which has no name with a hyphen "
    "before the slash: `open-webui/open-webui` is one of ghcr.io, and nothing starts. Tags of "
    "Ollama are its releases, without a `v`, the same with `-rocm`, `latest` and `rocm`.",
    bad="ollama pull llama3.2:8b",
    good="ollama pull llama3.1:8b",
    source="README.md@v0.9.0:66-70; docs.docker.com/accounts: a Docker ID has letters and numbers; "
    "scripts/build_docker.sh@v0.32.15, scripts/tag_latest.sh@v0.12.0",
)
def missing_model(view: View, facts: Facts) -> Hits:
    yield from _missing_image(view, facts)
    yield from _missing_tag(view, facts)
    yield from _too_new(view, facts)
    for used in _used(view):
        name = used.base or used.name
        if hint := facts.missing_model(name):
            yield Hit(
                message=f"there is no model `{name}` in the library",
                place=used.place,
                fix=hint,
            )


def _too_new(view: View, facts: Facts) -> Hits:
    """Yield the models that the release of an image cannot load."""
    box = view.container
    tag = box.tag.partition("-")[0] if box is not None and is_official(view, facts) else ""
    if box is None or box.moving or not _RELEASE.fullmatch(tag):
        return
    for used in _used(view):
        known = facts.named_model(used.base or used.name)
        loads = facts.architectures.get(known.architecture) if known is not None else None
        every = (one.since for one in (known, loads) if one is not None and one.since is not None)
        since = max(every, default=None)
        if since is not None and since > Release.parse(tag):
            yield Hit(
                message=f"{tag} cannot load `{used.name}`, which needs {since} or later: the pull "
                "is refused",
                place=used.place,
                fix="name an image of a later release, or a model that this one loads",
            )


_RELEASE: Final = re.compile(r"\d{1,4}\.\d{1,4}\.\d{1,4}", re.ASCII)


def _missing_image(view: View, facts: Facts) -> Hits:
    """Yield the images of which the registry is forgotten, and that Docker Hub cannot have."""
    boxes = (view.container, *(client.container for client in view.clients))
    pulled = [(box.image, box.of_image) for box in boxes if box is not None and not box.moving]
    for image, place in dict.fromkeys(pulled):
        for client in facts.clients:
            registry, _, rest = client.package.partition("/")
            known = "." in registry and "-" in rest.partition("/")[0]
            if known and repository(image) == rest:
                yield Hit(
                    message=f"Docker Hub has no `{rest}`: the image is one of {registry}",
                    place=place,
                    fix=f"write `{registry}/{image}`",
                    severity="error",
                )


def _missing_tag(view: View, facts: Facts) -> Hits:
    """Yield a tag of the engine's own image that its registry does not have."""
    box, ours = view.container, facts.image.repository
    bare = repository(box.image) if box is not None else ""
    if box is None or box.digest or bare not in {ours, f"docker.io/{ours}"}:
        return
    reference = REFERENCE.fullmatch(box.tag)
    tag = box.tag if reference is None else (reference["default"] or "")
    number, word = _NUMBERED.match(tag), _WORDS_OF_TAGS.fullmatch(tag)
    if not word and (number is None or _IS_TAG.fullmatch(tag)):
        return
    told = number[1] if number and number[2] else view.release
    right = facts.image.tag.format(release=told)
    right = f"{right}-rocm" if "rocm" in tag else right
    yield Hit(
        message=f"`{ours}` has no tag `{tag}`: its tags are releases, like `{right}`, with `-rocm` "
        "for cards of AMD; CUDA, Vulkan and the CPU need no other one",
        place=box.of_image,
        fix=f"write `{bare}:{right}`"
        if number and number[2]
        else "write the release that you want",
        severity="error",
    )


_IS_TAG: Final = re.compile(r"\d+\.\d+\.\d+(?:-rc\d+)?(?:-rocm)?(?:-\d+-g[0-9a-f]+)?")
_NUMBERED: Final = re.compile(
    r"(?:v(?=\d))?(\d+\.\d+(\.\d+)?(?:-rc\d+)?)"
    r"(?:$|-(?:rocm|cuda|gpu|cpu|nvidia|amd|vulkan|intel|alpine|slim|full)[\w.]*$)"
)
"""A release, with what people put before and behind it."""
_WORDS_OF_TAGS: Final = re.compile(
    r"(?:latest-|stable-)?(?:cuda|gpu|cpu|nvidia|amd|vulkan|stable|main|master|nightly|edge|alpine"
    r"|slim|lts)(?:-latest)?|latest-rocm|rocm-latest"
)


def _used(view: View) -> Iterator[ModelUse]:
    """Yield the models that are used, and those of branches where the script says them."""
    perhaps = view.lines_in(PERHAPS)
    told = {line.value for line in perhaps}
    yield from (used for used in view.models if used.name not in told)
    for line in perhaps:
        yield ModelUse(name=line.value, place=line.place, pulled=True)


# What a template or the running script fills in, and an address that Ollama takes apart itself.
_OPEN: Final = re.compile(r"[$%{}<>@]|://")


@Rule(
    id="HW557",
    severity="info",
    title="a model that the library does not list",
    why="A slip of the finger is found when the service pulls, which fails, or answers with 404. A "
    "model that was made on the host may have any name, so this is a remark, but for one that is "
    "pulled and not made here.",
    bad="ollama pull qwn3:8b",
    good="ollama pull qwen3:8b",
    source="the library on 2026-08-21; generator/catalogue/data/library.toml",
)
def mistyped_model(view: View, facts: Facts) -> Hits:
    for used in _used(view):
        name = used.base or used.name
        own = used.made and not used.base
        if own or _OPEN.search(name) or not re.fullmatch(MODEL_NAME, name):
            continue
        if nearest := facts.mistyped_model(name):
            yield Hit(
                message=f"the library has no `{name}`",
                place=used.place,
                severity="warning" if used.pulled else None,
                fix=f"write `{nearest}` if you mean that; leave it if it is a model of your own, "
                "or a newer one",
            )


@Rule(
    id="HW125",
    severity="error",
    title="no name of a model",
    why="Host, namespace, model and tag are of letters, digits, `_`, `.` and `-`, and begin with a "
    "letter, a digit or `_`. What begins with `-` is an option to `ollama pull`, which then pulls "
    "nothing and may even succeed.",
    bad="ollama pull -- -h/qwen3",
    good="ollama pull hf.co/someone/qwen3",
    source="types/model/name.go@v0.32.15, isValidPart",
)
def no_model_name(view: View, _: Facts) -> Hits:
    for line in view.lines:
        if (line.section, line.name) == ("models.pull", "-"):
            yield Hit(
                message="an item of the list is empty: the chart pulls a model without a name",
                place=line.place,
                severity="warning",
                fix="write the name of a model, or take the item out",
            )
    for used in view.models:
        names = (name for name in (used.name, used.base) if name)
        if bad := next((n for n in names if not re.fullmatch(MODEL_NAME, n)), ""):
            if _OPEN.search(bad):
                continue
            yield Hit(
                message=f"`{bad}` is no name of a model: Ollama refuses it, or takes it for an "
                "option",
                place=used.place,
                fix="write it as `ollama list` does, like `qwen2.5-coder:7b`",
            )


# The installer's unit, from scripts/install.sh@v0.32.15:221-235.
INSTALLED_TO: Final = re.compile(r"(?:^|/)(?:etc|lib)/systemd/system/ollama\.service$")
INSTALLED_START: Final = re.compile(r"/\S*bin/ollama serve")
INSTALLED_DESCRIPTION: Final = "Ollama Service"


@Rule(
    id="HW516",
    title="an edited unit of the installer",
    why="The installer writes /etc/systemd/system/ollama.service anew at every upgrade, a package "
    "its own under /usr/lib: edits there are gone without a word. A drop-in stays. It is said of "
    "a file at such a path with the installer's own Description= and ExecStart=, and of variables "
    "and limits in it: with another command it is somebody's own unit.",
    bad="# /etc/systemd/system/ollama.service\nEnvironment=OLLAMA_NUM_PARALLEL=4",
    good="# /etc/systemd/system/ollama.service.d/override.conf\n[Service]\n"
    "Environment=OLLAMA_NUM_PARALLEL=4",
    source="scripts/install.sh@v0.32.15:221-235; ollama#1278, ollama#8389",
)
def edited_vendor_unit(view: View, _: Facts) -> Hits:
    file = _installed_unit(view) if view.phrases.unit_file else ""
    own = [(v.name, v.place) for v in view.variables if v.name != "PATH"]
    own += [(bound.name, bound.place) for bound in view.bounds]
    inside = [(name, place) for name, place in own if file and place.file == file]
    if inside:
        names = ", ".join(dict.fromkeys(name for name, _ in inside))
        yield Hit(
            message=f"the next upgrade of Ollama writes this unit anew, without {names}",
            place=inside[0][1],
            fix="move what you added to a drop-in: `systemctl edit ollama.service`",
        )


def _installed_unit(view: View) -> str:
    """Return the file that the installer, or a package, wrote; empty: somebody's own unit."""
    says = {(line.section, line.name, line.place.file): line.value for line in view.lines}
    for (section, name, file), value in says.items():
        start = (section, name) == ("Service", "ExecStart") and INSTALLED_START.fullmatch(value)
        described = says.get(("Unit", "Description", file)) == INSTALLED_DESCRIPTION
        if start and described and INSTALLED_TO.search(file):
            return file
    return ""


@Rule(
    id="HW560",
    title="a server that runs as root",
    why="The server needs no right of root: the GPU is open to the groups render and video. As "
    "root, a fault in a runner that reads a model somebody has uploaded owns the whole host. The "
    "installer's unit has a user of its own.",
    bad="[Service]\nExecStart=/usr/local/bin/ollama serve",
    good="[Service]\nExecStart=/usr/local/bin/ollama serve\nUser=ollama\nGroup=ollama",
    source="scripts/install.sh@v0.32.15:221-235; systemd.exec(5), User=",
)
def runs_as_root(view: View, _: Facts) -> Hits:
    serves = [line for line in sandbox.said(view, "ExecStart") if _SERVES.match(line.value)]
    users = sandbox.said(view, "User")
    added = bool(users) and sandbox.adds_to_own(view) and view.phrases.unit_file
    whole = bool(serves) and not view.adds and not view.phrases.sandboxed
    if not (whole or added) or sandbox.is_of_a_user(view) or view.container is not None:
        return
    if users and users[-1].value.strip() not in sandbox.ROOT:
        return
    if not users and sandbox.is_dynamic(view):
        return
    said = f"`User={users[-1].value}`: the server" if users else "there is no User=: the server"
    yield Hit(
        message=f"{said} runs as root, which it does not need",
        place=users[-1].place if users else serves[-1].place,
        fix="write `User=ollama`, a user that owns the models and is in the groups render and "
        "video",
    )


_SERVES: Final = re.compile(
    rf"{sandbox.BEFORE_PROGRAM}(?:(?:env|sh|bash|dash|zsh)[ \t]++(?:-[^\s'\"]*+[ \t]++)*+[\"']?)?"
    r"(?:exec[ \t]++)?(?:\w++=\S*+[ \t]++)*+(?:/\S*/)?ollama[ \t]++serve\b"
)
"""A start of the server, by itself, or by way of `env` or a shell."""


@Rule(
    id="HW547",
    severity="error",
    title="a unit that waits for a word that Ollama never says",
    why="With Type=notify systemd waits until the service says that it is ready. Ollama does not "
    "know that protocol: after TimeoutStartSec, 90 seconds, systemd kills the server, and "
    "Restart= starts the next one, for ever.",
    bad="[Service]\nType=notify\nExecStart=/usr/local/bin/ollama serve",
    good="[Service]\nType=simple\nExecStart=/usr/local/bin/ollama serve",
    source="systemd.service(5), Type=; sd_notify(3); cmd/cmd.go@v0.32.15, RunServer",
)
def never_notifies(view: View, _: Facts) -> Hits:
    told = sandbox.said(view, "Type")[-1:]
    serves = any(_SERVES.match(line.value) for line in sandbox.said(view, "ExecStart"))
    serves = serves or bool(told and sandbox.adds_to_own(view))
    for line in told:
        if serves and line.value in sandbox.NOTIFYING and view.container is None:
            yield Hit(
                message=f"`Type={line.value}` waits until Ollama says that it is ready, which it "
                "never does: systemd kills it when the start times out",
                place=line.place,
                fix="write `Type=simple`",
                edits=(Edit(line.place, line.value, "simple"),) if view.phrases.headers else (),
            )
