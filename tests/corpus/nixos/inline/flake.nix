{
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";

  outputs =
    { self, nixpkgs }:
    {
      nixosConfigurations.lab = nixpkgs.lib.nixosSystem {
        system = "x86_64-linux";
        modules = [
          ./hardware.nix
          (
            { pkgs, ... }:
            {
              services.ollama.enable = true;
              services.ollama.acceleration = "rocm";
              services.ollama.loadModels = "llama3.1:8b";
            }
          )
          { systemd.services.ollama.serviceConfig.Restart = "always"; }
        ];
      };
    };
}
