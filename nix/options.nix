# The options `hostwright.*`, declared by the modules alone: nothing of NixOS is needed to tell them.
{ lib }:
{
  inherit
    (lib.evalModules {
      modules = [ ../modules/options.nix ];
      specialArgs.pkgs = { };
    })
    options
    ;
}
