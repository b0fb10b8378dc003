# A stand-in for Colmena: a hive is evaluated node by node with options for `deployment`.
{
  inputs.nixpkgs.url = "path:../nixpkgs";

  outputs =
    { nixpkgs, ... }:
    let
      inherit (nixpkgs) lib;
      inherit (lib) types;
      deployment =
        { name, ... }:
        {
          options.deployment = {
            targetHost = lib.mkOption {
              type = types.nullOr types.str;
              default = name;
            };
            targetUser = lib.mkOption {
              type = types.nullOr types.str;
              default = "root";
            };
            buildOnTarget = lib.mkOption {
              type = types.bool;
              default = false;
            };
            tags = lib.mkOption {
              type = types.listOf types.str;
              default = [ ];
            };
            sshOptions = lib.mkOption {
              type = types.listOf types.str;
              default = [ ];
            };
          };
        };
    in
    {
      lib.makeHive =
        hive:
        let
          hosts = lib.removeAttrs hive [ "meta" ];
          node =
            name: module:
            lib.nixosSystem {
              inherit ((hive.meta.nodeNixpkgs.${name} or hive.meta.nixpkgs).stdenv.hostPlatform) system;
              modules = [
                deployment
                module
              ];
              specialArgs = {
                inherit name;
              }
              // hive.meta.specialArgs or { };
            };
        in
        {
          __schema = "v0.5";
          nodes = lib.mapAttrs node hosts;
        };
    };
}
