"""NixOS modules as operators write them, read by Nix with stand-ins for nixpkgs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from generator.catalogue.catalogue import load_catalogue
from generator.errors import EnvironmentFailure, ProfileError
from generator.formats.nix import to_nix
from generator.host import Host
from generator.readers.base import Context, Source
from generator.readers.nixos import modules
from generator.readers.nixos.read import read
from generator.targets import load_target
from generator.view import OTHERWISE, SOCKET, SOMETIMES
from tests.hostile import batches
from tests.plans import ALONE, RELEASES, shipped
from tests.tools import require

if TYPE_CHECKING:
    from generator.plan import Plan
    from generator.view import View

HOST = """\
{ config, lib, pkgs, inputs, ... }:
{
  imports = [ ./hardware-configuration.nix inputs.hardware.nixosModules.common ];
  boot.loader.systemd-boot.enable = true;
  environment.systemPackages = with pkgs; [ htop (python3.withPackages (p: [ p.requests ])) ];
  services.openssh.enable = true;
  hardware.nvidia = {
    open = false;
    package = config.boot.kernelPackages.nvidiaPackages.stable;
  };
  services.ollama = {
    enable = true;
    package = pkgs.ollama-cuda;
    host = "10.0.0.7";
    openFirewall = true;
    loadModels = [
      "llama3.1:8b"
      "nomic-embed-text"
    ];
    environmentVariables = {
      OLLAMA_KEEP_ALIVE = "1d";
      OLLAMA_NUM_THREADS = "8";
      OLLAMA_ORIGINS = "http://a%%b";
      OLLAMA_HOST = "10.0.0.1";
    };
  };
  systemd.services.ollama = {
    environment.OLLAMA_DEBUG = "1";
    unitConfig.StartLimitBurst = 3;
    serviceConfig = {
      CPUQuota = "800%";
      MemoryMax = "20G";
      Nice = -5;
      LimitMEMLOCK = "infinity";
      Restart = lib.mkForce "always";
      Environment = [ "OLLAMA_NOPRUNE=1" "\\"OLLAMA_MODELS=/srv/a b\\"" ];
      ExecStartPre = "${pkgs.coreutils}/bin/sleep 5";
    };
  };
  networking.firewall.allowedTCPPorts = [ 22 11434 ];
}
"""


def one(text: str, host: Host | None = None) -> View:
    require("nix-instantiate")
    context = Context(load_catalogue(), host=host or Host())
    views = read([Source("host.nix", text)], context)
    (view,) = [v for v in views if not is_conditional(v)]
    return view


def is_conditional(view: View) -> bool:
    return any(line.name == OTHERWISE for line in view.lines_in(SOMETIMES))


def conditional(text: str) -> list[View]:
    """Return the service as it is where conditions hold that do not with the defaults."""
    context = Context(load_catalogue(), host=Host())
    return [v for v in read([Source("host.nix", text)], context) if is_conditional(v)]


def env(view: View) -> dict[str, str]:
    return {v.name: v.value for v in view.variables}


def test_a_host_is_read() -> None:
    view = one(HOST)
    assert (view.phrases.kind, view.name, view.place.line, view.acceleration) == (
        "nixos", "services.ollama", 8, "cuda",
    )  # fmt: skip
    assert [(v.name, v.value, v.place.line, v.written) for v in view.variables] == [
        ("OLLAMA_KEEP_ALIVE", "1d", 21, "1d"),
        ("OLLAMA_NUM_THREADS", "8", 22, "8"),
        ("OLLAMA_ORIGINS", "http://a%b", 23, "http://a%%b"),
        ("OLLAMA_HOST", "10.0.0.7:11434", 14, "10.0.0.7"),
        ("OLLAMA_DEBUG", "1", 28, "1"),
        ("OLLAMA_NOPRUNE", "1", 36, "1"),
        ("OLLAMA_MODELS", "/srv/a b", 36, "/srv/a b"),
    ]
    assert {b.name: (b.value, b.place.line, b.written) for b in view.bounds} == {
        "cpu_quota": (800, 31, "800%"),
        "memory_max": (21474836480, 32, "20G"),
        "nice": (-5, 33, "-5"),
        "limit_memlock": (None, 34, "infinity"),
    }
    assert [(m.name, m.place.line) for m in view.models] == [
        ("llama3.1:8b", 17),
        ("nomic-embed-text", 18),
    ]


def test_the_service_is_made_where_it_is_enabled() -> None:
    assert one("{ services.ollama.enable = true; }\n").starts is not None
    assert one("{ services.ollama = { enable = false; port = 1; }; }\n").starts is None


def test_the_rest_are_lines_under_the_path_of_their_option() -> None:
    lines = {(line.section, line.name): (line.value, line.place.line) for line in one(HOST).lines}
    assert lines["services.ollama", "enable"] == ("true", 12)
    assert lines["services.ollama", "openFirewall"] == ("true", 15)
    assert lines["services.ollama", "package"] == ("ollama-cuda", 13)
    assert lines["services.ollama.environmentVariables", "OLLAMA_HOST"] == ("10.0.0.1", 24)
    assert lines["hardware.nvidia", "open"] == ("false", 8)
    assert lines["systemd.services.ollama.serviceConfig", "Restart"] == ("always", 35)
    assert lines["systemd.services.ollama.unitConfig", "StartLimitBurst"] == ("3", 29)
    assert lines["networking.firewall", "allowedTCPPorts"] == ("11434", 40)
    assert ("services.openssh", "enable") not in lines


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("profile", ALONE)
def test_our_own_modules_read_back_as_their_plan(profile: str, release: str) -> None:
    plan = shipped(profile, version=release)
    file = next(f for f in load_target("nixos").render(plan) if f.path.endswith(".nix"))
    view = one(file.text)
    assert env(view) == host_environment(plan)
    assert {b.name: b.value for b in view.bounds} == {n.name: n.value for n in plan.service.limits}
    assert [m.name for m in view.models] == list(dict.fromkeys(m.name for m in plan.service.models))
    assert view.acceleration == plan.service.acceleration


def host_environment(plan: Plan) -> dict[str, str]:
    return {s.name: s.value for s in plan.service.environment}


@settings(
    max_examples=5,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(batches)
def test_any_value_comes_back(values: list[str]) -> None:
    told = {f"V{n}": value for n, value in enumerate(values)}
    doubled = {name: value.replace("%", "%%") for name, value in told.items()}
    module = to_nix({("services", "ollama", "environmentVariables"): doubled})
    assert env(one(f"{{ ... }}:\n{module}\n")) == told


OWN_OPTIONS = """\
{ config, lib, pkgs, ... }:
with lib;
let
  cfg = config.my.llm;
