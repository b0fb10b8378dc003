# As much of nixpkgs as the library of the real deploy-rs builds with, by the programs of this
# machine: what is deployed then is real, and nothing is fetched. `programs` has deploy-rs's own.
{
  system,
  overlays ? [ ],
}:
let
  inherit (import ./lib.nix) lib;
  made =
    name: attrs: script:
    derivation (
      attrs
      // {
        inherit name system;
        builder = "/bin/sh";
        args = [
          "-c"
          ("PATH=/usr/bin:/bin; set -e\n" + script)
        ];
      }
    );
  writeTextFile =
    {
      name,
      text,
      executable ? false,
      destination ? "",
    }:
    made name
      {
        inherit text;
        passAsFile = [ "text" ];
      }
      ''
        file=$out${destination}
        mkdir -p "''${file%/*}"
        cp "$textPath" "$file"
        ${if executable then "chmod +x $file" else ""}
      '';
  pkgs = {
    inherit lib writeTextFile;
    stdenv.hostPlatform.system = system;
    runtimeShell = "/bin/bash";
    writeScript =
      name: text:
      writeTextFile {
        inherit name text;
        executable = true;
      };
    writeShellScript = name: text: pkgs.writeScript name "#!${pkgs.runtimeShell}\n${text}";
    buildEnv =
      { name, paths }:
      made name { inherit paths; } ''
        mkdir "$out"
        for path in $paths; do ln -s "$path"/* "$out"; done
      '';
    linkFarm =
      name: entries:
      made name
        {
          links = map (entry: entry.path) entries;
          names = map (entry: entry.name) entries;
        }
        ''
          set -- $names
          for link in $links; do
            mkdir -p "$(dirname "$out/$1")"
            ln -s "$link" "$out/$1"
            shift
          done
        '';
    rustPlatform.buildRustPackage =
      _:
      made "deploy-rs" { programs = builtins.readFile ./programs; } ''
        mkdir -p "$out/bin"
        for name in activate deploy; do ln -s "$programs/$name" "$out/bin/$name"; done
      '';
  };
in
lib.foldl' (
  before: overlay: before // overlay (before // overlay before before) before
) pkgs overlays
