"""HW530 to HW536: options of a module of NixOS that are refused, dropped or overwritten."""

from __future__ import annotations

from collections import Counter
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any, Final

from generator.rules.rule import Hit, Hits, Rule
from generator.units import takes_port, whole
from generator.view import Edit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue.facts import Facts
    from generator.catalogue.nixos import ModuleOption
    from generator.view import Setting, View

SOURCE: Final = "nixpkgs nixos/modules/services/misc/ollama.nix"
UNSTABLE: Final = "unstable"
OLDEST: Final = "24.11"
"""The oldest release of NixOS that still counts where nobody says which one runs."""
VARIABLES: Final = "environmentVariables"
_NEAR: Final = 0.8


def _options(view: View) -> Iterator[Setting]:
    """Yield the first setting of each option of the module, without those that may not be set."""
    named = (s for s in reversed(view.settings) if s.name)
    certain = (s for s in named if not s.within and not s.maybe)
    own = {s.name.partition(".")[0]: s for s in certain}
    yield from sorted(own.values(), key=lambda setting: setting.place.line)


def _option(view: View, name: str) -> Setting | None:
    """Return the setting of an option of the module, None where there is none."""
    return next((s for s in view.settings if not s.within and s.name == name), None)


@Rule(
    id="HW530",
    severity="error",
    title="an option that the module of NixOS does not have",
    why="NixOS refuses an option that is not there, or not any more, and builds nothing. "
    "`acceleration` went after 25.11, `listenAddress`, `sandbox` and `writablePaths` with 24.11. "
    "The release comes from `--nixos`, from a comment of the file itself, or from the nixpkgs that "
    "a flake above it pins. "
    "What only a condition that is not known here adds (`optionalAttrs`, `if`) is left alone.",
    bad='services.ollama.acceleration = "cuda";',
    good="services.ollama.package = pkgs.ollama-cuda;",
    source=SOURCE,
)
def not_an_option(view: View, facts: Facts) -> Hits:
    for setting in _options(view):
        name = setting.name.partition(".")[0]
        option = facts.module_options.get(name)
        if option is None:
            yield _never_there(name, setting, view, facts)
        elif option.until and not option.renamed and (view.channel or UNSTABLE) >= option.until:
            yield _removed(option, setting, view)
        elif view.channel and view.channel < option.since:
            yield Hit(
                message=f"NixOS {view.channel} has no `{view.name}.{name}`, which came with "
                f"{option.since}, and refuses it",
                place=setting.place,
                fix=option.instead or "take it out",
            )

    yield from _removed_and_read(view, facts)


def _removed_and_read(view: View, facts: Facts) -> Hits:
    """Yield options that are gone, and that the module asks `config` for."""
    named = {setting.name.partition(".")[0] for setting in view.settings if not setting.within}
    for line in view.lines_in("config"):
        option = facts.module_options.get(line.name)
        until = option.until if option and not option.renamed and line.name not in named else ""
        if option and until and until <= (view.channel or UNSTABLE):
            yield Hit(
                message=f"`config.{view.name}.{line.name}` is read, and no option any more "
                f"since NixOS {until}: nothing can be built",
                place=line.place,
                severity=None if view.channel or until <= OLDEST else "warning",
                fix=option.instead,
                link=option.source,
            )


def _never_there(name: str, setting: Setting, view: View, facts: Facts) -> Hit:
    meant = facts.module_option_meant(name)
    near = SequenceMatcher(None, name.casefold(), meant.casefold()).ratio() >= _NEAR
    certain = near or name in facts.module_guesses
    return Hit(
        message=f"NixOS has no option `{view.name}.{name}` and refuses it"
        + ("" if certain else ", unless a module of yours declares it"),
        place=setting.place,
        severity=None if certain else "warning",
        fix=f"did you mean `{meant}`?" if meant else "take it out",
        edits=(Edit(setting.place, f"{name} =", f"{meant} ="),) if near else (),
    )