in
{
  options.my.llm = {
    enable = mkEnableOption "models";
    threads = mkOption { type = types.ints.positive; default = 8; };
    quiet = mkOption { type = types.bool; default = false; };
  };
  config = mkMerge [
    { my.llm = { enable = true; threads = 6; }; }
    (mkIf cfg.enable {
      services.ollama.enable = true;
      services.ollama.environmentVariables = {
        LLAMA_ARG_THREADS = toString cfg.threads;
        OLLAMA_DEBUG = mkIf (!cfg.quiet) "1";
        OLLAMA_NOPRUNE = mkIf cfg.quiet "1";
        OLLAMA_KEEP_ALIVE = mkDefault "5m";
      };
    })
    { services.ollama.environmentVariables.OLLAMA_KEEP_ALIVE = "1h"; }
    { services.ollama.loadModels = mkBefore [ "a" ]; }
    { services.ollama.loadModels = [ "b" ]; }
  ];
}
"""


def test_a_module_with_options_of_its_own_is_decided() -> None:
    view = one(OWN_OPTIONS)
    assert env(view) == {
        "LLAMA_ARG_THREADS": "6",
        "OLLAMA_DEBUG": "1",
        "OLLAMA_KEEP_ALIVE": "1h",
    }
    assert [m.name for m in view.models] == ["a", "b"]
    places = {v.name: v.place.line for v in view.variables}
    assert places["OLLAMA_KEEP_ALIVE"] == 23
    (quiet,) = conditional(OWN_OPTIONS)
    assert env(quiet) == {
        "LLAMA_ARG_THREADS": "6",
        "OLLAMA_KEEP_ALIVE": "1h",
        "OLLAMA_NOPRUNE": "1",
    }


EXCLUSIVE = """\
{ config, lib, ... }:
let cfg = config.my.llm; in {
  options.my.llm.gpu = lib.mkOption { default = "none"; };
  config = lib.mkMerge [
    { services.ollama.enable = true; }
    (lib.mkIf (cfg.gpu == "none") {
      services.ollama.environmentVariables.OLLAMA_LLM_LIBRARY = "cpu";
    })
    (lib.mkIf (cfg.gpu == "cuda") {
      services.ollama.environmentVariables.OLLAMA_FLASH_ATTENTION = "1";
      systemd.services.ollama.environment.GGML_CUDA_NO_PINNED = lib.mkIf (! cfg.pinned) "1";
    })
    {
      services.ollama.environmentVariables =
        if cfg.gpu != "rocm" then { OLLAMA_NUM_PARALLEL = "2"; }
        else { HIP_VISIBLE_DEVICES = "0"; };
    }
  ];
}
"""


def test_what_excludes_each_other_is_not_read_together() -> None:
    assert env(one(EXCLUSIVE)) == {"OLLAMA_LLM_LIBRARY": "cpu", "OLLAMA_NUM_PARALLEL": "2"}
    assert [env(view) for view in conditional(EXCLUSIVE)] == [
        {"OLLAMA_FLASH_ATTENTION": "1", "OLLAMA_NUM_PARALLEL": "2"},
        {
            "OLLAMA_FLASH_ATTENTION": "1",
            "GGML_CUDA_NO_PINNED": "1",
            "OLLAMA_NUM_PARALLEL": "2",
        },
        {"HIP_VISIBLE_DEVICES": "0"},
    ]


OVERRIDDEN = """
  pkgs.unstable.ollama-cuda.overrideAttrs (old: { version = "0.24.0"; src = pkgs.fetchurl { }; })
