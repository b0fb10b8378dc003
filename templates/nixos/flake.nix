{
  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";
    hostwright.url = "github:hostwright/hostwright";
  };

  outputs =
    { nixpkgs, hostwright, ... }:
    {
      nixosConfigurations.my-host = nixpkgs.lib.nixosSystem {
        system = "x86_64-linux";
        modules = [
          hostwright.nixosModules.default
          # ./hardware-configuration.nix
          {
            hostwright = {
              enable = true;
              profile = "xeon-cpu";
              checkPlan = hostwright.packages.x86_64-linux.gen;
              resources.memoryMax = "24G";
              settings.OLLAMA_KEEP_ALIVE = "24h";
            };
          }
        ];
      };
    };
}