def _removed(option: ModuleOption, setting: Setting, view: View) -> Hit:
    doubtful = not view.channel and (option.until or "") > OLDEST
    return Hit(
        message=f"`{view.name}.{option.name}` is no option any more since NixOS {option.until}, "
        "which refuses it" + (": this module is for an earlier one" if doubtful else ""),
        place=setting.place,
        severity="warning" if doubtful else None,
        fix=option.instead + (", or say `--nixos` with the release that runs" if doubtful else ""),
        link=option.source,
    )


@Rule(
    id="HW531",
    severity="info",
    title="an option of NixOS that has a new name",
    why="The old name still works, with a warning at each rebuild, until it goes. Only said where "
    "the release of NixOS is known: older ones do not know the new name.",
    bad='services.ollama.models = "/srv/models";    # NixOS unstable',
    good='services.ollama.modelsDir = "/srv/models";',
    source="nixpkgs#537550",
)
def renamed_option(view: View, facts: Facts) -> Hits:
    for setting in _options(view):
        option = facts.module_options.get(setting.name.partition(".")[0])
        if not option or setting.chosen:
            continue
        if option.renamed and view.channel >= (option.until or UNSTABLE):
            yield Hit(
                message=f"`{view.name}.{option.name}` is called `{option.renamed}` since NixOS "
                f"{option.until}, which warns at each rebuild",
                place=setting.place,
                fix=f"write `{option.renamed}`",
                edits=(Edit(setting.place, f"{option.name} =", f"{option.renamed} ="),),
                link=option.source,
            )


@Rule(
    id="HW532",
    title="a setting that the module of NixOS overwrites",
    why="The module sets some variables from options of its own, over what `environmentVariables` "
    "says of them, without a word; and it beats `lib.mkDefault` beside it. The server never gets "
    "that value.",
    bad='services.ollama.environmentVariables.OLLAMA_HOST = "0.0.0.0:11434";',
    good='services.ollama.host = "0.0.0.0";',
    source=SOURCE,
)
def overwritten(view: View, facts: Facts) -> Hits:
    for setting in view.settings:
        variable = setting.name.removeprefix(f"{VARIABLES}.")
        own = not setting.within and variable != setting.name
        if (own or setting.strength < 0) and _differs(setting, _of_module(view, setting, facts)):
            force = "write `lib.mkForce` in place of `lib.mkDefault`"
            shown = "it" if setting.value is None else f"`{_text(setting.value)}`"
            yield Hit(
                message=f"the module sets {variable} itself, over this: the server never gets "
                f"{shown}",
                place=setting.place,
                fix=_instead(view, variable, facts) if own else force,
            )


@Rule(
    id="HW533",
    severity="error",
    title="a value that NixOS does not take",
    why="Options have types, and NixOS builds nothing where one does not fit. Variables are "
    "strings, numbers and switches too; a port is a number.",
    bad="services.ollama.environmentVariables.OLLAMA_NUM_PARALLEL = 4;",
    good='services.ollama.environmentVariables.OLLAMA_NUM_PARALLEL = "4";',
    source=SOURCE,
)
def wrong_type(view: View, facts: Facts) -> Hits:
    who = view.phrases.reader or "NixOS"
    alone = Counter((s.place.file, s.place.line) for s in view.settings)
    for setting in (s for s in view.settings if not s.unresolved):
        wanted, value = _wanted(setting, facts), _spelled(setting.value)
        if wanted:
            written, last = f'"{_text(setting.value)}"', setting.name.rpartition(".")[2]
            # Another fix may give the only setting of a line another name.
            last = "" if alone[setting.place.file, setting.place.line] == 1 else last
            quotes = "string" in wanted and isinstance(setting.value, bool | int | float)
            edit = Edit(setting.place, f"{last} = {value};", f"{last} = {written};")
            lists = setting.name == "models" and isinstance(setting.value, list)
            fix = f"write `{written}`" if quotes else f"write {wanted}"
            yield Hit(
                message=f"`{setting.place.key}` is {value}, and {who} takes only {wanted}",
                place=setting.place,
                fix="did you mean `loadModels`?" if lists else fix,
                edits=(edit,) if quotes else (),
            )


