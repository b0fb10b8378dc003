"""What `modules/system-manager.nix` refuses by name, and which values survive it."""

import json
from pathlib import Path

import pytest

from generator.codec import to_dict
from tests.consumers import nix, system_manager
from tests.consumers.effective import ConsumerError
from tests.consumers.system_manager import host
from tests.hostile import HOSTILE
from tests.plans import shipped

MODULES = Path(__file__).parent.parent.parent / "modules"
XEON = '  hostwright.profile = "xeon-cpu";\n'


def refusal(folder: Path, body: str) -> str:
    with pytest.raises(ConsumerError) as error:
        system_manager.evaluate(host(folder, body))
    return str(error.value)


@pytest.mark.parametrize(
    ("body", "messages"),
    [
        ("package = pkgs.ollama;", ["hostwright.package", "update Ollama with its installer"]),
        ('acceleration = "cuda";', ["hostwright.acceleration", "into the profile"]),
        ('settings.OLLAMA_HOST = "x";', ["hostwright.settings.OLLAMA_HOST", "exposure"]),
        ('settings.OLLAMA_MODELS = "/x";', ["hostwright.settings.OLLAMA_MODELS", "modelsDir"]),
        ('settings.HOME = "/x";', ["hostwright.settings.HOME", "service.home"]),
        ('settings."A B" = "x";', ["A B", "write letters, digits"]),
        ('resources.cpuQuota = "20";', ["hostwright.resources.cpuQuota"]),
        ("threads = 0;", ["hostwright.threads"]),
        ("exposure.port = 99999;", ["hostwright.exposure.port"]),
        ("thread = 4;", ["hostwright.thread"]),
        (
            'user = null; hostwright.modelsDir = "/srv/m";',
            ["hostwright.modelsDir is /srv/m", "hostwright.user"],
        ),
    ],
)
def test_what_it_cannot_do_is_refused_by_name(
    body: str, messages: list[str], tmp_path: Path
) -> None:
    text = refusal(tmp_path, f"{XEON}  hostwright.{body}")
    assert [message for message in messages if message not in text] == []


def test_a_complete_unit_is_refused(tmp_path: Path) -> None:
    plan = shipped("dual-pascal", "service.full_unit=true")
    (tmp_path / "plan.json").write_text(json.dumps(to_dict(plan)), encoding="utf-8")
    told = refusal(tmp_path, f"  hostwright.profile = {tmp_path}/plan.json;")
    assert "service.full_unit = false" in told


def test_the_firewall_is_left_to_the_host_and_said_so(tmp_path: Path) -> None:
    body = '  hostwright.exposure = { host = "0.0.0.0"; port = 8000; openFirewall = true; };'
    (warning,) = system_manager.evaluate(host(tmp_path, XEON + body))["warnings"]
    assert "hostwright.exposure.openFirewall" in warning
    assert "TCP port 8000" in warning


def test_every_value_survives(tmp_path: Path) -> None:
    values = {f"HOSTILE_{n}": text for n, text in enumerate(HOSTILE)}
    (tmp_path / "values.json").write_text(json.dumps(values), encoding="utf-8")
    body = f"  hostwright.settings = lib.importJSON {tmp_path}/values.json;"
    found = system_manager.read(host(tmp_path, XEON + body)).environment
    assert {name: found[name] for name in values} == values


def modelfiles(folder: Path, parameters: list[tuple[str, str]]) -> list[str | None]:
    """Return the Modelfile with each parameter alone; None where it is refused."""
    pairs = [{"name": name, "value": value} for name, value in parameters]
    (folder / "parameters.json").write_text(json.dumps(pairs), encoding="utf-8")
    expression = f"""
      let
        inherit (import {nix.OWN_LIB}) lib;
        modelfile = import {MODULES}/modelfile.nix {{ inherit lib; }};
        tried = parameter: builtins.tryEval (modelfile "phi4" [ parameter ]);
      in
      map (parameter: if (tried parameter).success then (tried parameter).value else null) (
        lib.importJSON {folder}/parameters.json
      )
    """
    made: list[str | None] = json.loads(nix._nix(*nix.EVALUATE, "-E", expression), strict=False)
    return made


def test_a_modelfile_holds_the_value_or_refuses_it(tmp_path: Path) -> None:
    head = "FROM phi4\nPARAMETER stop "
    made = modelfiles(tmp_path, [("stop", value) for value in HOSTILE])
    for value, text in zip(HOSTILE, made, strict=True):
        if text is not None:
            assert text.startswith(head)
            assert unquoted(text.removeprefix(head).removesuffix("\n")) == value
    refused = [value for value, text in zip(HOSTILE, made, strict=True) if text is None]
    assert refused == ["bell\x07 escape\x1b[31m delete\x7f"]


def test_a_modelfile_refuses_what_its_parser_reads_otherwise(tmp_path: Path) -> None:
    parameters = [("System", "x"), ("num ctx", "1"), ("", "1"), ("stop", 'a"\nb')]
    assert modelfiles(tmp_path, parameters) == [None, None, None, None]


def unquoted(text: str) -> str:
    """What the parser of Modelfiles makes of a value that ends where its text does."""
    for quotes in ('"""', '"'):
        if text.startswith(quotes):
            assert text.endswith(quotes)
            return text[len(quotes) : -len(quotes)]
    return text
