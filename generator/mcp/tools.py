"""Which commands are tools, what each takes, and the command line that it becomes.

A tool runs its command in a process of its own, with `--json`: what it answers is what the command
prints, described by the same JSON Schema. No argument is an option that writes a file.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from generator.errors import CatalogueError
from generator.records import dataclass
from generator.targets import TARGETS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PACKAGE: Final = Path(__file__).parent.parent
LONGEST: Final = 4096
"""Characters of an argument; `text` may have TEXT_MOST of them."""
TEXT_MOST: Final = 1 << 20
MOST: Final = 64
"""Items of a list."""

Kind = Literal["string", "integer", "list", "boolean"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """An argument of a tool; `option` is that of the command, empty: it stands without one.

    `stdin`: it is what `-` stands for. `least` bounds a number.
    """

    name: str
    about: str
    option: str = ""
    kind: Kind = "string"
    words: tuple[str, ...] = ()
    stdin: bool = False
    least: int = 1

    @property
    def schema(self) -> dict[str, Any]:
        """What it may be, as JSON Schema."""
        text: dict[str, Any] = {
            "type": "string",
            "minLength": 1,
            "maxLength": TEXT_MOST if self.stdin else LONGEST,
        }
        text |= {"enum": list(self.words)} if self.words else {}
        kinds: dict[Kind, dict[str, Any]] = {
            "string": text,
            "integer": {"type": "integer", "minimum": self.least, "maximum": 2**31 - 1},
            "list": {"type": "array", "items": text, "maxItems": MOST},
            "boolean": {"type": "boolean"},
        }
        return {**kinds[self.kind], "description": self.about}

    def words_of(self, value: Any) -> Iterator[str]:  # noqa: ANN401 -- as the schema says
        """Yield the words of a command line that say it."""
        if self.kind == "boolean":
            yield from [self.option] if value else []
            return
        for each in value if self.kind == "list" else [value]:
            yield f"{self.option}={each}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A tool; `command` is its name, `one_of` are arguments of which one must be there."""

    command: str
    about: str
    arguments: tuple[Argument, ...]
    one_of: tuple[str, ...] = ()
    elsewhere: bool = False

    @property
    def inputs(self) -> dict[str, Any]:
        """The JSON Schema of its arguments."""
        schema: dict[str, Any] = {
            "type": "object",
            "properties": {each.name: each.schema for each in self.arguments},
            "additionalProperties": False,
        }
        needed = [{"required": [name]} for name in self.one_of]
        return schema | ({"anyOf": needed} if len(needed) > 1 else needed[0] if needed else {})

    @property
    def outputs(self) -> dict[str, Any]:
        """The committed JSON Schema of what it answers. Raises CatalogueError without one."""
        packaged = _PACKAGE / "shipped/schemas"
        folder = packaged if packaged.is_dir() else _PACKAGE.parent / "docs/schemas"
        try:
            schema = json.loads((folder / f"{self.command}.json").read_bytes())
        except (OSError, ValueError) as error:
            what = f"the schema of gen {self.command}: {error}"
            raise CatalogueError(what, hint="install Hostwright again") from error
        return {"type": "object", **schema}

    def line(self, given: Mapping[str, Any]) -> tuple[list[str], str]:
        """Return the words of the command line, and its standard input.

        Words that stand without an option come behind `--`, so that none is taken for one.
        """
        options: list[str] = []
        plain: list[str] = []
        text = ""
        for each in (one for one in self.arguments if one.name in given):
            value = given[each.name]
            if each.stdin:
                text = value
            elif each.option:
                options += each.words_of(value)
            else:
                plain += value if each.kind == "list" else [value]
        # Without a text `-` is a file of that name, not the protocol's stream.
        plain = [f"./{word}" if word == "-" else word for word in plain]
        return [self.command, "--json", *options, "--", *plain, *(["-"] if text else [])], text