def _wanted(setting: Setting, facts: Facts) -> str:
    """Return what a value should be and is not; empty: it is, or nobody can tell."""
    if not setting.name:
        return "" if isinstance(setting.value, dict) else "a set of options"
    option = facts.module_options.get(setting.name)
    if setting.within == "serviceConfig" or (option is None and "." not in setting.name):
        return ""
    if option is not None:
        return option.fault(setting.value)
    unset = setting.within and setting.value is None
    return "" if unset or isinstance(setting.value, str | dict) else "a string"


@Rule(
    id="HW534",
    severity="error",
    title="a host that already has a port, or an IPv6 address without brackets",
    why="The module of NixOS joins `host` and `port` with a colon. With another colon in `host` "
    "the server gets no address and does not start.",
    bad='services.ollama.host = "0.0.0.0:11434";',
    good='services.ollama.host = "0.0.0.0";\nservices.ollama.port = 11434;',
    source=SOURCE,
)
def host_with_port(view: View, facts: Facts) -> Hits:
    setting = _option(view, "host")
    if setting is None or setting.unresolved or takes_port(str(setting.value)):
        return
    host, other = str(setting.value), _option(view, "port")
    number = other.value if other and not other.unresolved else 11434
    plain, own = host.rsplit(":", 1)
    bare = host.count(":") > 1 and not host.startswith("[")
    is_port = facts.module_options["port"].fault(whole(own)) == ""
    right = f"[{host}]" if bare else plain
    same = bare or own in {"", str(number)}
    yield Hit(
        message=f"`host` and `port` become `{host}:{number}`, which is no address: the server does "
        "not start",
        place=setting.place,
        fix=f'write `host = "{right}"`' + (f" and `port = {own}`" if is_port and not bare else ""),
        edits=(Edit(setting.place, f'"{host}"', f'"{right}"'),) if same else (),
    )


@Rule(
    id="HW535",
    severity="error",
    title="a value beside another one of the module of NixOS",
    why="Two different values of the same strength are `conflicting definition values`: NixOS "
    "builds nothing. The module sets HOME, OLLAMA_HOST, OLLAMA_MODELS and most of the sandbox.",
    bad="systemd.services.ollama.serviceConfig.ProtectHome = false;",
    good="systemd.services.ollama.serviceConfig.ProtectHome = lib.mkForce false;",
    source=f"{SOURCE}; nixpkgs lib/options.nix, mergeEqualOption",
)
def conflicting(view: View, facts: Facts) -> Hits:
    if not view.settings or not _made_by_module(view):
        return
    for setting in view.settings:
        plain = setting.within and setting.strength == 0 and not isinstance(setting.value, list)
        if plain and not setting.unresolved and setting.value is not None:
            there = _of_module(view, setting, facts)
            if _differs(setting, there):
                own = setting.name in facts.module_variables
                force = f"write `lib.mkForce {_spelled(setting.value)}`"
                yield Hit(
                    message=f"{setting.name} is `{there}` already, and NixOS refuses two values",
                    place=setting.place,
                    fix=_instead(view, setting.name, facts) if own else force,
                )


_ANOTHER: Final = "systemd."
"""How the name of a unit begins that no module has options for."""


def _made_by_module(view: View) -> bool:
    """Return whether the unit is the module's, and not one that the file itself writes."""
    if view.name.startswith(_ANOTHER):
        return False
    started = any(s.within == "serviceConfig" and s.name == "ExecStart" for s in view.settings)
    return not started or _option(view, "enable") is not None


