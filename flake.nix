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
      shipped = import ./modules/shipped.nix { inherit lib; };
      plan = name: lib.importJSON (./modules/plans + "/${name}.json");

      # Old releases of Nix, 2.8 for one, take no path for a module in `nix flake check`. Behind a set
      # the path stays what errors name and what the module system imports only once.
      modulesOf =
        output: path:
        let
          module = name: {
            _file = "${self}/flake.nix#${output}.${name}";
            imports = [ path ];
          };
          profiled =
            name:
            module name
            // {
              hostwright = {
                enable = lib.mkDefault true;
                profile = lib.mkDefault name;
              };
            };
        in
        lib.genAttrs shipped.alone profiled
        // lib.genAttrs [
          "default"
          "hostwright"
        ] module;

      # The name since NixOS 25.11, and the one before.
      nixfmt = pkgs: pkgs.nixfmt or pkgs.nixfmt-rfc-style;
    in
    {
      packages = eachSystem (
        pkgs:
        let
          gen = pkgs.callPackage ./nix/package.nix { };
          bundle = name: {
            name = "bundle-${name}";
            value = pkgs.callPackage ./nix/bundle.nix { inherit gen name; };
          };
        in
        lib.listToAttrs (map bundle shipped.names)
        // {
          inherit gen;
          default = gen;
        }
      );

      apps = eachSystem (
        pkgs:
        let
          inherit (self.packages.${pkgs.stdenv.hostPlatform.system}) gen;
        in
        {
          default = {
            type = "app";
            program = lib.getExe gen;
            meta = { inherit (gen.meta) description; };
          };
        }
      );

      overlays.default = final: _: {
        hostwright = final.callPackage ./nix/package.nix { };
      };

      nixosModules = modulesOf "nixosModules" ./modules;

      # For numtide/system-manager on DGX OS, Ubuntu and Debian.
      systemManagerModules = modulesOf "systemManagerModules" ./modules/system-manager.nix;

      # Each shipped profile with one server on a minimal machine, to look at and to test.
      nixosConfigurations = lib.genAttrs shipped.alone (
        name:
        lib.nixosSystem {
          inherit ((plan name).host) system;
          modules = [
            self.nixosModules.${name}
            ./nix/machine.nix
          ];
        }
      );

      lib = import ./nix/lib.nix { inherit lib self; };

      checks = eachSystem (pkgs: import ./nix/checks.nix { inherit pkgs self; });

      formatter = eachSystem nixfmt;

      devShells = eachSystem (pkgs: {
        default = pkgs.callPackage ./nix/shell.nix { nixfmt = nixfmt pkgs; };
      });

      templates = import ./nix/templates.nix;
    };
}
