# A stand-in for nixpkgs: as much of it as the flake's outputs ask for, in our own words.
{
  outputs =
    { self }:
    let
      stub = import ./lib.nix;
      contract = import ./contract.nix;
      inherit (stub) lib;
      made =
        system: name: attrs:
        derivation (
          {
            inherit name system;
            builder = "/bin/sh";
            args = [ "-c" "echo made > $out" ];
          }
          // attrs
        );
      packagesFor =
        system:
        let
          pkgs = stub.pkgs // rec {
            inherit lib system;
            python3Packages = lib.genAttrs [
              "click" "hatchling" "jinja2" "psutil" "pydantic" "pyyaml" "tomli-w"
            ] (name: made system name { }) // {
              buildPythonApplication =
                attrs:
                made system attrs.pname { } // { inherit (attrs) version meta; };
            };
            python3 = {
              withPackages = _: made system "python" { };
            };
            runCommand = name: _: text: made system name { inherit text; };
            writeText = name: text: made system name { inherit text; };
            mkShell = _: made system "shell" { };
            docker-compose = made system "docker-compose" { };
            gitMinimal = made system "git" { };
            nix = made system "nix" { };
            nixfmt-rfc-style = made system "nixfmt" { };
            systemd = made system "systemd" { };
            callPackage =
              file: arguments:
              let
                f = import file;
              in
              f (builtins.intersectAttrs (builtins.functionArgs f) pkgs // arguments);
          };
        in
        pkgs;
    in
    {
      legacyPackages = lib.genAttrs [ "x86_64-linux" "aarch64-linux" ] packagesFor;
      lib = lib // {
        # nixpkgs' fileset makes a source of some files; here it is all of them.
        fileset = {
          toSource = { root, ... }: root;
          unions = list: list;
        };
        nixosSystem =
          { system, modules }:
          let
            pkgs = packagesFor system;
            evaluated = lib.evalModules {
              modules = modules ++ [
                (contract {
                  inherit lib;
                  inherit (stub.pkgs) nvidiaPackages;
                })
                {
                  # What a machine needs beside its services; nothing here looks at it.
                  options =
                    let
                      anything = lib.mkOption {
                        type = lib.types.attrs;
                        default = { };
                      };
                    in
                    {
                      boot.loader = anything;
                      fileSystems = anything;
                      system = anything;
                    };
                }
              ];
              specialArgs = {
                inherit pkgs;
                inherit (stub) utils;
              };
            };
          in
          evaluated // { inherit pkgs; };
      };
    };
}