_PROFILE: Final = Argument(name="profile", about="A shipped profile's name, or a path to a .toml.")
_TEXT: Final = Argument(
    name="text", about="The text of a profile, in place of one that is named.", stdin=True
)
_SET: Final = Argument(
    name="set", about="Values in place of those of the profile: KEY=VALUE.", option="--set",
    kind="list",
)  # fmt: skip
_RELEASE: Final = Argument(
    name="ollama_version", about="Release or line of Ollama, like 0.32.", option="--ollama-version"
)
_URL: Final = Argument(name="url", about="Where the server answers.", option="--url")
_OF_PROFILE: Final = (_PROFILE, _TEXT, _SET, _RELEASE)
_TARGET: Final = Argument(name="target", about="What to render.", option="--target",
                          words=tuple(TARGETS))  # fmt: skip
_EITHER: Final = ("profile", "text")

COMMANDS: Final[Mapping[str, Command]] = {
    each.command: each
    for each in (
        Command(command="list", about="List the shipped profiles of hosts.", arguments=()),
        Command(
            command="show",
            about="Every setting that follows from a profile of an inference host, with its reason "
            "and what is wrong with it.",
            arguments=(*_OF_PROFILE, _TARGET),
            one_of=_EITHER,
        ),
        Command(
            command="render",
            about="The files of a profile for a target, as text: a NixOS module, systemd drop-ins, "
            "compose.yaml, quadlets or the plan. Nothing is written.",
            arguments=(*_OF_PROFILE, _TARGET),
            one_of=_EITHER,
        ),
        Command(
            command="check",
            about="What is wrong with units, drop-ins, compose files, quadlets, NixOS modules, "
            "manifests or profiles that configure Ollama, and what to write instead. Without an "
            "argument: those of this machine.",
            arguments=(
                Argument(name="paths", about="Files and directories.", kind="list"),
                Argument(name="text", about="The text of a file.", stdin=True),
                Argument(
                    name="name",
                    about="File name that the text stands for, like compose.yaml.",
                    option="--stdin-name",
                ),
                _RELEASE,
            ),
        ),
        Command(
            command="explain",
            about="What a rule (HW101), variable, profile key, limit, model option or model means.",
            arguments=(Argument(name="names", about="What to explain.", kind="list"), _RELEASE),
            one_of=("names",),
        ),
        Command(
            command="fit",
            about="Which models fit a host, device by device, and how fast they may be. The host "
            "is that of a profile, described by gpu, ram and cores, or else this machine.",
            arguments=(
                *_OF_PROFILE,
                Argument(
                    name="gpu",
                    about="A card, like `RTX 4090` or `2x A100 80GB`.",
                    option="--gpu",
                    kind="list",
                ),
                Argument(name="ram", about="Memory of the host, like 64GiB.", option="--ram"),
                Argument(name="cores", about="Physical cores.", option="--cores", kind="integer"),
                Argument(
                    name="models",
                    about="Models of the library, like qwen3:8b.",
                    option="--model",
                    kind="list",
                ),
                Argument(
                    name="context", about="Tokens of context.", option="--context", kind="integer"
                ),
                Argument(
                    name="parallel", about="Request slots.", option="--parallel", kind="integer"
                ),
            ),
        ),
        Command(
            command="advise",
            about="What is left to gain on the host of a profile, the best first.",
            arguments=_OF_PROFILE,
            one_of=_EITHER,
        ),
        Command(
            command="detect",
            about="What this machine is: processor, memory, GPUs, drivers; and its profile.",
            arguments=(_RELEASE,),
        ),
        Command(
            command="verify",
            about="Whether the server that runs is as its profile says, setting by setting.",
            arguments=(*_OF_PROFILE, _URL),
            one_of=_EITHER,
            elsewhere=True,
        ),
        Command(
            command="doctor",
            about="What is wrong with a server that runs here and its machine, with the command "
            "that mends it. Nothing is changed.",
            arguments=(*_OF_PROFILE, _URL),
            elsewhere=True,
        ),
    )
}
"""The tools by name."""
