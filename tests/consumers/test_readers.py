"""The readers themselves, on small files written by hand: what they read and what they refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.consumers import compose, nix, systemd
from tests.consumers.effective import ConsumerError

if TYPE_CHECKING:
    from pathlib import Path

GIB = 1024**3

# A value that looks like further lines of systemd's dump, with every character that has a meaning.
HOSTILE = 'a "b" \\ %h $x ${y} # ; é\n\t\tEnvironment: FAKE=1\r\n\t\tRestart: no\n'


# ── systemd ───────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """Drop-ins as the systemd target writes them, and one unit beside them."""
    folder = tmp_path / "ollama.service.d"
    folder.mkdir()
    (folder / "20-limits.conf").write_text(
        "[Service]\nCPUQuota=2000%\nCPUWeight=150\nMemoryMax=20G\nMemoryHigh=18G\n"
        "MemorySwapMax=0\nLimitMEMLOCK=infinity\nRestart=on-failure\nDeviceAllow=/dev/nvidia0 rw\n"
    )
    (folder / "40-ollama.conf").write_text(
        '[Unit]\nAfter=systemd-modules-load.service\n[Service]\nEnvironment="OLLAMA_NUM_PARALLEL=4"\n'
        'Environment="EMPTY="\n'
    )
    (tmp_path / "ollama-warmup.service").write_text(
        "[Service]\nType=oneshot\nEnvironment=A=1\nExecStart=/usr/bin/curl -s http://x/%%\n"
    )
    return tmp_path


def test_systemd_reads_drop_ins_over_the_installed_unit(units: Path) -> None:
    read = systemd.read(units)
    assert read.environment == {"OLLAMA_NUM_PARALLEL": "4", "EMPTY": ""}
    assert (read.cpu_quota_percent, read.cpu_weight, read.restart) == (2000, 150, "on-failure")
    assert (read.memory_max, read.memory_high, read.memory_swap_max) == (20 * GIB, 18 * GIB, 0)
    assert read.limit_memlock == "infinity"
    assert read.extra["drop_ins"] == ["20-limits.conf", "40-ollama.conf"]
    assert read.extra["devices"] == ["/dev/nvidia0 rw"]
    assert read.extra["exec"] == {"ExecStart": ["/usr/local/bin/ollama serve"]}
    assert "systemd-modules-load.service (origin-file)" in read.extra["fields"]["After"]


def test_systemd_reads_a_unit_without_limits(units: Path) -> None:
    read = systemd.read(units, "ollama-warmup.service")
    assert read.environment == {"A": "1"}
    assert (read.cpu_quota_percent, read.cpu_weight, read.limit_memlock) == (None, None, None)
    assert (read.memory_max, read.memory_high, read.memory_swap_max) == (None, None, None)
    assert read.extra["exec"]["ExecStart"] == ["/usr/bin/curl -s http://x/%"]


def test_systemd_reads_a_full_unit_instead_of_the_installed_one(tmp_path: Path) -> None:
    (tmp_path / "ollama.service").write_text(
        "[Service]\nExecStart=/opt/ollama serve\nLimitMEMLOCK=8M\nCPUQuota=50%\n"
    )
    read = systemd.read(tmp_path)
    assert (read.limit_memlock, read.cpu_quota_percent, read.restart) == (8 * 1024**2, 50, "no")
    assert read.extra["exec"] == {"ExecStart": ["/opt/ollama serve"]}


def test_systemd_is_not_fooled_by_values_that_look_like_its_dump(units: Path) -> None:
    written = HOSTILE.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    written = written.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    (units / "ollama.service.d" / "50-hostile.conf").write_text(
        f'[Service]\nEnvironment="HOSTILE={written}"\nEnvironment=LAST=1\n'
    )
    read = systemd.read(units)
    assert read.environment == {
        "OLLAMA_NUM_PARALLEL": "4",
        "EMPTY": "",
        "HOSTILE": HOSTILE,
        "LAST": "1",
    }
    assert read.restart == "on-failure"


def test_systemd_read_raises_for_what_the_manager_ignores(units: Path) -> None:
    (units / "ollama.service.d" / "60-bad.conf").write_text("[Service]\nCPUQuota=lots\n")
    with pytest.raises(ConsumerError, match=r"^ollama.service.d/60-bad.conf:2: Invalid CPU quota"):
        systemd.read(units)


def test_systemd_read_raises_for_a_unit_that_is_not_there(units: Path) -> None:
    with pytest.raises(ConsumerError, match=r"not know a service `ollama-resume\.service`"):
        systemd.read(units, "ollama-resume.service")


def test_systemd_accepts_good_units(units: Path) -> None:
    assert systemd.verify(units, ["ollama.service", "ollama-warmup.service"]) == []


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("CPUQouta=50%", "Unknown key 'CPUQouta' in section [Service]"),
        ("CPUQuota=lots", "Invalid CPU quota 'lots'"),
        ("CPUWeight=999999", "999999"),
        ("MemoryMax=64Gigs", "Invalid memory limit '64Gigs'"),
        ("LimitMEMLOCK=infinit", "infinit"),
        ("Environment=FOO BAR=1", "Invalid environment assignment, ignoring: FOO"),
        ("Restart=sometimes", "sometimes"),
        ("Nice=99", "99"),
        ("AllowedCPUs=0-x", "0-x"),
        ("DeviceAllow=/dev/nvidia0 q", "Invalid device"),
        ("ExecStartPre=relative/path", "relative/path"),
        ("[Servce]", "Unknown section 'Servce'"),
    ],
)
def test_systemd_refuses_a_bad_drop_in(units: Path, line: str, complaint: str) -> None:
    (units / "ollama.service.d" / "60-bad.conf").write_text(f"[Service]\n{line}\n")
    lines = systemd.verify(units, ["ollama.service"])
    assert any("60-bad.conf:2" in found or "ollama.service" in found for found in lines)
    assert complaint in "\n".join(lines)


def test_systemd_refuses_units_that_it_cannot_start(units: Path) -> None:
    (units / "ollama-models.service").write_text("[Service]\nType=oneshot\n")
    lines = systemd.verify(units, ["ollama-models.service"])
    assert any(line.startswith("ollama-models.service: ") for line in lines)
    assert systemd.verify(units, ["ollama-gone.service"]) != []


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("20s", 20),
        ("1.500s", 1.5),
        ("500ms", 0.5),
        ("16min 40s", 1000),
        ("1h 1min", 3660),
        ("infinity", None),
        ("", None),
    ],
)
def test_systemd_durations(text: str, seconds: float | None) -> None:
    assert systemd._seconds(text) == seconds


# ── compose ───────────────────────────────────────────────────────────────────────────────────

COMPOSE = """\
services:
  ollama:
    image: ollama/ollama:0.32.0
    restart: unless-stopped
    cpus: 2.5
    cpu_shares: 512
    mem_limit: 20g
    mem_reservation: 18g
    memswap_limit: 22g
    ulimits:
      memlock: -1
    ports:
      - "127.0.0.1:11434:11434"
    volumes:
      - "ollama:/root/.ollama"
    environment:
      DOLLAR: "$$x $${y} $$$$"
      HOSTILE: "a \\"b\\" \\\\ %h # ; é\\n\\tc: d\\r"
      NUMBER: "1e3"
      PASSED:
    deploy:
      resources:
        reservations:
          memory: 18g
          devices:
            - driver: nvidia
              device_ids: ["0", "1"]
              capabilities: [gpu]
