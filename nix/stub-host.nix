# The units of a profile on the tests' stand-in for NixOS, by the library of nixpkgs: the modules
# are evaluated, and no package is.
{ lib }:
let
  inherit (import ../tests/consumers/lib.nix) pkgs utils;
  contract = import ../tests/nix/contract.nix {
    inherit lib;
    inherit (pkgs) nvidiaPackages;
  };
in
profile:
let
  inherit
    (lib.evalModules {
      modules = [
        contract
        ../modules
        {
          hostwright = {
            enable = true;
            inherit profile;
          };
        }
      ];
      specialArgs = { inherit lib pkgs utils; };
    })
    config
    ;
  failed = lib.filter (check: !check.assertion) config.assertions;
in
lib.throwIf (failed != [ ]) (lib.concatMapStringsSep "\n" (check: check.message) failed) (
  lib.mapAttrs (_: unit: unit.text) config.systemd.units
)
