"""HW327 and HW530 to HW536: options of the module of NixOS, by its release."""

from typing import Any

import pytest

from generator.rules.registry import every_rule
from generator.view import LocatedFinding, Place, Setting, View
from tests.views import found, view

FILE = "ollama.nix"
ON: dict[str, Any] = {"enable": True}
VARIABLES = "environmentVariables"


def module(
    options: dict[str, Any],
    unit: dict[str, dict[str, Any]] | None = None,
    *,
    nixos: str = "",
    strength: int = 0,
) -> View:
    """Make a View of a module; `unit` are settings of the unit beside it."""
    settings = [
        Setting(name=name, value=value, place=Place(FILE, line, f"services.ollama.{name}"))
        for line, (name, value) in enumerate(options.items(), 1)
    ]
    for within in ("environment", "serviceConfig"):
        settings += [
            Setting(name=n, value=v, place=Place(FILE, 9), within=within, strength=strength)
            for n, v in (unit or {}).get(within, {}).items()
        ]
    package = options.get("package", {})
    kind = package.get("package", "").partition("-")[2] if isinstance(package, dict) else ""
    return view(
        kind="nixos",
        name="services.ollama",
        settings=tuple(settings),
        channel=nixos,
        acceleration=kind,
    )


def told(rule: str, seen: View) -> list[LocatedFinding]:
    return list(found(every_rule()[rule], seen))


CUDA = {"package": "ollama-cuda", "version": ""}
CASES: dict[str, tuple[View, View]] = {
    "HW327": (
        module(ON | {f"{VARIABLES}.acceleration": "cuda"}),
        module(ON | {f"{VARIABLES}.A": "1"}),
    ),
    "HW530": (module({"acceleration": "cuda"}), module({"acceleration": "cuda"}, nixos="25.11")),
    "HW531": (module({"models": "/m"}, nixos="unstable"), module({"models": "/m"})),
    "HW532": (
        module({f"{VARIABLES}.OLLAMA_HOST": "0.0.0.0:11434"}),
        module({f"{VARIABLES}.OLLAMA_HOST": "127.0.0.1", f"{VARIABLES}.OLLAMA_DEBUG": "1"}),
    ),
    "HW533": (
        module({f"{VARIABLES}.OLLAMA_NUM_PARALLEL": 4}),
        module({"port": 11434, "user": None, "loadModels": ["a"], f"{VARIABLES}.A": "4"}),
    ),
    "HW534": (module({"host": "0.0.0.0:11434"}), module({"host": "[::]"})),
    "HW535": (
        module(ON, {"serviceConfig": {"ProtectHome": False}}),
        module(ON, {"serviceConfig": {"ProtectHome": False}}, strength=1),
    ),
    "HW536": (
        module({"package": CUDA}, nixos="25.11"),
        module({"package": CUDA, "acceleration": "cuda"}, nixos="25.11"),
    ),
}


@pytest.mark.parametrize("rule", CASES)
def test_it_catches_one_and_leaves_the_other_alone(rule: str) -> None:
    caught, left = CASES[rule]
    assert [placed.finding.rule for placed in told(rule, caught)] == [rule]
    assert told(rule, left) == []


@pytest.mark.parametrize(
    ("option", "nixos", "severity"),
    [
        ("acceleration", "", "warning"),
        ("acceleration", "26.05", "error"),
        ("acceleration", "25.05", None),
        ("listenAddress", "", "error"),
        ("listenAddress", "24.05", None),
        ("modelsDir", "25.11", "error"),
        ("modelsDir", "", None),
        ("models", "unstable", None),
        ("loadModel", "", "error"),
        ("environment", "25.11", "error"),
        ("derivedThings", "", "warning"),
    ],
)
def test_an_option_is_judged_by_the_release(option: str, nixos: str, severity: str | None) -> None:
    hits = told("HW530", module({option: "x"}, nixos=nixos))
    assert [hit.finding.severity for hit in hits] == ([severity] if severity else [])


