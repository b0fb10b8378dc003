# Written by Hostwright's `gen fleet`, the same for every fleet; edit the fleet file.
# A host that is not NixOS: its files as they will lie below `/`, the scripts that put them there, and
# how deploy-rs runs these. When that fails, deploy-rs runs the script of the bundle before.
{
  lib,
  pkgs,
  activate,
  name,
  files,
}:
let
  stored = executable: path: text: {
    name = path;
    path = pkgs.writeTextFile {
      name = baseNameOf path;
      inherit executable text;
    };
  };
  own = map (file: stored false file.path (lib.concatStringsSep "\n" file.lines)) files;
  script = path: stored true path (builtins.readFile (./bundle + "/${path}"));
  scripts = map script [
    "apply.sh"
    "remove.sh"
    "verify.py"
    "verify.sh"
  ];
  # Its functor runs the script in the bundle.
  custom = activate.custom // {
    dryActivate = "./apply.sh --dry-run";
    boot = "echo 'A bundle takes effect at once: deploy without --boot.' >&2; exit 1";
  };
in
# Status 4 is no reason to go back: all is in place, and something of the host's wins over it.
custom (pkgs.linkFarm "hostwright-${name}" (own ++ scripts)) "./apply.sh || [ $? = 4 ]"
