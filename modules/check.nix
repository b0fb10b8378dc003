# What `gen check` says of a plan, and of the unit that has become of it, as a derivation that fails
# where it finds an error. `gen` is its package, or the path of the program.
{
  gen,
  lib,
  pkgs,
  plan,
  unit,
}:
let
  program = lib.escapeShellArg (if lib.isDerivation gen then lib.getExe gen else gen);
  inherit (lib.head plan.services) release;
  silenced = map (silence: "--ignore=${silence.rule}") plan.silences;
  # The text alone: nothing that the unit runs must be built for it.
  text = builtins.unsafeDiscardStringContext unit;
in
pkgs.runCommand "hostwright-check" { } ''
  export HOME=$TMPDIR HOSTWRIGHT_NO_CACHE=1
  cp ${pkgs.writeText "plan.json" (builtins.toJSON plan)} plan.json
  mkdir ollama.service.d
  cp ${pkgs.writeText "ollama.conf" text} ollama.service.d/ollama.conf
  ${program} check plan.json --fail-on error
  ${program} check ollama.service.d ${
    lib.escapeShellArgs (
      [
        "--ollama-version=${release}"
        "--fail-on=error"
      ]
      ++ silenced
    )
  }
  touch "$out"
''
