"""What a module says literally, read off its syntax tree, and what that is used for."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from generator.catalogue.catalogue import load_catalogue
from generator.check.gather import CheckRequest, check
from generator.readers.base import Context, NeedsMore, Patience, Source
from generator.readers.nixos import SIGNS
from generator.readers.nixos.literal import parts
from generator.readers.nixos.read import read
from generator.readers.nixos.release import PINS, pinned_by, said_in
from generator.readers.syntax.grammar import TooMuch
from tests.tools import require

if TYPE_CHECKING:
    from pathlib import Path

    from generator.view import View

Told = dict[str, tuple[Any, int, bool]]


def told(text: str, *where: str) -> Told:
    """Return the definitions of one module of a text: value, priority, and whether it is open."""
    found = parts(text)
    assert found is not None
    (part,) = (part for part in found if part.where == where)
    return {".".join(d.path): (d.value, d.priority, d.unresolved) for d in part.found}


def plainly(text: str, **more: Any) -> list[View]:
    """Return the Views of a text where there is no time for Nix."""
    context = Context(load_catalogue(), patience=Patience(0), **more)
    return list(read([Source("host.nix", text)], context))


VALUES = {
    '"a b"': ("a b", False),
    '"a\\n\\"\\${x}"': ('a\n"${x}', False),
    "''\n  one\n    two\n''": ("one\n  two\n", False),
    "4": (4, False),
    "1.5": (1.5, False),
    "true": (True, False),
    "null": (None, False),
    '[ "a" 1 ]': (["a", 1], False),
    '[ "a" x ]': (["a"], True),
    "{ }": ({}, False),
    '(with lib; "a")': ("a", False),
    'let b = "x"; in "a${b}"': ("ax", False),
    '"a${x}b"': ("a…b", True),
    "x.y": (None, True),
    "f 1": (None, True),
    "toString 4": ("4", False),
    '"a" + "b"': ("ab", False),
    '[ "a" ] ++ [ "b" ]': (["a", "b"], False),
    '[ "a" ] ++ x': (["a"], True),
    'if x then "a" else "a"': ("a", False),
    'if x then "a" else "b"': (None, True),
    "./x": ("./x", True),
    'pkgs.writeShellScript "a" "b"': ('/bin/sh -c "b" sh', False),
    '"${pkgs.writeShellScript "a" \'\'"$1" 9%\'\'} c"': (
        '/bin/sh -c "\\"$$1\\" 9%%" sh c',
        False,
    ),
    'pkgs.writeShellScript "a" "${x} b"': ('/bin/sh -c "… b" sh', True),
    'pkgs.writeShellScript "a" x': (None, True),
}


@pytest.mark.parametrize("text", VALUES, ids=ascii)
def test_a_value_is_known_as_far_as_the_text_says(text: str) -> None:
    value, unknown = VALUES[text]
    assert told(f"{{ lib, x, ... }}: {{ a = {text}; }}") == {"a": (value, 100, unknown)}


SCRIPTS = """\
{ pkgs, ... }:
{
  systemd.services.ollama = {
    preStart = ''
      echo "100%"
    '';
    serviceConfig = {
      ExecStart = "/usr/bin/ollama serve";
      ExecStartPre = [ "${pkgs.writeShellScript "wait" ''[ -e "$1" ]''} /dev/kfd" ];
      ExecStartPost = pkgs.writeShellScript "warm" "ollama list";
    };
  };
}
"""


@pytest.mark.parametrize("seconds", [0, 30], ids=["by its text", "by Nix"])
def test_scripts_in_the_store_are_the_commands_that_they_run(seconds: int) -> None:
    require("nix-instantiate")
    context = Context(load_catalogue(), patience=Patience(seconds))
    (view,) = read([Source("host.nix", SCRIPTS)], context)
    told = [(line.name, line.value) for line in view.lines if line.name.startswith("Exec")]
    assert sorted(told) == [
        ("ExecStart", "/usr/bin/ollama serve"),
        ("ExecStartPost", '/bin/sh -c "ollama list" sh'),
        ("ExecStartPre", '/bin/sh -c "[ -e \\"$$1\\" ]" sh /dev/kfd'),
        ("ExecStartPre", '/bin/sh -c "echo \\"100%%\\"\n" sh'),
    ]


def test_the_switch_of_the_server_is_on_for_whom_it_is_read() -> None:
    text = """{ config, lib, x, ... }:
    let isServed = config.services.ollama.enable; in
    { a = lib.mkIf isServed 1; b = lib.mkIf config.services.ollama.enable 2; c = lib.mkIf x 3; }
    """
    (part,) = parts(text) or ()
    assert [(d.path, d.below) for d in part.found] == [
        (("a",), ()),
        (("b",), ()),
        (("c",), ("x",)),
    ]


def test_what_a_script_asks_too_early_is_found(tmp_path: Path) -> None:
    early = 'preStart = "ollama pull qwen3:8b";'
    path = tmp_path / "host.nix"
    start = 'serviceConfig.ExecStart = "/usr/bin/ollama serve";'
    path.write_text(f"{{ ... }}: {{ systemd.services.ollama = {{ {early} {start} }}; }}")
    report = check(CheckRequest(paths=(str(path),)))
    assert "HW604" in {found.finding.rule for found in report.findings}


SHAPES = {
    "{ a.b = 1; }": {"a.b": 1},
    "{ config.a = 1; options.b = 2; }": {"a": 1, "options.b": 2},
    '{ "a" = 1; ${x} = 2; }': {"a": 1},
    "let a = 1; in { inherit a; }": {"a": 1},
    "{ a = lib.mkIf x { b = 1; }; }": {"a.b": 1},
    "lib.mkMerge [ { a = 1; } (lib.mkIf x { b = 2; }) ]": {"a": 1, "b": 2},
    "{ a = { b = 1; c = 2; } // { b = 3; }; }": {"a.b": 3, "a.c": 2},
    "{ a = { b.c = 1; d = 2; } // { b.e = 3; }; }": {"a.b.e": 3, "a.d": 2},
    "{ a = lib.recursiveUpdate { b.c = 1; } { b.e = 3; }; }": {"a.b.c": 1, "a.b.e": 3},
    "{ a = if x then { b = 1; } else { c = 2; }; }": {"a.b": 1, "a.c": 2},
    "rec { a = 1; b = a; }": {"a": 1, "b": 1},
    "{ imports = [ ({ ... }: { a = 1; }) { b = 2; } ]; }": {"a": 1, "b": 2, "imports": []},
    "{ inputs }: { pkgs, ... }: { a = 1; }": {"a": 1},
}


@pytest.mark.parametrize("text", SHAPES)
def test_what_the_module_system_makes_of_it(text: str) -> None:
    assert {name: value for name, (value, _, _) in told(text).items()} == SHAPES[text]


def test_priorities_are_kept() -> None:
    text = "{ a = mkForce 1; b = lib.mkDefault 2; c = lib.mkOverride 90 3; }"
    assert [priority for _, priority, _ in told(text).values()] == [50, 1000, 90]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("{ flake.modules.nixos.llm = { pkgs, ... }: { a = 1; }; }", "flake.modules.nixos.llm"),
        ("{ flake.nixosModules.llm = { a = 1; }; }", "flake.nixosModules.llm"),
        ("{ containers.llm.config = { ... }: { a = 1; }; }", "containers.llm.config"),
        ("{ home-manager.users.ann = { a = 1; }; }", "home-manager.users.ann"),
        ("{ x = lib.nixosSystem { modules = [ { a = 1; } ]; }; }", "x.modules"),
    ],
)
def test_a_module_may_stand_in_another_one(text: str, where: str) -> None:
    assert told(text, *where.split(".")) == {"a": (1, 100, False)}


@pytest.mark.parametrize(
    "text", ["a" + ".b" * 5000, "/* " * 5000, "{ a = " + "[" * 9000, "((" * 9000 + "))" * 9000]
)
def test_what_is_no_module_is_left_soon(text: str) -> None:
    with suppress(TooMuch):
        assert all(not part.found for part in parts(text) or ())


def test_names_that_grow_without_end_are_left() -> None:
    bound = "".join(f"a{n} = {{ x = a{n + 1}; y = a{n + 1}; }}; " for n in range(40))
    with pytest.raises(TooMuch):
        parts(f"let {bound} in {{ b = a0; }}")


CLEAN = """\
{ config, lib, ... }:
{
  services.ollama = {
    enable = true;
    port = lib.mkDefault 11500;
    loadModels = [ "qwen3:8b" ];
    environmentVariables.OLLAMA_NUM_THREADS = "6";
  };
}
"""


def test_without_nix_the_text_is_judged_and_what_it_computes_named() -> None:
    (view,) = plainly(CLEAN)
    assert {v.name: v.value for v in view.variables} == {
        "OLLAMA_NUM_THREADS": "6",
        "OLLAMA_HOST": "127.0.0.1:11500",
    }
    assert [(model.name, model.place.line) for model in view.models] == [("qwen3:8b", 6)]
    assert view.not_judged == ()
    (view,) = plainly(CLEAN.replace("11500", "11000 + 500"))
    gap = view.not_judged[0]
    assert gap.reason.startswith("Nix was asked for 0 seconds already; only what it says literally")


@pytest.mark.parametrize(
    "text",
    [
        '{ lib, ... }: { services.ollama = { enable = true; ${lib.x} = "a"; }; }',
        "{ config, lib, ... }: lib.mkIf config.x.on { services.ollama.port = 11500; }",
        "{ site, ... }: { services.ollama.port = 11500; services.ollama.host = site.host; }",
        "{ site, ... }: { services = { ollama.port = 11500; } // site.services; }",
    ],
)
def test_what_the_text_does_not_say_literally_is_named(text: str) -> None:
    assert any("only what it says literally" in gap.reason for gap in plainly(text)[0].not_judged)


BY_RELEASE = """\
{ lib, options, ... }:
let
  there = options.services.ollama ? acceleration;
  models = if options.services.ollama ? modelsDir then "modelsDir" else "models";