@pytest.mark.parametrize(
    ("option", "value", "wanted"),
    [
        ("port", "11434", "a port number"),
        ("port", True, "a port number"),
        ("enable", "true", "true or false"),
        ("loadModels", "llama3.1:8b", "a list of strings"),
        ("models", ["llama3.1:8b"], "loadModels"),
        ("acceleration", "cdua", "one of rocm, cuda, vulkan"),
        ("package", "ollama", "a package"),
        (f"{VARIABLES}.OLLAMA_DEBUG", True, '`"true"`'),
        (f"{VARIABLES}.OLLAMA_DEBUG", None, "a string"),
    ],
)
def test_a_value_has_the_type_of_its_option(option: str, value: object, wanted: str) -> None:
    (hit,) = told("HW533", module({option: value}))
    assert wanted in f"{hit.finding.message} {hit.finding.fix}"


@pytest.mark.parametrize(
    ("host", "fix"),
    [
        ("0.0.0.0:11434", 'write `host = "0.0.0.0"` and `port = 11434`'),
        ("0.0.0.0:8080", 'write `host = "0.0.0.0"` and `port = 8080`'),
        ("[::]:11434", 'write `host = "[::]"` and `port = 11434`'),
        ("h:99999", 'write `host = "h"`'),
        ("::", 'write `host = "[::]"`'),
        ("fe80::1", 'write `host = "[fe80::1]"`'),
    ],
)
def test_a_host_takes_a_port_behind_it(host: str, fix: str) -> None:
    (hit,) = told("HW534", module({"host": host}))
    assert hit.finding.fix == fix


@pytest.mark.parametrize("host", ["", "127.0.0.1", "llm.lan", "[fd00::1]", "10.0.0.7"])
def test_a_host_without_a_port_is_right(host: str) -> None:
    assert told("HW534", module({"host": host})) == []


@pytest.mark.parametrize(
    ("options", "unit", "hits"),
    [
        (ON, {"environment": {"OLLAMA_HOST": "10.0.0.7"}}, 1),
        (ON, {"environment": {"OLLAMA_HOST": "127.0.0.1:11434"}}, 0),
        (ON, {"environment": {"OLLAMA_DEBUG": "1"}}, 0),
        ({f"{VARIABLES}.A": "1"}, {"environment": {"A": "2"}}, 1),
        (ON, {"serviceConfig": {"UMask": "0027"}}, 1),
        (ON, {"serviceConfig": {"DynamicUser": True}}, 0),
        (ON, {"serviceConfig": {"MemoryMax": "8G"}}, 0),
        (ON, {"serviceConfig": {"User": "me"}}, 0),
        (ON | {"user": "llm"}, {"serviceConfig": {"User": "me", "Group": "llm"}}, 1),
        ({}, {"serviceConfig": {"ExecStart": "/bin/ollama serve", "DynamicUser": False}}, 0),
    ],
)
def test_two_values_of_one_strength_conflict(
    options: dict[str, Any], unit: dict[str, dict[str, Any]], hits: int
) -> None:
    assert len(told("HW535", module(options, unit))) == hits


def test_a_default_beside_the_module_loses() -> None:
    (hit,) = told("HW532", module(ON, {"serviceConfig": {"UMask": "0027"}}, strength=-1))
    assert "mkForce" in hit.finding.fix


def test_the_option_that_is_named_is_one_of_the_release() -> None:
    for nixos, option in {"25.11": "models`", "unstable": "modelsDir`"}.items():
        (hit,) = told("HW532", module({f"{VARIABLES}.OLLAMA_MODELS": "/m"}, nixos=nixos))
        assert hit.finding.fix.count(option) == 1, nixos


@pytest.mark.parametrize(
    ("beside", "nixos", "advice"),
    [
        ({}, "", "set `services.ollama.models` instead"),
        ({"modelsDir": "/m"}, "", "set `services.ollama.modelsDir` instead"),
        ({}, "unstable", "set `services.ollama.modelsDir` instead"),
        ({}, "24.05", "set `services.ollama.models` instead"),
    ],
)
def test_advice_names_what_the_release_of_the_file_reads(
    beside: dict[str, str], nixos: str, advice: str
) -> None:
    options = {f"{VARIABLES}.OLLAMA_MODELS": "/srv", **beside}
    assert [hit.finding.fix for hit in told("HW532", module(options, nixos=nixos))] == [advice]


def test_where_no_option_takes_it_what_that_release_has_is_named() -> None:
    options = {f"{VARIABLES}.OLLAMA_HOST": "0.0.0.0:1"}
    (hit,) = told("HW532", module(options, nixos="24.05"))
    assert hit.finding.fix == 'write `listenAddress = "host:port"`'
