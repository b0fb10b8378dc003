{
  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";
    hostwright.url = "github:hostwright/hostwright";
    deploy-rs.url = "github:serokell/deploy-rs";
  };

  outputs =
    {
      self,
      nixpkgs,
      hostwright,
      deploy-rs,
    }:
    {
      nixosConfigurations.grey-area = hostwright.lib.mkHost {
        inherit (nixpkgs.lib) nixosSystem;
        profile = "xeon-cpu";
        modules = [
          {
            hostwright = {
              checkPlan = hostwright.packages.x86_64-linux.gen;
              # A switch whose server does not answer fails, and deploy-rs goes back.
              healthGate = true;
            };
          }
          # ./grey-area/hardware-configuration.nix
        ];
      };

      deploy.nodes.grey-area = hostwright.lib.mkDeployNode {
        inherit deploy-rs;
        hostname = "grey-area.lan";
        configuration = self.nixosConfigurations.grey-area;
      };

      checks = builtins.mapAttrs (_: lib: lib.deployChecks self.deploy) deploy-rs.lib;
    };
}