"""


@pytest.mark.parametrize(
    ("package", "expected"),
    [
        ("package = pkgs.ollama-rocm;", ("rocm", False)),
        ("package = pkgs.ollama;", ("", False)),
        ('package = pkgs.ollama.override { acceleration = "cuda"; };', ("cuda", False)),
        ('acceleration = "rocm";', ("rocm", False)),
        ("acceleration = false;", ("cpu", False)),
        ("acceleration = null;", ("", False)),
        (f"package = {OVERRIDDEN};", ("cuda", True)),
    ],
)
def test_the_package_tells_what_it_computes_on(package: str, expected: tuple[str, bool]) -> None:
    view = one(f"{{ pkgs, ... }}: {{ services.ollama = {{ enable = true; {package} }}; }}")
    assert (view.acceleration, view.release_told) == expected


def test_a_percentage_of_the_memory_is_of_the_machine() -> None:
    text = '{ systemd.services.ollama.serviceConfig.MemoryMax = "50%"; }'
    bound = one(text, Host(memory=64 * 2**30)).bound("memory_max")
    assert bound is not None
    assert bound.value == 34359738368


PROBLEMS = {
    "": ("line 1", "Nix: syntax error"),
    "{ services.ollama.enable = ; }": ("line 1", "Nix: syntax error"),
    "{ }": ("", "says nothing of services.ollama"),
    "{ services.nginx.enable = true; }": ("", "says nothing of services.ollama"),
    "{ lib, config, ... }: { virtualisation.oci-containers.containers =\n"
    'lib.genAttrs config.my.names (n: { image = "ollama/ollama"; }); }': (
        "line 1", "`virtualisation.oci-containers.containers` is computed, or depends",
    ),
    "{ inputs, ... }:\n{ services.ollama.package = inputs.x.y; }": (
        "line 2", "something else makes the value of `services.ollama.package`",
    ),
    "{ lib, ... }: { services.ollama.host = lib.mystery 1; }": (
        "line 1", "something else makes the value",
    ),
    "{ lib, ... }: with lib; { services.ollama.host = mystery 1; }": (
        "line 1", "something else makes the value",
    ),
    "{ services.ollama.host = builtins.readFile /etc/passwd; }": (
        "line 1", "reads another file or address",
    ),
    '{ services.ollama.host = builtins.readFile (fetchTarball "http://localhost/x"); }': (
        "line 1", "reads another file or address",
    ),
    "{ services.ollama.host = import ./host.nix; }": ("line 1", "Nix: "),
    "{ services.ollama.host = (x: x x) (x: x x); }": ("", "goes round in circles"),
    "let a = a; in { services.ollama.host = a; }": ("line 1", "goes round in circles"),
    '{ services.ollama.host = throw "no way"; }': ("line 1", "something else makes the value"),
    "{ services.ollama = " + "(" * 3000 + "{ }" + ")" * 3000 + "; }": ("", ""),
}  # fmt: skip


@pytest.mark.parametrize("text", PROBLEMS, ids=lambda t: ascii(t[:50]))
def test_what_cannot_be_read_is_a_problem(text: str) -> None:
    where, message = PROBLEMS[text]
    if not message:  # deep, but well-formed
        assert one(text).variables == ()
        return
    with pytest.raises(ProfileError) as caught:
        one(text)
    (problem,) = caught.value.problems
    assert message in problem.message
    assert problem.where == where
    assert problem.hint
    assert problem.source == "host.nix"
    assert "hostwright-" not in problem.message


def test_nothing_is_built_or_imported_from_a_build() -> None:
    build = 'derivation { name = "x"; system = "x86_64-linux"; builder = "/bin/sh"; }'
    with pytest.raises(ProfileError):
        one(f"{{ services.ollama.host = import ({build}); }}")


def test_without_anything_to_read_it_the_machine_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(modules, "parts", lambda _: None)
    with pytest.raises(EnvironmentFailure) as caught:
        read([Source("host.nix", f"# unread\n{HOST}")], Context(load_catalogue()))
    assert "there is no nix-instantiate" in caught.value.message
    assert "nix-bin" in caught.value.hint
    assert "hostwright[nix]" in caught.value.hint


OWN = """\
{ config, lib, pkgs, ... }:
let
  cfg = config.services.lab;
