# Written by Hostwright's `gen fleet`, the same for every fleet; edit the fleet file.
# A host is read when it is asked for, and no other with it.
{
  nixpkgs,
  deploy-rs,
  colmena,
  self,
  hostwright ? null,
}:
let
  inherit (nixpkgs) lib;

  hosts = lib.importJSON ./hosts.json;
  hostsOf =
    target: lib.genAttrs hosts.${target} (name: lib.importJSON (./hosts + "/${target}/${name}.json"));
  nixos = hostsOf "nixos";
  others = lib.foldl' (all: target: all // hostsOf target) { } targets;
  targets = lib.attrNames (removeAttrs hosts [ "nixos" ]);

  module = name: host: {
    _file = "hostwright/hosts/nixos/${name}.json";
    imports = [ ./modules ] ++ map (path: ../. + "/${path}") host.modules;
    hostwright = {
      enable = lib.mkDefault true;
      profile = lib.mkDefault host.plan;
      checkPlan = lib.mkIf (hostwright != null) (lib.mkDefault hostwright.packages.${host.system}.gen);
    };
    networking.hostName = lib.mkDefault name;
    nixpkgs.hostPlatform = lib.mkDefault host.system;
  };

  # Files as they will lie below `/`, and the scripts that put them there.
  bundle =
    name: host:
    let
      pkgs = nixpkgs.legacyPackages.${host.system};
      stored = executable: path: text: {
        name = path;
        path = pkgs.writeTextFile {
          name = baseNameOf path;
          inherit executable text;
        };
      };
      own = map (file: stored false file.path (lib.concatStringsSep "\n" file.lines)) host.files;
      script = path: stored true path (builtins.readFile (./bundle + "/${path}"));
      scripts = map script [
        "apply.sh"
        "remove.sh"
      ];
    in
    pkgs.linkFarm "hostwright-${name}" (own ++ scripts);

  activate = system: deploy-rs.lib.${system}.activate;
  # Runs in the bundle. When it fails, deploy-rs runs the script of the bundle before.
  apply =
    system:
    (activate system).custom
    // {
      dryActivate = "./apply.sh --dry-run";
      boot = "echo 'A bundle takes effect at once: deploy without --boot.' >&2; exit 1";
    };
  node =
    host: profiles:
    {
      hostname = host.address;
      user = "root";
      inherit profiles;
    }
    // host.deploy;
  nodes =
    lib.mapAttrs (
      name: host:
      node host {
        system.path = (activate host.system).nixos self.nixosConfigurations.${name};
      }
    ) nixos
    // lib.mapAttrs (
      name: host:
      node host { hostwright.path = apply host.system (bundle name host) "./apply.sh"; }
    ) others;
  nodesOn = system: lib.filterAttrs (name: _: (nixos // others).${name}.system == system) nodes;
in
{
  nixosConfigurations = lib.mapAttrs (
    name: host: lib.nixosSystem { modules = [ (module name host) ]; }
  ) nixos;

  deploy = {
    inherit nodes;
  };

  # Each host on its own kind of machine, because deploy-rs's check builds it.
  checks = lib.genAttrs [ "x86_64-linux" "aarch64-linux" ] (
    system: deploy-rs.lib.${system}.deployChecks { nodes = nodesOn system; }
  );

  colmenaHive = colmena.lib.makeHive (
    {
      meta = {
        nixpkgs = nixpkgs.legacyPackages.x86_64-linux;
        nodeNixpkgs = lib.mapAttrs (_: host: nixpkgs.legacyPackages.${host.system}) nixos;
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
  );
}
