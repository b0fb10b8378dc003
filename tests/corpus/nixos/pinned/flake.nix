{
  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-25.11";
    unstable.url = "github:NixOS/nixpkgs/nixos-unstable";
  };

  outputs =
    { nixpkgs, unstable, ... }:
    {
      nixosConfigurations.box = nixpkgs.lib.nixosSystem {
        specialArgs.unstable = unstable.legacyPackages.x86_64-linux;
        modules = [ ./hosts/box.nix ];
      };
    };
}