in
{
  services.ollama = {
    enable = true;
    ${models} = "/srv/models";
  }
  // lib.optionalAttrs there { acceleration = "cuda"; };
}
"""


def test_what_depends_on_the_options_of_a_release_alone_is_judged() -> None:
    (plain,) = plainly(BY_RELEASE)
    require("nix-instantiate")
    (evaluated,) = read([Source("host.nix", BY_RELEASE)], Context(load_catalogue()))
    for view in (plain, evaluated):
        assert view.not_judged == ()
        assert view.acceleration == "cuda"
        assert "OLLAMA_MODELS" in {variable.name for variable in view.variables}


def test_what_somebody_else_makes_is_named() -> None:
    require("nix-instantiate")
    text = "{ site, ... }: { services.ollama = { enable = true; port = site.port + 1; }; }\n"
    (view,) = read([Source("host.nix", text)], Context(load_catalogue()))
    assert ("services.ollama.port", 1) in {(gap.part, gap.line) for gap in view.not_judged}


def test_a_module_of_which_nothing_is_known_is_not_judged() -> None:
    with pytest.raises(NeedsMore):
        plainly("{ site, ... }: { services.ollama = site.ollama; }")


def test_a_function_that_nobody_knows_is_named() -> None:
    (view,) = plainly('{ lib, ... }: lib.site.mk "a" { services.ollama.enable = true; }')
    assert "`lib.site.mk` makes of it" in view.not_judged[-1].reason


def test_a_wrapper_of_ones_own_is_no_module_of_nixos() -> None:
    with pytest.raises(NeedsMore) as caught:
        plainly("{ my.services.ollama.enable = true; }")
    assert "says nothing of services.ollama" in caught.value.problems[0].message


def test_an_imported_file_is_read_with_the_module() -> None:
    files = {"./env.nix": "", "env.nix": '{ services.ollama.environmentVariables.A = "1"; }'}
    text = "{ imports = [ ./env.nix ]; services.ollama.enable = true; }"
    (view,) = plainly(text, read=files.get)
    (variable,) = view.variables
    assert (variable.name, variable.place.file, variable.place.line) == ("A", "env.nix", 1)


def test_home_manager_has_options_of_its_own() -> None:
    text = '{ home.packages = [ ]; services.ollama = { enable = true; acceleration = "cuda"; }; }'
    (view,) = plainly(text)
    assert (view.settings, view.acceleration) == ((), "cuda")


@pytest.mark.parametrize(
    ("flake", "channel"),
    [
        ('inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-25.11";', "25.11"),
        ('inputs = { nixpkgs = { url = "nixpkgs/nixos-unstable"; }; };', "unstable"),
        ('nixpkgs.url = "https://flakehub.com/f/NixOS/nixpkgs/0.2505.*";', "25.05"),
        ('nixpkgs.url = "github:NixOS/nixpkgs/release-26.05";', "26.05"),
        (
            'a.url = "nixpkgs/nixos-25.11"; nixpkgs.url = "b"; x = inputs.a.lib.nixosSystem { };',
            "25.11",
        ),
        (
            'nixpkgs.url = "x/nixos-26.05"; x = a.lib.nixosSystem; y = nixpkgs.lib.nixosSystem;',
            "26.05",
        ),
        (
            'nixpkgs.url = "x/nixos-26.05"; b.url = "x/nixos-25.11"; pkgs = import b { };',
            "25.11",
        ),
        (
            'nixpkgs.url = "x/nixos-26.05"; b.url = "c"; pkgs = inputs.b.legacyPackages.${system};',
            "",
        ),
        ('nixpkgs.follows = "other/nixpkgs";', ""),
        ('nixpkgs.url = "github:me/nixpkgs";', ""),
    ],
)
def test_a_flake_pins_a_release(flake: str, channel: str) -> None:
    assert pinned_by(f"{{ {flake} }}") == channel


@pytest.mark.parametrize(
    ("text", "channel"),
    [
        ("# NixOS 25.11\n{ }", "25.11"),
        ("# The module of the office, for nixos-25.05.\n{ }", "25.05"),
        ("# tested on NixOS unstable\n{ }", "unstable"),
        ("# since NixOS 25.11 this is an option\n{ }", ""),
        ("# NixOS 25.11\n# NixOS 26.05\n{ }", ""),
        ('{ x = "NixOS 25.11"; }', ""),
        (
            'let nixpkgs = fetch "x/nixos-25.11.tar"; in import "${nixpkgs}/nixos" { }',
            "25.11",
        ),
        (
            'let nixpkgs = fetch "x/nixos-25.11.tar"; in { package = nixpkgs.ollama; }',
            "",
        ),
    ],
)
def test_a_file_says_itself_which_release_it_is_for(text: str, channel: str) -> None:
    assert said_in(text) == channel


def test_a_comment_that_an_option_contradicts_is_older_than_the_module() -> None:
    text = "# NixOS 24.11\n{ services.ollama = { enable = true; syncModels = true; }; }"
    assert plainly(text)[0].channel == ""
    assert plainly(text.replace("24.11", "25.11"))[0].channel == "25.11"


def test_a_condition_overwrites_nothing() -> None:
    text = (
        '{ services.ollama = { port = 1; host = "a"; } // lib.optionalAttrs x { port = 2; '
        'user = "u"; }; }'
    )
    (view,) = plainly(text)
    assert {s.name: s.value for s in view.settings} == {"host": "a", "port": 1, "user": "u"}
    assert ("services.ollama.port", 1) in {(gap.part, gap.line) for gap in view.not_judged}


LOCK = """{"nodes": {"root": {"inputs": {"nixpkgs": %s, "a": "b"}},
"b": {"inputs": {"nixpkgs": "n"}},
"n": {"original": %s, "locked": {"rev": "abc"}}}}"""


@pytest.mark.parametrize(
    ("name", "text", "channel"),
    [
        ("flake.lock", LOCK % ('"n"', '{"ref": "nixos-25.11"}'), "25.11"),
        ("flake.lock", LOCK % ('["a", "nixpkgs"]', '{"ref": "nixos-unstable"}'), "unstable"),
        ("flake.lock", LOCK % ('["nixpkgs"]', '{"ref": "nixos-25.11"}'), ""),
        ("flake.lock", LOCK % ('"n"', '{"id": "nixpkgs"}'), ""),
        ("flake.lock", "{", ""),
        ("flake.lock", '{"nodes": []}', ""),
        (
            "npins/sources.json",
            '{"pins": {"nixpkgs": {"type": "Channel", "name": "nixos-25.05"}}, "version": 5}',
            "25.05",
        ),
        ("nix/sources.json", '{"nixpkgs": {"branch": "release-26.05", "owner": "NixOS"}}', "26.05"),
        (
            "hive.nix",
            "{ meta.nixpkgs = import (fetchTarball https://nixos.org/channels/nixos-25.11) { }; }",
            "25.11",
        ),
        ("default.nix", "{ unstable = fetchTarball https://nixos.org/channels/nixos-25.11; }", ""),
    ],
)
def test_other_files_pin_a_release(name: str, text: str, channel: str) -> None:
    assert PINS[name](text) == channel


def test_the_nearest_pin_counts(tmp_path: Path) -> None:
    lock = LOCK % ('"n"', '{"ref": "nixos-25.11"}')
    (tmp_path / "flake.nix").write_text('{ inputs.nixpkgs.url = "nixpkgs"; outputs = _: { }; }')
    (tmp_path / "flake.lock").write_text(lock)
    module = tmp_path / "hosts" / "default.nix"
    module.parent.mkdir()
    module.write_text("{ pkgs, ... }: { services.ollama.package = pkgs.ollama-cuda; }")
    report = check(CheckRequest(paths=[str(module)], select=["HW536"]))
    assert [placed.finding.rule for placed in report.findings] == ["HW536"]


@pytest.mark.parametrize(
    ("text", "package", "release"),
    [
        ("{ services.ollama.acceleration = null; }", "", "0.21.1"),
        ("{ services.ollama.acceleration = null; %s }", "unstable.ollama-cuda", "0.32"),
        ("{ services.ollama.enable = true; %s }", "pkgs.ollama", "0.32"),
    ],
)
def test_the_release_of_the_package(text: str, package: str, release: str) -> None:
    full = text.replace("%s", f"services.ollama.package = {package};")
    (view,) = plainly(full)
    assert str(view.release).startswith(release)
    assert not view.release_told


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        ("{ services.ollama.enable = true; }", True),
        ("{ services = {\n  ollama = {\n  enable = true; }; }; }", True),
        ('{ virtualisation.oci-containers.containers.a.image = "ollama/ollama"; }', True),
        ("{ services.open-webui.enable = true; x = [ pkgs.ollama ]; }", False),
        ("final: prev: {\n  ollama = prev.ollama.override { };\n}", False),
    ],
)
def test_a_module_of_a_directory_is_ours_if_it_sets_something(text: str, ours: bool) -> None:
    assert SIGNS.ours(Source("a.nix", text)) is ours


@pytest.mark.parametrize(
    ("text", "maybe"),
    [
        ('{ services.ollama = { } // lib.optionalAttrs x { acceleration = "cuda"; }; }', True),
        ('{ services.ollama = lib.optionalAttrs true { acceleration = "cuda"; }; }', False),
        ('{ services.ollama = if x then { acceleration = "cuda"; } else { }; }', True),
        # NixOS refuses an option that is not there below `mkIf` as well.
        ('{ services.ollama = lib.mkIf x { acceleration = "cuda"; }; }', False),
    ],
)
def test_what_a_condition_may_leave_out_tells_no_release(text: str, *, maybe: bool) -> None:
    (view,) = plainly(text)
    assert [setting.maybe for setting in view.settings] == [maybe]
    assert (str(view.release) == str(load_catalogue().newest)) is maybe


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ('services.ollama.enable = true; fileSystems."/var/lib/ollama".fsType = "nfs4";', True),
        ('services.ollama.models = "/nas/m"; fileSystems."/nas" = { fsType = "sshfs"; };', True),
        (
            'services.ollama.enable = true; fileSystems."/var/lib/private/ollama".fsType = "cifs";',
            True,
        ),
        ('services.ollama.enable = true; fileSystems."/var/lib/ollama".fsType = "ext4";', False),
        ('services.ollama.models = "/srv/m"; fileSystems."/nas".fsType = "nfs";', False),
    ],
)
def test_a_mount_of_the_network_below_the_models(
    text: str, tmp_path: Path, *, network: bool
) -> None:
    (tmp_path / "a.nix").write_text(f"{{ ... }}: {{ {text} }}")
    report = check(CheckRequest(paths=[str(tmp_path / "a.nix")], select=["HW544"]))
    assert bool(report.findings) is network


def test_a_file_that_is_a_list_of_modules_is_read() -> None:
    text = (
        "{ lib, cfg }: [ { services.ollama = { enable = true; port = 1; }; opts = { }; }\n"
        "(lib.mkIf cfg.web { services.open-webui.enable = true; }) ]"
    )
    assert told(text)["services.ollama.port"] == (1, 100, False)
    (view,) = plainly(text)
    assert [(s.name, s.value) for s in view.settings] == [("enable", True), ("port", 1)]
