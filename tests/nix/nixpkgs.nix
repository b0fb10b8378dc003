# A stand-in for nixpkgs: as much of it as the flake's outputs ask for, in our own words.
{
  outputs =
    _:
    let
      stub = import ./lib.nix;
      contract = import ./contract.nix;
      lib = stub.lib // {
        fileset = {
          toSource =
            { root, fileset }:
            builtins.path {
              name = "source";
              path = root;
              filter =
                path: _:
                lib.any (
                  part: lib.hasPrefix "${toString part}/" "${path}/" || lib.hasPrefix "${path}/" (toString part)
                ) fileset;
            };
          unions = list: list;
        };
      };
      made =
        system: name: attrs:
        derivation (
          {
            inherit name system;
            builder = "/bin/sh";
            args = [
              "-c"
              "echo made > $out"
            ];
          }
          // attrs
        );
      # Where a test has put a Python here, it builds what it is asked for.
      installed =
        src:
        lib.optionalAttrs (builtins.pathExists ./python) {
          inherit src;
          builder = builtins.readFile ./python;
          args = [ ./install.py ];
        };
      nixosSystem =
        {
          system ? null,
          modules,
          specialArgs ? { },
        }:
        let
          platform = if system == null then evaluated.config.nixpkgs.hostPlatform else system;
          pkgs = lib.foldl' (
            before: overlay: before // overlay pkgs before
          ) (packagesFor platform) evaluated.config.nixpkgs.overlays;
          evaluated = lib.evalModules {
            modules = modules ++ [
              (contract {
                inherit lib;
                inherit (stub.pkgs) nvidiaPackages;
                facts = ./catalogue.json;
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
                    system = {
                      stateVersion = anything // {
                        type = lib.types.str;
                      };
                      build.toplevel = anything // {
                        default = made platform "nixos-system" {
                          units = builtins.toJSON evaluated.config.systemd.units;
                        };
                      };
                    };
                    networking.hostName = anything // {
                      type = lib.types.str;
                    };
                    nixpkgs = {
                      config = anything;
                      overlays = anything // {
                        type = lib.types.listOf lib.types.raw;
                        default = [ ];
                      };
                      hostPlatform = lib.mkOption { type = lib.types.str; };
                    };
                  };
              }
            ];
            specialArgs = {
              inherit pkgs;
              inherit (stub) utils;
            }
            // specialArgs;
          };
        in
        evaluated // { inherit pkgs; };
      # A machine of a test, and each of its specialisations: what fails, and the units.
      booted =
        system: modules:
        let
          inherit (nixosSystem { inherit system modules; }) config;
          special =
            _:
            { configuration, ... }:
            booted system (
              modules
              ++ [
                configuration
                { specialisation = lib.mkForce { }; }
              ]
            );
        in
        {
          failed = map (check: check.message) (lib.filter (check: !check.assertion) config.assertions);
          inherit (config) warnings;
          inherit (config.systemd) units;
          rules = config.systemd.tmpfiles.rules;
          specialisations = lib.mapAttrs special config.specialisation;
        };
      machine.options = {
        networking.hosts = lib.mkOption { type = lib.types.attrsOf (lib.types.listOf lib.types.str); };
        security.pki.certificateFiles = lib.mkOption { type = lib.types.listOf lib.types.str; };
        specialisation = lib.mkOption {
          type = lib.types.attrsOf lib.types.attrs;
          default = { };
        };
        systemd.packages = lib.mkOption {
          type = lib.types.listOf lib.types.package;
          default = [ ];
        };
        virtualisation = lib.mkOption { type = lib.types.attrs; };
      };
      packagesFor =
        system:
        let
          pkgs = stub.pkgs // rec {
            inherit lib;
            stdenv.hostPlatform.system = system;
            python3Packages =
              lib.genAttrs [
                "click"
                "hatchling"
                "jinja2"
                "psutil"
                "pydantic"
                "pyyaml"
                "tomli-w"
                "tomlkit"
                "hypothesis"
                "jsonschema"
                "pytestCheckHook"
              ] (name: made system name { })
              // {
                buildPythonApplication =
                  attrs:
                  made system attrs.pname (installed attrs.src)
                  // {
                    inherit (attrs) version meta;
                    inherit (attrs.passthru) tests;
                  };
              };
            python3 = {
              withPackages = _: made system "python" { };
            };
            runCommand =
              name:
              {
                nativeBuildInputs ? [ ],
              }:
              text:
              made system name {
                inherit nativeBuildInputs text;
                passAsFile = [ "text" ];
                args = [
                  "-euc"
                  ''
                    PATH=/usr/bin:/bin
                    for input in $nativeBuildInputs; do PATH=$input/bin:$PATH; done
                    export PATH
                    . "$textPath"
                  ''
                ];
              };
            writeTextFile =
              {
                name,
                text,
                executable,
              }:
              made system name { inherit text executable; };
            linkFarm =
              name: files:
              made system name {
                files = map (file: file.path) files;
                names = map (file: file.name) files;
              };
            nixosOptionsDoc =
              { options }:
              {
                optionsJSON = made system "options" {
                  text = builtins.toJSON (lib.optionAttrSetToDocList options);
                };
              };
            openssl = made system "openssl" { };
            ruff = made system "ruff" { };
            # No machine is booted: its nodes are evaluated.
            testers.testVersion = { package }: made system "${package.name}-version" { inherit package; };
            testers.runNixOSTest =
              {
                name,
                defaults,
                nodes,
                testScript,
              }:
              made system name {
                inherit testScript;
                nodes = builtins.toJSON (
                  lib.mapAttrs (
                    _: node:
                    booted system [
                      machine
                      defaults
                      node
                    ]
                  ) nodes
                );
              };
            writeText = name: text: made system name { inherit text; };
            writeTextDir = path: text: made system (baseNameOf path) { inherit text; };
            mkShell = _: made system "shell" { };
            docker-compose = made system "docker-compose" { };
            gitMinimal = made system "git" { };
            nix = made system "nix" { };
            nixfmt = made system "nixfmt" { };
            deadnix = made system "deadnix" { };
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
        inherit nixosSystem;
      };
    };
}
