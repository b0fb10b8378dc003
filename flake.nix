{
  description = "Hostwright: one typed profile per inference host, checked configuration for Ollama";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    let
      inherit (nixpkgs) lib;
      systems = [
        "x86_64-linux"
        "aarch64-linux"
      ];
      eachSystem = f: lib.genAttrs systems (system: f nixpkgs.legacyPackages.${system});
      profiles = map (lib.removeSuffix ".json") (lib.attrNames (builtins.readDir ./modules/plans));
      plan = name: lib.importJSON (./modules/plans + "/${name}.json");

      # A module with the profile in it, for `imports = [ hostwright.nixosModules.xeon-cpu ]`.
      profileModule = name: {
        _file = "${self}/flake.nix#nixosModules.${name}";
        imports = [ ./modules ];
        hostwright = {
          enable = lib.mkDefault true;
          profile = lib.mkDefault name;
        };
      };
    in
    {
      packages = eachSystem (
        pkgs:
        let
          gen = pkgs.callPackage ./nix/package.nix { };
          bundle = name: pkgs.callPackage ./nix/bundle.nix { inherit gen name; };
        in
        lib.genAttrs profiles bundle
        // {
          inherit gen;
          default = gen;
        }
      );

      apps = eachSystem (pkgs: {
        default = {
          type = "app";
          program = lib.getExe self.packages.${pkgs.system}.gen;
        };
      });

      overlays.default = final: _: {
        hostwright = final.callPackage ./nix/package.nix { };
      };

      nixosModules = lib.genAttrs profiles profileModule // {
        default = ./modules;
        hostwright = ./modules;
      };

      # Each shipped profile on a minimal machine, to look at and to test.
      nixosConfigurations = lib.genAttrs profiles (
        name:
        lib.nixosSystem {
          inherit ((plan name)) system;
          modules = [
            self.nixosModules.${name}
            ./nix/machine.nix
          ];
        }
      );

      lib = import ./nix/lib.nix { inherit lib self; };

      checks = eachSystem (pkgs: import ./nix/checks.nix { inherit pkgs self; });

      formatter = eachSystem (pkgs: pkgs.nixfmt-rfc-style);

      devShells = eachSystem (pkgs: {
        default = pkgs.callPackage ./nix/shell.nix { };
      });

      templates = import ./nix/templates.nix;
    };
}
