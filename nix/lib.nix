# For flakes of hosts: `mkHost` makes a NixOS system, `mkDeployNode` a node for deploy-rs.
{ lib, self }:
{
  # mkHost { profile = "xeon-cpu"; modules = [ ./grey-area.nix ]; }
  # The profile is what hostwright.profile takes; it says the system, too.
  mkHost =
    {
      profile,
      system ? null,
      modules ? [ ],
      nixosSystem ? lib.nixosSystem,
    }:
    nixosSystem {
      modules = [
        self.nixosModules.default
        (
          { config, ... }:
          {
            hostwright = {
              enable = lib.mkDefault true;
              profile = lib.mkDefault profile;
            };
            # Below the default that nixos-generate-config writes.
            nixpkgs.hostPlatform = lib.mkOptionDefault (
              if system == null then config.hostwright.host.system else system
            );
          }
        )
      ]
      ++ modules;
    };

  # mkDeployNode { inherit deploy-rs; hostname = "grey-area.lan"; configuration = …; }
  mkDeployNode =
    {
      deploy-rs,
      hostname,
      configuration,
      node ? { },
    }:
    {
      inherit hostname;
      profiles.system = {
        user = "root";
        path = deploy-rs.lib.${configuration.pkgs.stdenv.hostPlatform.system}.activate.nixos configuration;
      };
    }
    // node;
}
