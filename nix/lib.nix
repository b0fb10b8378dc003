# For flakes of hosts: `mkHost` makes a NixOS system, `mkDeployNode` a node for deploy-rs.
{ lib, self }:
{
  # mkHost { profile = "xeon-cpu"; modules = [ ./grey-area.nix ]; }
  mkHost =
    {
      profile,
      system ? (lib.importJSON (../modules/plans + "/${profile}.json")).system,
      modules ? [ ],
      nixosSystem ? lib.nixosSystem,
    }:
    nixosSystem {
      inherit system;
      modules = [
        self.nixosModules.default
        {
          hostwright = {
            enable = lib.mkDefault true;
            profile = lib.mkDefault profile;
          };
        }
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