in
{
  options.services.lab = {
    enable = lib.mkEnableOption "the lab";
    model = lib.mkOption { type = lib.types.str; default = "llama3.1:8b"; };
  };
  config = lib.mkIf cfg.enable {
    services.ollama = {
      enable = true;
      loadModels = [ cfg.model ];
      environmentVariables = lib.mkIf config.hardware.lab.gpu.enable { OLLAMA_DEBUG = "1"; };
    };
    systemd.services.ollama.serviceConfig = lib.mkIf (!config.services.desktop.enable) {
      CPUQuota = "2000%";
    };
  };
}
"""


def test_switches_of_the_module_and_of_others_are_on() -> None:
    view = one(OWN)
    assert env(view) == {"OLLAMA_DEBUG": "1"}
    assert view.variables[0].place.line == 14
    assert [model.name for model in view.models] == ["llama3.1:8b"]
    assert view.bounds == ()
    (headless,) = conditional(OWN)
    assert [bound.name for bound in headless.bounds] == ["cpu_quota"]


def test_what_waits_for_the_service_itself_is_read() -> None:
    text = (
        "{ config, lib, ... }: lib.mkIf config.services.ollama.enable "
        '{ systemd.services.ollama.environment.OLLAMA_DEBUG = "1"; }\n'
    )
    assert env(one(text)) == {"OLLAMA_DEBUG": "1"}


def test_limits_that_systemd_cannot_read_are_told() -> None:
    text = (
        "{\n  systemd.services.ollama.serviceConfig = {\n"
        '    CPUQuota = "2000";\n    MemoryMax = "20GiB";\n  };\n}\n'
    )
    unread = [(line.name, line.value, line.place.line) for line in one(text).unread]
    assert unread == [("CPUQuota", "2000", 3), ("MemoryMax", "20GiB", 4)]


CONTAINER = """\
{
  virtualisation.oci-containers.containers = {
    web.image = "nginx:1.29";
    ollama = {
      image = "docker.io/ollama/ollama:0.32.15";
      ports = [ "11434:11434" ];
      volumes = [
        "ollama:/root/.ollama"
      ];
      environment = {
        OLLAMA_DEBUG = "1";
        OLLAMA_ORIGINS = "http://a b";
      };
      extraOptions = [
        "--device=nvidia.com/gpu=all"
        "--cpus=6"
        "--memory" "20g"
      ];
    };
  };
}
"""


def test_a_container_of_nixos_is_read() -> None:
    view = one(CONTAINER)
    box = view.container
    assert box is not None
    assert (view.phrases.kind, view.name) == (
        "nixos",
        "virtualisation.oci-containers.containers.ollama",
    )
    assert (str(view.release), view.release_told) == ("0.32.15", True)
    assert [(v.name, v.value, v.place.line, v.written) for v in view.variables] == [
        ("OLLAMA_DEBUG", "1", 11, "1"),
        ("OLLAMA_ORIGINS", "http://a b", 12, "http://a b"),
    ]
    assert [(b.name, b.value, b.place.line) for b in view.bounds] == [
        ("cpu_quota", 600, 16),
        ("memory_max", 20 * 2**30, 17),
    ]
    assert (box.image, box.place.line) == ("docker.io/ollama/ollama:0.32.15", 5)
    assert [(text, place.line) for text, place in box.ports] == [("11434:11434", 6)]
    assert [(text, place.line) for text, place in box.mounts] == [("ollama:/root/.ollama", 8)]
    assert (box.gpu_access, box.gpus) == ("cdi", ("nvidia.com/gpu=all",))
    assert (box.restart, view.acceleration) == ("always", "cuda")


@pytest.mark.parametrize(
    ("option", "access"),
    [
        ('extraOptions = [ "--gpus" "all" ];', "cdi"),
        ('devices = [ "/dev/kfd" "/dev/dri" ];', "devices"),
        ('devices = [ "nvidia.com/gpu=0" ];', "cdi"),
    ],
)
def test_how_gpus_get_into_a_container_of_nixos(option: str, access: str) -> None:
    text = (
        "{ virtualisation.oci-containers.containers.llm = "
        f'{{ image = "ollama/ollama"; {option} }}; }}\n'
    )
    box = one(text).container
    assert box is not None
    assert box.gpu_access == access


def test_service_and_container_of_one_module_are_two() -> None:
    text = CONTAINER.replace("{\n", "{\n  services.ollama.enable = true;\n", 1)
    require("nix-instantiate")
    views = read([Source("host.nix", text)], Context(load_catalogue()))
    assert [view.name for view in views] == [
        "services.ollama",
        "virtualisation.oci-containers.containers.ollama",
    ]


def test_a_flake_is_no_module() -> None:
    with pytest.raises(ProfileError) as error:
        read([Source("a/flake.nix", "{ outputs = _: { }; }")], Context(load_catalogue()))
    (problem,) = error.value.problems
    assert problem.message == "is a flake, which puts modules together"
    assert problem.hint


def test_a_socket_is_one_of_the_service() -> None:
    for key in ("listenStreams", "socketConfig.ListenStream"):
        text = f'systemd.sockets.ollama.{key} = [ "11434" ];'
        view = one("{ ... }: { services.ollama.enable = true; " + text + " }")
        told = [(line.name, line.value) for line in view.lines if line.section == SOCKET]
        assert told == [(key.rpartition(".")[2], "11434")]