volumes:
  ollama:
"""


def _compose(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "compose.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_compose_reads_a_service(tmp_path: Path) -> None:
    file = _compose(tmp_path, COMPOSE)
    read = compose.read(file)
    assert read.environment == {
        "DOLLAR": "$x ${y} $$",
        "HOSTILE": 'a "b" \\ %h # ; é\n\tc: d\r',
        "NUMBER": "1e3",
    }
    assert (read.cpu_quota_percent, read.cpu_weight, read.restart) == (250, 50, "unless-stopped")
    assert (read.memory_max, read.memory_high) == (20 * GIB, 18 * GIB)
    assert (read.memory_swap_max, read.limit_memlock) == (2 * GIB, "infinity")
    (device,) = read.extra["devices"]
    assert device == {"driver": "nvidia", "device_ids": ["0", "1"], "capabilities": ["gpu"]}
    (port,) = read.extra["ports"]
    assert (port["host_ip"], port["published"], port["target"]) == ("127.0.0.1", "11434", 11434)
    assert read.extra["volumes"][0]["source"] == "ollama"
    assert read.extra["passed_through"] == ["PASSED"]
    assert compose.verify(file) == []


def test_compose_reads_limits_of_either_form_and_none(tmp_path: Path) -> None:
    long = "{image: x, deploy: {resources: {limits: {cpus: '4', memory: 1g}}}}"
    file = _compose(tmp_path, f"services: {{ollama: {long}, bare: {{image: x}}}}\n")
    read, bare = compose.read(file), compose.read(file, "bare")
    assert (read.cpu_quota_percent, read.memory_max) == (400, GIB)
    assert (bare.environment, bare.restart, bare.limit_memlock) == ({}, "no", None)
    assert (bare.cpu_quota_percent, bare.cpu_weight, bare.memory_max) == (None, None, None)


@pytest.mark.parametrize(
    ("service", "complaint"),
    [
        ("cpus: lots", "lots"),
        ("mem_limit: 16 gigs", "16 gigs"),
        ("mem_limt: 16g", "mem_limt"),
        ("volumes: ['nope:/x']", "undefined volume nope"),
        ("cpus: 2, deploy: {resources: {limits: {cpus: '4'}}}", "distinct values"),
        ("environment: {A: '$unset'}", "unset"),
        ("image: [", "yaml"),
    ],
)
def test_compose_refuses_a_bad_file(tmp_path: Path, service: str, complaint: str) -> None:
    file = _compose(tmp_path, f"services: {{ollama: {{image: x, {service}}}}}\n")
    assert complaint in "\n".join(compose.verify(file))
    with pytest.raises(ConsumerError, match=complaint):
        compose.read(file)


def test_compose_raises_for_a_service_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConsumerError, match="does not know a service `ollama`"):
        compose.read(_compose(tmp_path, "services: {other: {image: x}}\n"))


@pytest.mark.parametrize(
    ("answer", "version"),
    [
        ("Docker Compose version v2.40.3", 2),
        ("Docker Compose version 2.26.1-4", 2),
        ("Docker Compose version v5.0.0", 5),
        ("docker-compose version 1.29.2, build unknown", 1),
        ("something else", 0),
    ],
)
def test_compose_version_is_known_before_it_is_asked(
    tmp_path: Path, answer: str, version: int
) -> None:
    fake = tmp_path / "docker-compose"
    fake.write_text(f"#!/bin/sh\necho '{answer}'\n")
    fake.chmod(0o755)
    assert compose._version((str(fake),)) == version
    assert compose._version((str(tmp_path / "absent"),)) == 0


# ── NixOS ─────────────────────────────────────────────────────────────────────────────────────

NIX_HOSTILE = r'"a \"b\" \\ %%h $x \${y} # ; é\n\t\tEnvironment: FAKE=1\r\n\t\tRestart: no\n"'
MODULE = r"""
{ config, lib, options, pkgs, utils, ... }:
let
  inherit (lib) mkDefault optionalAttrs;
  ollama = options.services.ollama;
