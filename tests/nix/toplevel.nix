# A whole NixOS system of a profile, with a server that takes no build. `nixpkgs` is a checkout, or
# the stand-in for one.
{
  nixpkgs,
  root,
  profile,
}:
let
  evalConfig = nixpkgs + "/nixos/lib/eval-config.nix";
  standIn = (import (nixpkgs + "/flake.nix")).outputs { self = { }; };
  nixosSystem = if builtins.pathExists evalConfig then import evalConfig else standIn.lib.nixosSystem;
  plan = builtins.fromJSON (builtins.readFile (root + "/modules/plans/${profile}.json"));

  # What NixOS and the modules ask of the package: a program, a version, and to be overridden.
  overlay =
    final: _:
    let
      server =
        arguments:
        final.writeShellScriptBin "ollama" ""
        // {
          version = (builtins.head plan.services).release;
          override = more: server (arguments // more);
        };
    in
    builtins.listToAttrs (
      map
        (name: {
          inherit name;
          value = server { };
        })
        [
          "ollama"
          "ollama-cpu"
          "ollama-cuda"
          "ollama-rocm"
          "ollama-vulkan"
        ]
    );

  inherit
    (nixosSystem {
      inherit (plan.host) system;
      modules = [
        (root + "/modules")
        (root + "/nix/machine.nix")
        {
          nixpkgs.overlays = [ overlay ];
          hostwright = {
            enable = true;
            inherit profile;
          };
        }
      ];
    })
    config
    ;
in
{
  toplevel = config.system.build.toplevel.drvPath;
  inherit (config) warnings;
  units = builtins.mapAttrs (_: unit: unit.text) {
    inherit (config.systemd.units) "ollama.service";
  };
}
