# Written by Hostwright's `gen fleet`, the same for every fleet; edit the fleet file.
# The outputs of the flake, from its inputs.
inputs:
let
  inherit (inputs)
    colmena
    deploy-rs
    nixpkgs
    self
    ;
  inherit (nixpkgs) lib;
  inherit (import ./hosts.nix { inherit lib; })
    nixos
    others
    outputs
    rollout
    ;
  hostwright = inputs.hostwright or null;
  systems = [
    "x86_64-linux"
    "aarch64-linux"
  ];

  nixpkgsOf = host: inputs.${host.nixpkgs or "nixpkgs"};
  pkgsOf = host: (nixpkgsOf host).legacyPackages.${host.system};

  # A path in the flake, or `INPUT#NAME`.
  imported =
    module:
    let
      parts = lib.splitString "#" module;
      input = lib.head parts;
      name = lib.last parts;
      named = inputs.${input}.nixosModules or { };
    in
    if lib.length parts == 1 then
      ../. + "/${module}"
    else
      named.${name}
        or (throw "the input ${input} has no module ${name}; it has ${toString (lib.attrNames named)}");
  module = name: host: {
    _file = "hostwright/hosts, ${name}";
    imports = [ ./modules ] ++ map imported host.modules;
    hostwright = {
      enable = lib.mkDefault true;
      profile = lib.mkDefault host.content;
      healthGate = lib.mkDefault (host.gate or false);
      checkPlan = lib.mkIf (hostwright != null) (lib.mkDefault hostwright.packages.${host.system}.gen);
    };
    networking.hostName = lib.mkDefault name;
    nixpkgs.hostPlatform = lib.mkDefault host.system;
  };

  activate = host: deploy-rs.lib.${host.system}.activate;
  system = name: host: (activate host).nixos self.nixosConfigurations.${name};
  bundle =
    name: host:
    import ./bundle.nix {
      inherit lib name;
      pkgs = pkgsOf host;
      activate = activate host;
      files = host.content;
    };
  # What the user deploys beside it, by a function that takes what it names of these.
  beside =
    name: host: profile:
    let
      make = import (../. + "/${profile.file}");
      given = {
        inherit inputs name;
        inherit (host) system;
        activate = activate host;
        pkgs = pkgsOf host;
      };
      named = builtins.functionArgs make;
    in
    make (if named == { } then given else builtins.intersectAttrs named given);
  node =
    main: path: name: host:
    let
      settings = host.profiles or { };
      profile =
        profile: said:
        removeAttrs said [ "file" ]
        // {
          path = if profile == main then path name host else beside name host said;
        };
    in
    {
      hostname = host.address;
      user = "root";
      profiles = lib.mapAttrs profile ({ ${main} = { }; } // settings);
    }
    // lib.optionalAttrs (host ? order) { profilesOrder = host.order; }
    // host.deploy;
  nodes = lib.mapAttrs (node "system" system) nixos // lib.mapAttrs (node "hostwright" bundle) others;
  nodesOn = system: lib.filterAttrs (name: _: (nixos // others).${name}.system == system) nodes;

  made = {
    nixosConfigurations = lib.mapAttrs (
      name: host:
      (nixpkgsOf host).lib.nixosSystem {
        modules = [ (module name host) ];
        specialArgs = { inherit inputs; };
      }
    ) nixos;

    deploy = {
      inherit nodes;
    };

    # Each host on its own kind of machine, because deploy-rs's check builds it.
    checks = lib.genAttrs systems (
      system: deploy-rs.lib.${system}.deployChecks { nodes = nodesOn system; }
    );

    apps = lib.genAttrs systems (system: {
      deploy-waves = import ./waves.nix {
        inherit
          deploy-rs
          lib
          nixpkgs
          rollout
          system
          ;
      };
    });

    colmenaHive = import ./hive.nix {
      inherit
        colmena
        inputs
        lib
        module
        nixos
        nixpkgs
        pkgsOf
        ;
    };
  };
in
if outputs == null then made else lib.recursiveUpdate made (import (../. + "/${outputs}") inputs)