in
{
  services.ollama = {
    enable = mkDefault true;
    port = mkDefault 8000;
    package = mkDefault (pkgs.ollama-cuda.override { cudaArches = [ "61" ]; });
    environmentVariables = {
      OLLAMA_NUM_PARALLEL = mkDefault "4";
      HOSTILE = mkDefault NIX_HOSTILE;
      SPECIFIER = "%n";
      # Upstream's own value wins.
      OLLAMA_HOST = "[::]:1";
    };
  }
  // optionalAttrs (ollama ? acceleration && (ollama.acceleration.visible or true)) {
    acceleration = mkDefault "cuda";
  };
  hardware.nvidia = {
    open = mkDefault false;
    package = mkDefault config.boot.kernelPackages.nvidiaPackages.legacy_580;
  };
  systemd.services.ollama = {
    after = [ "systemd-modules-load.service" ];
    serviceConfig = {
      CPUQuota = mkDefault "2000%";
      CPUWeight = mkDefault 150;
      MemoryMax = mkDefault "20G";
      LimitMEMLOCK = mkDefault "infinity";
      Restart = mkDefault "on-failure";
      DeviceAllow = [ "/dev/nvidia0 rw" ];
      UMask = lib.mkForce "0027";
    };
  };
  systemd.services.ollama-warmup = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig = {
      Type = "oneshot";
      ExecStart = utils.escapeSystemdExecArgs [ (lib.getExe pkgs.curl) "-d" "%h $x" ];
    };
  };
}
""".replace("NIX_HOSTILE", NIX_HOSTILE)


@pytest.fixture(params=["own", "nixpkgs"])
def lib(request: pytest.FixtureRequest) -> Path | None:
    """The test's own small library, and the real one where there is a checkout of it."""
    return nix.nixpkgs_lib() if request.param == "nixpkgs" else None


