# Written by Hostwright's `gen fleet`, the same for every fleet; edit the fleet file.
# The NixOS hosts for Colmena.
{
  colmena,
  inputs,
  lib,
  module,
  nixos,
  nixpkgs,
  pkgsOf,
}:
colmena.lib.makeHive (
  {
    meta = {
      nixpkgs = nixpkgs.legacyPackages.x86_64-linux;
      nodeNixpkgs = lib.mapAttrs (_: pkgsOf) nixos;
      specialArgs = { inherit inputs; };
    };
  }
  // lib.mapAttrs (name: host: {
    imports = [ (module name host) ];
    deployment = {
      targetHost = host.address;
      targetUser = host.deploy.sshUser or null;
      buildOnTarget = host.deploy.remoteBuild;
      sshOptions = host.deploy.sshOpts or [ ];
      inherit (host) tags;
    };
  }) nixos
)
