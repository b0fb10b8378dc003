"""HW128, HW553, HW554, HW556, HW559, HW615: what never arrives, as nobody takes it where it is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.rules.helpers.containers import is_official
from generator.rules.helpers.variables import needs_judgement
from generator.rules.rule import Hit, Hits, Rule
from generator.view import KEYLESS, PARTED, UNASSIGNED, UNEXPORTED, Edit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue.facts import Facts
    from generator.view import View


_TELLING: Final = frozenset({"-v", "--version", "-h", "--help"})
_WORDS: Final = frozenset({"Environment", "ENV", "env", "-e", "--env", "export", "set"})
_NAME: Final = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_ASSIGNED: Final = re.compile(r"[A-Za-z_]\w*=", re.ASCII)
_COLON: Final = re.compile(r"([A-Za-z_]\w*)[ \t]*:?[ \t]*([^\s'\"]*)", re.ASCII)


@Rule(
    id="HW553",
    severity="error",
    title="a line that sets no variable",
    why="A file of variables has `NAME=value` lines. With a colon or a blank in place of the equal "
    "sign nothing is set: systemd and container runtimes pass over the line, and the server runs "
    "with its defaults. With the word of another format before it (`Environment=NAME=value` or "
    "`export NAME=value` in a list of Compose) a variable by that word, or by both, is set, and "
    "none by its own name.",
    bad="OLLAMA_NUM_PARALLEL: 4",
    good="OLLAMA_NUM_PARALLEL=4",
    source="systemd.exec(5), EnvironmentFile=; docs.docker.com: docker run --env-file",
)
def line_without_assignment(view: View, _: Facts) -> Hits:
    who = view.phrases.drops_lines or "systemd ignores"
    for line in view.lines_in(UNASSIGNED):
        found = _COLON.fullmatch(line.value)
        right = f"{found[1]}={found[2]}" if found else ""
        certain = found is not None and not needs_judgement(found[1])
        yield Hit(
            message=f"{who} `{line.value}`: there is no `=` in it",
            place=line.place,
            fix=f"write `{right}`" if right else "write `NAME=value`",
            edits=(Edit(line.place, line.value, right),) if certain else (),
        )
    for name, meant, edit in _with_the_word_before_it(view):
        yield Hit(
            message=f"this sets a variable by the name `{name}`, which nobody reads, and none by "
            f"the name `{meant}`",
            place=edit.place,
            fix=f"write `{meant}=…`, without the word before it",
            edits=() if needs_judgement(meant) else (edit,),
        )


def _with_the_word_before_it(view: View) -> Iterator[tuple[str, str, Edit]]:
    """Yield the names in which another format's word before variables is, what is meant, a fix."""
    told = [(one.name, one.value, one.named or one.place, one.place) for one in view.variables]
    for line in view.lines_named("variable"):
        if line.section.startswith("beside."):
            name, _, value = line.value.partition("=")
            told.append((name, value, line.place, line.place))
    for name, value, named, place in told:
        *words, last = name.split() or [""]
        if name in _WORDS and _ASSIGNED.match(value):
            yield name, value.partition("=")[0], Edit(place, f"{name}={value}", value)
        elif words and _WORDS.issuperset(words) and _NAME.fullmatch(last):
            yield name, last, Edit(named, name, last)


@Rule(
    id="HW622",
    severity="error",
    title="a name that ends in a blank",
    why="`set` of cmd takes all that stands before `=` for the name, and all behind it for the "
    "value: with a blank around it the variable has another name, which nobody reads.",
    bad="set OLLAMA_FLASH_ATTENTION = 1",
    good='set "OLLAMA_FLASH_ATTENTION=1"',
    source="learn.microsoft.com: Windows commands, set",
)
def name_with_a_blank(view: View, _: Facts) -> Hits:
    for line in view.lines_in(PARTED):
        yield Hit(
            message=f"the blank before `=` is a part of the name: `{line.name}` is not set",
            place=line.place,
            fix=f'write `set "{line.name}={line.value}"`',
        )


@Rule(
    id="HW554",
    severity="error",
    title="a value that is refused",
    why="A variable of a container is text. Kubernetes takes no number and no true or false for "
    "one, and refuses the whole manifest.",
    bad="- name: OLLAMA_NUM_PARALLEL\n  value: 4",
    good='- name: OLLAMA_NUM_PARALLEL\n  value: "4"',
    source="kubernetes.io: EnvVar v1 core, value; ConfigMap v1 core, data",
)
def refused_value(view: View, _: Facts) -> Hits:
    for variable in view.variables:
        if variable.refused:
            quoted = view.phrases.string.format(variable.value)
            mends = variable.written == variable.value
            yield Hit(
                message=f"the value of {variable.name} is refused: {variable.refused}, and has to "
                f"be text",
                place=variable.place,
                fix=f"write `{quoted}`",
                edits=(Edit(variable.place, f" {variable.written}", f" {quoted}"),)
                if mends
                else (),
            )