def _module(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "module.nix"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize("variant", ["unstable", "25.11"])
def test_nix_reads_a_module(tmp_path: Path, lib: Path | None, variant: nix.Variant) -> None:
    read = nix.read(_module(tmp_path, MODULE), lib=lib, variant=variant)
    assert read.environment == {
        "HOME": "/var/lib/ollama",
        "HOSTILE": HOSTILE,
        "OLLAMA_HOST": "127.0.0.1:8000",
        "OLLAMA_MODELS": "/var/lib/ollama/models",
        "OLLAMA_NUM_PARALLEL": "4",
        "SPECIFIER": "ollama.service",
    }
    assert (read.cpu_quota_percent, read.cpu_weight, read.restart) == (2000, 150, "on-failure")
    assert (read.memory_max, read.memory_high, read.limit_memlock) == (20 * GIB, None, "infinity")
    # A list adds to upstream's.
    assert {"/dev/nvidia0 rw", "char-nvidia-uvm rwm"} <= set(read.extra["devices"])
    assert read.extra["fields"]["UMask"] == ["0027"]
    assert "systemd-modules-load.service (origin-file)" in read.extra["fields"]["After"]


def test_nix_reports_what_is_no_part_of_the_unit(tmp_path: Path, lib: Path | None) -> None:
    answer = nix.evaluate(_module(tmp_path, MODULE), lib=lib, variant="25.11")
    assert (answer["ollama"]["host"], answer["ollama"]["port"]) == ("127.0.0.1", 8000)
    assert answer["ollama"]["acceleration"] == "cuda"
    assert answer["package"]["name"] == "ollama-cuda"
    assert answer["package"]["arguments"] == {"acceleration": "cuda", "cudaArches": ["61"]}
    assert (answer["nvidia"]["open"], answer["nvidia"]["package"]) == (False, "nvidia-legacy_580")
    assert answer["services"]["ollama-warmup"]["wantedBy"] == ["multi-user.target"]
    assert answer["warnings"] == []


def test_nix_reads_another_unit_of_the_module(tmp_path: Path, lib: Path | None) -> None:
    read = nix.read(_module(tmp_path, MODULE), lib=lib, unit="ollama-warmup.service")
    (command,) = read.extra["exec"]["ExecStart"]
    # Specifiers are resolved; `$$` stays, for variables are resolved at the start only.
    assert command.endswith('-curl/bin/curl -d "%h \\$\\$x"')


def test_nix_accepts_good_units(tmp_path: Path) -> None:
    assert nix.verify(_module(tmp_path, MODULE)) == []


def test_nix_lets_a_host_override_the_module(tmp_path: Path, lib: Path | None) -> None:
    _module(tmp_path, MODULE)
    host = tmp_path / "host.nix"
    host.write_text(
        """{ lib, ... }: {
          imports = [ ./module.nix ];
          services.ollama.environmentVariables.OLLAMA_NUM_PARALLEL = "8";
          systemd.services.ollama.environment.HOSTILE = lib.mkForce null;
          systemd.services.ollama.serviceConfig = lib.mkMerge [
            { CPUQuota = "100%"; }
            (lib.mkIf false { MemoryMax = "1G"; })
          ];
        }"""
    )
    read = nix.read(host, lib=lib)
    assert read.environment["OLLAMA_NUM_PARALLEL"] == "8"
    assert "HOSTILE" not in read.environment
    assert (read.cpu_quota_percent, read.memory_max) == (100, 20 * GIB)


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("services.ollama.environmentVariables.A = 4;", r"not of type .*string"),
        ("services.ollama.port = 99999;", "not of type"),
        ("services.ollama.hots = ''x'';", r"services.ollama.hots' does not exist"),
        ("hardware.nvidia.nope = true;", r"hardware.nvidia.nope' does not exist"),
        ("systemd.services.x.nope = true;", r"systemd.services.x.nope' does not exist"),
        ("systemd.services.x.after = [ ''network-online'' ];", "not of type"),
        ("systemd.services.x.serviceConfig.Type = ''bogus'';", "not of type"),
        ("systemd.services.x.serviceConfig.Restart = ''on-watchdog'';", "not of type"),
        ("systemd.services.ollama.serviceConfig.UMask = ''0027'';", "conflicting definition"),
        ("systemd.services.ollama.environment.OLLAMA_HOST = ''x'';", "conflicting definition"),
        ("services.ollama.acceleration = ''cuda'';", "no longer has any effect"),
        ("services.ollama.package = pkgs.ollama-gpu;", "ollama-gpu"),
        ("services.ollama.home = undefined;", "undefined variable 'undefined'"),
    ],
)
def test_nix_refuses_a_bad_module(
    tmp_path: Path, lib: Path | None, body: str, complaint: str
) -> None:
    module = _module(tmp_path, f"{{ pkgs, ... }}: {{ services.ollama.enable = true; {body} }}")
    with pytest.raises(ConsumerError, match=complaint):
        nix.evaluate(module, lib=lib)


