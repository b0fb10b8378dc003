# The profile, and which of its Plans counts: that of the Ollama in effect.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  own = import ./types.nix { inherit lib; };
  read = import ./read.nix { inherit lib; };
  cfg = config.hostwright;

  # What only the modules read.
  told =
    default: description:
    own.profiled default types.raw {
      inherit description;
      internal = true;
      readOnly = true;
    };
  serviceOf =
    plan:
    if lib.length plan.services == 1 then
      lib.head plan.services
    else
      throw "hostwright.profile is ${plan.name}, which has several servers, and these options are about one; import what `gen render ${plan.name} -t nixos` writes instead.";
  newest = (lib.head cfg.plans).plan;
  fitting = lib.filter (entry: lib.versionAtLeast cfg.release entry.since) cfg.plans;
  inEffect = lib.head (fitting ++ [ (lib.last cfg.plans) ]);

  # A package of no release, such as nixpkgs' `0-unstable-2026-01-01`, is newer than any.
  packaged = config.services.ollama.package.version or "";
  isRelease = builtins.match "[0-9]+([.][0-9]+)+([^0-9.].*)?" packaged != null;
in
{
  options.hostwright = {
    profile = mkOption {
      type = types.either own.shipped (types.either types.path own.plan);
      description = "A shipped profile; or one's own, as the file that `gen plan` has written or as what is in it.";
      example = "xeon-cpu";
    };
    ollama.version = mkOption {
      type = types.nullOr own.release;
      default = null;
      description = "Release of Ollama that the settings of a shipped profile are chosen for; null is the package's, and the newest where no package tells.";
      example = "0.24.0";
    };

    plans = told (read cfg.profile) "The Plans of the profile, newest first, each with the release from which on it counts.";
    # What a package, a driver or a platform is chosen by must not hang on the package.
    newest = told (serviceOf newest) "The service of the newest Plan.";
    host = told newest.host "The machine that the profile is for.";
    release = told (
      if cfg.ollama.version != null then
        cfg.ollama.version
      else if isRelease then
        packaged
      else
        cfg.newest.release
    ) "The release of Ollama in effect.";
    plan = told inEffect.plan "The Plan for that release.";
    planned = told (serviceOf cfg.plan) "The one service of that Plan.";
  };
}
