"""Hosts as people write them: upstream's own options beside a profile, and contradictions to it.

All configurations are evaluated in one run. With NIXPKGS_LIB set, the real module system is asked
instead of the tests' own.
"""

import os
from pathlib import Path
from typing import Any

import pytest

from generator.targets import load_target
from tests.consumers import nix
from tests.nix.test_modules import MODULES, XEON, host
from tests.plans import shipped

LIB = Path(os.environ["NIXPKGS_LIB"]) if os.environ.get("NIXPKGS_LIB") else None

# Name: the profile, the NixOS, and what the host says.
HOSTS: dict[str, tuple[str, nix.Variant, str]] = {
    # Upstream's options plainly, beside another service that asks for the server.
    "open-webui": (
        "xeon-cpu",
        "unstable",
        """
        services.ollama = {
          host = "0.0.0.0";
          openFirewall = true;
          environmentVariables.OLLAMA_ORIGINS = "https://chat.example";
          loadModels = [ "phi4" ];
        };
        systemd.services.open-webui.environment.OLLAMA_BASE_URL = "http://127.0.0.1:11434";
        systemd.services.ollama.serviceConfig.MemoryMax = "48G";
        """,
    ),
    "environment-file": (
        "xeon-cpu",
        "unstable",
        """
        systemd.services.ollama.serviceConfig = {
          EnvironmentFile = "/run/secrets/ollama.env";
          UMask = lib.mkForce "0027";
        };
        hostwright = {
          resources.memoryMax = null;
          settings.OLLAMA_KV_CACHE_TYPE = null;
          threads = 12;
        };
        """,
    ),
    "own-user": (
        "dual-pascal",
        "unstable",
        """
        services.ollama = {
          user = "llm";
          group = "ai";
          home = "/data/ollama";
          modelsDir = "/data/ollama/models";
        };
        """,
    ),
    "open-by-default": ("dual-pascal", "26.05", "hardware.nvidia.open = lib.mkDefault true;"),
    "acceleration": ("xeon-cpu", "25.11", 'services.ollama.acceleration = "cuda";'),
    "forced": (
        "container-dev",
        "26.05",
        """
        services.ollama = {
          loadModels = lib.mkForce [ "phi4" ];
          syncModels = true;
          package = lib.mkForce pkgs.ollama-vulkan;
        };
        hostwright.warmup.enable = lib.mkForce false;
        """,
    ),
}
CONTRADICTIONS: dict[str, tuple[str, nix.Variant, str]] = {
    "hardware.nvidia.open is true": ("dual-pascal", "26.05", "hardware.nvidia.open = true;"),
    "hardware.nvidia.open is false": ("dgx-spark", "26.05", "hardware.nvidia.open = false;"),
    "hardware.nvidia.package is driver 595": (
        "dual-pascal",
        "26.05",
        'hardware.nvidia.branch = "stable";',
    ),
    "services.ollama.package is not for cuda": (
        "dual-pascal",
        "26.05",
        "services.ollama.package = pkgs.ollama-rocm;",
    ),
    "services.ollama.acceleration is not for cuda": (
        "dual-pascal",
        "25.11",
        'services.ollama.acceleration = "rocm";',
    ),
    "services.ollama.package is not for cuda, by": (
        "dgx-spark",
        "26.05",
        "services.ollama.package = pkgs.ollama-cpu;",
    ),
    "services.ollama.acceleration is not for cuda, by": (
        "dual-pascal",
        "25.11",
        "services.ollama.acceleration = false;",
    ),
    "hardware.nvidia.package is driver 535": (
        "dgx-spark",
        "26.05",
        'hardware.nvidia.branch = "legacy_535";',
    ),
    "services.ollama.home is /home/me, which the unit hides": (
        "xeon-cpu",
        "unstable",
        """
        services.ollama = { home = "/home/me"; modelsDir = "/srv/m"; user = "me"; };
        """,
    ),
    "services.ollama.models is /root/m, which the unit hides": (
        "xeon-cpu",
        "25.11",
        'services.ollama = { models = "/root/m"; user = "me"; };',
    ),
    "services.ollama.modelsDir is /srv/../m, which leads upwards": (
        "dual-pascal",
        "unstable",
        'services.ollama.modelsDir = "/srv/../m";',
    ),
    "services.ollama.home is /,": ("xeon-cpu", "26.05", 'services.ollama.home = "/";'),
    "services.ollama.home is /data, where a dynamic user": (
        "xeon-cpu",
        "unstable",
        'services.ollama.home = "/data";',
    ),
    "services.ollama.package is not for vulkan": (
        "dual-pascal",
        "unstable",
        'hostwright.ollama.acceleration = "vulkan"; services.ollama.package = pkgs.ollama-cuda;',
    ),
}
RELEASES: dict[nix.Variant, str] = {"25.11": "0.21.1", "26.05": "0.32.3", "unstable": "0.32.15"}
# What a rendered module can contradict: it has no options, and leaves a dynamic user to upstream.
OF_UPSTREAM = [
    name
    for name, (_, _, said) in CONTRADICTIONS.items()
    if "hostwright" not in said and "dynamic user" not in name
]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What becomes of each host, by its name; `rendered …` is with the rendered module instead."""
    folder = tmp_path_factory.mktemp("hosts")
    cases: dict[str, nix.Case] = {}
    for number, (name, (profile, variant, said)) in enumerate((HOSTS | CONTRADICTIONS).items()):
        ours = f'[ {MODULES} {{ hostwright = {{ enable = true; profile = "{profile}"; }}; }} ]'
        rendered = folder / f"{number}.rendered.nix"
        version = RELEASES[variant]
        plan = shipped(profile, version=version)
        rendered.write_text(load_target("nixos").render(plan)[0].text, encoding="utf-8")
        for key, imports in ((name, ours), (f"rendered {name}", f"[ {rendered} ]")):
            file = folder / f"{len(cases)}.nix"
            text = f"{{ lib, pkgs, ... }}: {{ imports = {imports}; {said} }}"
            file.write_text(text, encoding="utf-8")
            if key == name or name in (*OF_UPSTREAM, "own-user", "open-by-default"):
                cases[key] = nix.Case(file, variant, version)
    return dict(zip(cases, nix.evaluate_all(list(cases.values()), lib=LIB), strict=True))


@pytest.mark.parametrize("name", [*HOSTS, "rendered own-user"])
def test_what_people_write_is_taken_without_a_word(
    name: str, answers: dict[str, dict[str, Any]]
) -> None:
    assert (answers[name]["failed"], answers[name]["warnings"]) == ([], [])


def test_each_value_of_the_host_is_the_one_in_effect(answers: dict[str, dict[str, Any]]) -> None:
    asked = answers["open-webui"]
    unit = asked["units"]["ollama.service"]
    assert 'Environment="OLLAMA_ORIGINS=https://chat.example"' in unit
    assert "MemoryMax=48G" in unit
    assert asked["firewall_ports"] == [11434]
    assert {"phi4", "qwen2.5-coder:7b"} <= set(asked["ollama"]["loadModels"])

    secret = answers["environment-file"]["units"]["ollama.service"]
    assert "EnvironmentFile=/run/secrets/ollama.env\n" in secret
    assert "UMask=0027\n" in secret
    assert "MemoryMax" not in secret
    assert "OLLAMA_KV_CACHE_TYPE" not in secret
    assert 'Environment="LLAMA_ARG_THREADS=12"' in secret

    for name in ("own-user", "rendered own-user"):
        owned = answers[name]
        assert owned["tmpfiles"] == [
            "d /data/ollama 0750 llm ai",
            "d /data/ollama/models 0750 llm ai",
        ]
        assert owned["users"] == {"llm": {"group": "ai", "home": "/data/ollama"}}

    assert answers["acceleration"]["package"]["name"] == "ollama-cpu"
    assert answers["acceleration"]["ollama"]["acceleration"] == "cuda"

    forced = answers["forced"]
    assert forced["ollama"]["loadModels"] == ["phi4"]
    assert forced["package"]["name"] == "ollama-vulkan"
    assert "ollama-warmup.service" not in forced["units"]


@pytest.mark.parametrize("name", [*CONTRADICTIONS, *(f"rendered {n}" for n in OF_UPSTREAM)])
def test_a_contradiction_names_the_option_and_what_to_do(
    name: str, answers: dict[str, dict[str, Any]]
) -> None:
    (failed,) = answers[name]["failed"]
    assert failed.startswith(name.removeprefix("rendered "))
    todo = (
        *("Set it to", "leave it out", "Leave it", "name the owner in", "write a directory below"),
        *("choose a directory elsewhere", "write it without"),
    )
    assert any(word in failed for word in todo)


@pytest.mark.parametrize("name", OF_UPSTREAM)
def test_a_rendered_module_says_what_the_modules_say(
    name: str, answers: dict[str, dict[str, Any]]
) -> None:
    ours, rendered = (answers[key]["failed"][0] for key in (name, f"rendered {name}"))
    # Only what to set stands in an option there, and in the profile here.
    assert rendered.partition(", or set")[0] == ours.partition(", or set")[0]


def test_the_cards_outweigh_a_default_for_all_hosts(answers: dict[str, dict[str, Any]]) -> None:
    for name in ("open-by-default", "rendered open-by-default"):
        assert (answers[name]["failed"], answers[name]["nvidia"]["open"]) == ([], False)


OLD_NAMES = """
hostwright = {
  acceleration = "cuda";
  exposure = { host = "0.0.0.0"; port = 8000; openFirewall = true; };
  modelsDir = lib.mkForce "/srv/m";
  user = "llm";
  group = "ai";
  threads = 12;
  resources = { allowedCPUs = "0-11"; limitMEMLOCK = "infinity"; };
  warmup = { enable = true; models = [ "phi4" ]; timeoutSeconds = 90; };
  models = [ "phi4" ];
};
"""
NEW_NAMES = """
hostwright = {
  ollama = {
    acceleration = "cuda"; host = "0.0.0.0"; port = 8000; openFirewall = true; modelsDir = "/srv/m";
  };
  service = { user = "llm"; group = "ai"; };
  threads.count = 12;
  resources = { allowedCpus = "0-11"; limitMemlock = "infinity"; };
  warmup = { enable = true; models = [ "phi4" ]; timeout = 90; };
  models = [ "phi4" ];
};
"""
COERCED = "hostwright.settings = { OLLAMA_NUM_PARALLEL = 3; OLLAMA_NOPRUNE = true; FOO = false; };"


def test_names_of_before_mean_the_same_and_are_told(tmp_path: Path) -> None:
    cases = []
    for name, said in (("old", OLD_NAMES), ("new", NEW_NAMES), ("coerced", COERCED)):
        (tmp_path / name).mkdir()
        cases.append(nix.Case(host(tmp_path / name, XEON + said)))
    old, new, coerced = nix.evaluate_all(cases, lib=LIB)
    told = old.pop("warnings")
    assert new.pop("warnings") == []
    assert old == new
    assert old["failed"] == []
    assert len(told) == 10
    assert all("hostwright" in line and "renamed" in line for line in told)
    unit = coerced["units"]["ollama.service"]
    for line in ("OLLAMA_NUM_PARALLEL=3", "OLLAMA_NOPRUNE=1", "FOO=0"):
        assert f'Environment="{line}"\n' in unit
