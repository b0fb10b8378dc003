# What `nix flake check` builds: the tests of the project with the consumers beside them, what is
# committed against what is generated, the rendered bundles, and every profile as a system.
{ pkgs, self }:
let
  inherit (pkgs) lib;
  inherit (pkgs.stdenv.hostPlatform) system;
  inherit (self.packages.${system}) gen;
  # Not in nixpkgs: pydantic-sarif; the one test that needs it is skipped and says so.
  python = pkgs.python3.withPackages (packages: [
    packages.gguf
    packages.hypothesis
    packages.jsonschema
    packages.pytest
    (packages.toPythonModule gen)
  ]);
  onThisSystem = lib.filterAttrs (
    _: configuration: configuration.pkgs.stdenv.hostPlatform.system == system
  ) self.nixosConfigurations;
  bundles = removeAttrs self.packages.${system} [
    "default"
    "gen"
  ];
  shipped = import ../modules/shipped.nix { inherit lib; };

  # A script in a copy of the sources.
  check =
    name: programs: script:
    pkgs.runCommand "hostwright-${name}" { nativeBuildInputs = programs; } ''
      cp -r ${self} source && chmod -R u+w source && cd source
      export HOME=$TMPDIR HOSTWRIGHT_NO_CACHE=1
      ${script}
      touch "$out"
    '';

  unitsOf = import ./stub-host.nix { inherit lib; };
  written =
    profile:
    pkgs.linkFarm "units-${profile}" (
      lib.mapAttrsToList (name: text: {
        inherit name;
        path = pkgs.writeText "unit" text;
      }) (unitsOf profile)
    );
  modules = pkgs.linkFarm "hostwright-modules" (
    map (name: {
      inherit name;
      path = written name;
    }) shipped.alone
  );
  documented = pkgs.nixosOptionsDoc {
    options = {
      inherit ((import ./options.nix { inherit lib; }).options) hostwright;
    };
  };
in
{
  pytest = check "pytest" [
    python
    pkgs.docker-compose
    pkgs.gitMinimal
    pkgs.nix
    pkgs.systemd
  ] "python -m pytest -q -p no:cacheprovider";

  # What `gen check` says of each plan, and of the unit that the modules make of it.
  plans = pkgs.linkFarm "hostwright-plans" (
    map (name: {
      inherit name;
      path = import ../modules/check.nix {
        inherit gen lib pkgs;
        plan = lib.importJSON (../modules/plans + "/${name}.json");
        unit = (unitsOf name)."ollama.service";
      };
    }) shipped.alone
  );

  # The committed plans are those of the profiles.
  golden = check "golden" [ gen ] (
    lib.concatMapStrings (name: "gen plan ${name} | diff -u modules/plans/${name}.json -\n") shipped.names
    + ''
      for file in modules/plans/*/*.json; do
        version=$(basename "$(dirname "$file")")
        gen plan "$(basename "$file" .json)" --ollama-version "$version" | diff -u "$file" -
      done
    ''
  );

  # nixpkgs documents the options as the reference page does.
  options = check "options" [ python ] ''
    python -m tools.options_page < ${documented.optionsJSON}/share/doc/nixos/options.json |
      diff -u docs/reference/nixos-options.md -
  '';

  inherit modules;
  units =
    check "units"
      [
        python
        pkgs.systemd
      ]
      "python -m tests.nix.verify_units ${modules}/* ${
        lib.concatMapStringsSep " " (
          name: "${bundles."bundle-${name}"}/systemd/etc/systemd/system"
        ) shipped.names
      }";

  format =
    check "format"
      [
        (pkgs.nixfmt or pkgs.nixfmt-rfc-style)
        pkgs.deadnix
        pkgs.ruff
      ]
      ''
        files=$(find . -name '*.nix' -not -path './tests/corpus/*')
        nixfmt --check $files && deadnix --fail $files
        ruff check --no-cache . && ruff format --no-cache --check .
      '';
}
// lib.optionalAttrs (system == "x86_64-linux") {
  # It boots machines, for which the builder needs KVM.
  nixos = pkgs.callPackage ./nixos-test.nix { inherit self; };
}
// lib.mapAttrs' (name: configuration: {
  name = "system-${name}";
  value = pkgs.writeText "system-${name}" (
    builtins.unsafeDiscardStringContext configuration.config.system.build.toplevel.drvPath
  );
}) onThisSystem
// bundles