def test_nix_leaves_limits_to_systemd_which_refuses_bad_ones(tmp_path: Path) -> None:
    body = 'services.ollama.enable = true; systemd.services.ollama.serviceConfig.CPUQuota = "lots";'
    module = _module(tmp_path, f"{{ {body} }}")
    (line,) = nix.verify(module)
    assert line.startswith("ollama.service:")
    assert line.endswith(": Invalid CPU quota 'lots', ignoring.")
    with pytest.raises(ConsumerError, match="Invalid CPU quota"):
        nix.read(module)


def test_nix_warns_of_an_order_behind_the_network_without_wanting_it(tmp_path: Path) -> None:
    unit = 'after = [ "network-online.target" ]; script = "true";'
    answer = nix.evaluate(_module(tmp_path, f"{{ systemd.services.x = {{ {unit} }}; }}"))
    assert answer["warnings"] == [
        "x.service is ordered after 'network-online.target' but doesn't depend on it"
    ]
    with pytest.raises(ConsumerError, match=r"no unit `ollama\.service`"):
        nix.read(tmp_path / "module.nix")


@pytest.mark.parametrize(
    ("variant", "server"),
    [("26.05", "ollama-cuda/bin/ollama serve"), ("25.11", "ollama/bin/ollama serve")],
)
def test_nix_25_11_resets_a_package_without_acceleration(
    tmp_path: Path, lib: Path | None, variant: nix.Variant, server: str
) -> None:
    body = "services.ollama = { enable = true; package = pkgs.ollama-cuda; };"
    module = _module(tmp_path, f"{{ pkgs, ... }}: {{ {body} }}")
    (command,) = nix.read(module, lib=lib, variant=variant).extra["exec"]["ExecStart"]
    assert command.endswith(f"-{server}")


def test_nix_parses_or_says_where_not(tmp_path: Path) -> None:
    assert nix.parse(_module(tmp_path, "{ a = 1; }")).strip() == "{ a = 1; }"
    with pytest.raises(ConsumerError, match=r"(?s)syntax error.*module\.nix:1:5"):
        nix.parse(_module(tmp_path, "{ a == 1; }"))


def test_real_library_is_a_skip_where_no_checkout_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NIXPKGS_LIB", raising=False)
    with pytest.raises(pytest.skip.Exception, match="NIXPKGS_LIB is not set"):
        nix.nixpkgs_lib()
