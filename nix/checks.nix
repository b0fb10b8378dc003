# What `nix flake check` builds: the tests of the project with the consumers beside them, the
# rendered bundles, and every profile as a system.
{ pkgs, self }:
let
  inherit (pkgs) lib system;
  gen = self.packages.${system}.gen;
  python = pkgs.python3.withPackages (packages: [
    packages.hypothesis
    packages.jsonschema
    packages.pytest
    (packages.toPythonModule gen)
  ]);
  onThisSystem = lib.filterAttrs (
    _: configuration: configuration.pkgs.system == system
  ) self.nixosConfigurations;
in
{
  pytest =
    pkgs.runCommand "hostwright-pytest"
      {
        nativeBuildInputs = [
          python
          pkgs.docker-compose
          pkgs.gitMinimal
          pkgs.nix
          pkgs.systemd
        ];
      }
      ''
        cp -r ${self} source && chmod -R u+w source && cd source
        HOME=$TMPDIR python -m pytest -q -p no:cacheprovider
        touch "$out"
      '';
}
// lib.mapAttrs' (name: configuration: {
  name = "system-${name}";
  value = pkgs.writeText "system-${name}" (
    builtins.unsafeDiscardStringContext configuration.config.system.build.toplevel.drvPath
  );
}) onThisSystem
// lib.mapAttrs' (name: bundle: {
  name = "bundle-${name}";
  value = bundle;
}) (lib.removeAttrs self.packages.${system} [ "default" "gen" ])
