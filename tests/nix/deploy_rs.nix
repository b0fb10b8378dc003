# A stand-in for deploy-rs, in our own words: what its library makes of a node. It checks at
# evaluation what the real one's schema and its reader in Rust refuse.
{
  inputs.nixpkgs.url = "path:../nixpkgs";

  outputs =
    { nixpkgs, ... }:
    let
      inherit (nixpkgs) lib;
      isStrings = value: lib.isList value && lib.all lib.isString value;
      isSeconds = value: lib.isInt value && value > 0 && value < 65536;
      generic = {
        sshUser = lib.isString;
        user = lib.isString;
        sshOpts = isStrings;
        fastConnection = lib.isBool;
        autoRollback = lib.isBool;
        magicRollback = lib.isBool;
        confirmTimeout = isSeconds;
        activationTimeout = isSeconds;
        tempPath = lib.isString;
        sudo = lib.isString;
        remoteBuild = lib.isBool;
        interactiveSudo = lib.isBool;
      };
      profileKeys = generic // {
        path = lib.isDerivation;
        profilePath = lib.isString;
      };
      nodeKeys = generic // {
        hostname = lib.isString;
        profiles = lib.isAttrs;
        profilesOrder = isStrings;
      };
      fits =
        keys: value:
        lib.all (
          key: (keys ? ${key} && keys.${key} value.${key}) || throw "deploy-rs does not take ${key}"
        ) (lib.attrNames value);
      accepted =
        name: node:
        (builtins.match "[A-Za-z][A-Za-z0-9_-]*" name != null || throw "deploy-rs takes no node ${name}")
        && fits nodeKeys node
        && lib.all (fits profileKeys) (lib.attrValues node.profiles);
      library =
        system:
        let
          make =
            name: attrs:
            derivation (
              {
                inherit name system;
                builder = "/bin/sh";
                args = [
                  "-c"
                  "echo made > $out"
                ];
              }
              // attrs
            );
        in
        {
          activate = rec {
            custom.__functor =
              self: base: script:
              make "activatable-${base.name}" {
                inherit base script;
                dryActivate = self.dryActivate or "";
              };
            nixos = host: custom host.config.system.build.toplevel "switch";
          };
          deployChecks =
            { nodes }:
            {
              deploy-schema =
                assert lib.all (name: accepted name nodes.${name}) (lib.attrNames nodes);
                make "deploy-schema" { };
              deploy-activate = make "deploy-activate" {
                paths = lib.concatMap (node: map (profile: profile.path) (lib.attrValues node.profiles)) (
                  lib.attrValues nodes
                );
              };
            };
        };
    in
    {
      lib = lib.genAttrs [ "x86_64-linux" "aarch64-linux" ] library;
      packages = lib.genAttrs [ "x86_64-linux" "aarch64-linux" ] (system: {
        default = derivation {
          inherit system;
          name = "deploy-rs";
          builder = "/bin/sh";
          args = [
            "-c"
            "echo made > $out"
          ];
        };
      });
    };
}