def _of_module(view: View, setting: Setting, facts: Facts) -> str | None:
    """Return what the module, or another option of it, says of the same thing."""
    name = setting.name.removeprefix(f"{VARIABLES}.")
    if setting.within == "serviceConfig":
        user = _option(view, name.lower()) or _option(view, "user")
        given = user if name in {"User", "Group"} and _option(view, "user") else None
        return str(given.value) if given else facts.module_unit.get(name)
    variable = facts.module_variables.get(name)
    if variable is None:
        beside = _option(view, f"{VARIABLES}.{name}") if setting.within else None
        return str(beside.value) if beside and beside.strength == 0 else None
    told = [o for o in (_option(view, option) for option in variable.options) if o]
    if variable.told or told:
        first = view.variable(name)
        unknown = "the value of " + " and ".join(f"`{o.name}`" for o in told)
        return (first.value if first else unknown) if told else None
    return variable.default


def _differs(setting: Setting, other: str | None) -> bool:
    """Return whether a value is another one; a host without the port is the same address."""
    if other is None:
        return False
    return setting.unresolved or _text(setting.value) not in {other, other.rpartition(":")[0]}


def _instead(view: View, name: str, facts: Facts) -> str:
    """Return which options take the value of a variable, as far as the release has them."""
    channel = view.channel or _first_with_all(view, facts)
    options = [facts.module_options[option] for option in facts.module_variables[name].options]
    there = [o for o in options if o.since <= channel and (o.until is None or channel < o.until)]
    if not there:
        return options[0].instead
    return "set " + " and ".join(f"`{view.name}.{option.name}`" for option in there) + " instead"


def _first_with_all(view: View, facts: Facts) -> str:
    """Return the oldest release that counts and has the options which the file sets."""
    known = (facts.module_options.get(one.name.partition(".")[0]) for one in _options(view))
    return max([OLDEST, *(option.since for option in known if option)])


def _text(value: Any) -> str:  # noqa: ANN401 -- any Nix value
    return str(value).lower() if isinstance(value, bool) else str(value)


def _spelled(value: Any) -> str:  # noqa: ANN401
    """Return a value as Nix spells it, in short."""
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "a set"
    return "null" if value is None else _text(value)


@Rule(
    id="HW536",
    title="a package that `acceleration` takes back",
    why="Up to 25.11 the module builds `package` again with `acceleration`, which is null unless "
    "somebody sets it: pkgs.ollama-cuda then computes on the CPU, unless `nixpkgs.config` has "
    "`cudaSupport` or `rocmSupport`. It is said only where the release is known: by `--nixos`, the "
    "settings of the repository, or the nixpkgs that is pinned above the file.",
    bad="services.ollama.package = pkgs.ollama-cuda;    # NixOS 25.11",
    good='services.ollama.acceleration = "cuda";',
    releases="NixOS 25.11 and before",
    source=SOURCE,
)
def package_alone(view: View, facts: Facts) -> Hits:
    package, option = _option(view, "package"), facts.module_options["acceleration"]
    supported = view.lines_in("nixpkgs.config")
    if not view.channel or view.channel >= (option.until or "") or package is None or supported:
        return
    if _option(view, option.name) is None and view.acceleration in option.values:
        yield Hit(
            message=f"NixOS {view.channel} builds the package again without acceleration: the CPU "
            "computes",
            place=package.place,
            fix=f'add `acceleration = "{view.acceleration}"`',
        )


@Rule(
    id="HW327",
    title="an option among the variables",
    why="What stands in `environmentVariables` becomes a variable of the service, whatever its "
    "name. An option that is written one level too deep is none: the module keeps its default, and "
    "the server does not read it.",
    bad='services.ollama.environmentVariables.acceleration = "cuda";',
    good="services.ollama.package = pkgs.ollama-cuda;",
    source=SOURCE,
)
def option_among_variables(view: View, facts: Facts) -> Hits:
    for setting in view.settings:
        above, _, name = setting.name.partition(".")
        option = facts.module_options.get(name) if above == VARIABLES else None
        if option is not None and not setting.within:
            yield Hit(
                message=f"`{name}` is an option of `{view.name}`, and here a variable that nobody "
                "reads",
                place=setting.place,
                fix=option.instead or f"write `{view.name}.{name}`, outside `{VARIABLES}`",
            )