@Rule(
    id="HW556",
    severity="error",
    title="options behind the image",
    why="What stands behind the image goes to the program in it: the variable is not set, the port "
    "not published, and the server ends with `unknown flag`.",
    bad="docker run -d ollama/ollama -p 127.0.0.1:11434:11434",
    good="docker run -d -p 127.0.0.1:11434:11434 ollama/ollama",
    source="docs.docker.com/reference/cli/docker/container/run",
)
def options_behind_the_image(view: View, facts: Facts) -> Hits:
    # The program in the image of another engine may take options as they are.
    own = view.container is not None and is_official(view, facts) and not facts.serve_names
    words = view.container.arguments if view.container and own else ()
    if words and words[0][0].startswith("-") and not (len(words) == 1 and words[0][0] in _TELLING):
        text, place = words[0]
        yield Hit(
            message=f"`{text}` goes to the program in the image, which does not know it",
            place=place,
            fix="write it before the image, or as a key of the container",
        )


@Rule(
    id="HW615",
    severity="error",
    title="a volume or a key that is not there",
    why="Each of `volumeMounts` names a volume of the pod, or a template of claims of its "
    "StatefulSet. With another name Kubernetes refuses the whole manifest. A quadlet that names "
    "another one, as `Volume=ollama.volume`, becomes a service only where that is there. A "
    "container whose variable names a key that its ConfigMap or Secret does not have stays in "
    "`CreateContainerConfigError`, unless `optional: true` is said.",
    bad="volumeMounts: [{name: models, mountPath: /root/.ollama}]\nvolumes: [{name: data, "
    "emptyDir: {}}]",
    good="volumeMounts: [{name: data, mountPath: /root/.ollama}]\nvolumes: [{name: data, "
    "emptyDir: {}}]",
    source="kubernetes.io: PodSpec v1 core, volumes; pkg/apis/core/validation (kubernetes); "
    "pkg/systemd/quadlet (podman); kubernetes.io: ConfigMapKeySelector v1 core, optional",
)
def mounts_nothing(view: View, _: Facts) -> Hits:
    for name, place in view.container.unbound if view.container else ():
        if view.phrases.headers:
            yield Hit(
                message=f"there is no `{name}` beside it: Podman makes no service of the container",
                place=place,
                fix="name it as its file is called",
            )
            continue
        yield Hit(
            message=f"the pod has no volume `{name}`: Kubernetes refuses the manifest",
            place=place,
            fix=f"add `{name}` to `volumes`, or name one that is there",
        )
    for line in view.lines_in(KEYLESS):
        yield Hit(
            message=f"the {line.name} has no key `{line.value}`: the container does not start",
            place=line.place,
            fix="name a key that is there, or write `optional: true` beside it",
        )


@Rule(
    id="HW128",
    title="a variable that a login shell keeps to itself",
    why="A shell hands on only what it exports: `ollama` that is started in it sees nothing of the "
    "others, and neither does a server.",
    bad="# /etc/profile.d/ollama.sh\nOLLAMA_HOST=gpu.lan:11434",
    good="# /etc/profile.d/ollama.sh\nexport OLLAMA_HOST=gpu.lan:11434",
    source="POSIX.1-2024, Shell Command Language, export",
)
def not_exported(view: View, _: Facts) -> Hits:
    for line in view.lines_in(UNEXPORTED):
        edit = Edit(line.place, f"{line.name}=", f"export {line.name}=")
        yield Hit(
            message=f"`{line.name}` is not exported: no program that the shell starts gets it",
            place=line.place,
            fix=f"write `export {line.name}=…`; a service of systemd reads no "
            "profile, and gets it by `Environment=`",
            edits=(edit,),
            unsafe=True,
        )


_SEARCHED: Final = frozenset({"LD_LIBRARY_PATH", "LD_PRELOAD"})
_ANYWHERE: Final = ("/", "$", "%", "{", "~", "@", "<")


@Rule(
    id="HW559",
    title="libraries that are looked for beside the service",
    why="The loader takes a path without a slash before it from where the service starts, which is "
    "`/` for systemd and the home of the module on NixOS. Nothing is there, no error says so, and "
    "the server runs without the driver that was meant.",
    bad="LD_LIBRARY_PATH=run/opengl-driver/lib",
    good="LD_LIBRARY_PATH=/run/opengl-driver/lib",
    source="ld.so(8), LD_LIBRARY_PATH",
)
def relative_libraries(view: View, _: Facts) -> Hits:
    for variable in view.served:
        each = variable.value.strip("\"' ").split(":") if variable.name in _SEARCHED else []
        loose = [one for one in each if "/" in one and not one.startswith(_ANYWHERE)]
        if loose and not variable.unresolved:
            yield Hit(
                message=f"`{loose[0]}` in {variable.name} begins without a slash: it is looked for "
                "where the service starts, and nothing is there",
                place=variable.place,
                fix=f"write `/{loose[0].removeprefix('./')}`",
            )
