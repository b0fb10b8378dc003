# The package in effect against what the profile is for: what it computes with, and its era.
{
  config,
  lib,
  options,
  ...
}:
let
  cfg = config.hostwright;
  hw = import ./lib.nix { inherit lib; };
  service = cfg.planned;
  inherit (cfg) release;
  inherit (config.services) ollama;

  isOfAnotherEra =
    lib.versionOlder release service.era_since
    || (service.era_until != "" && lib.versionAtLeast release service.era_until)
    || lib.versionOlder release (lib.last cfg.plans).since;

  # As nixpkgs describes its packages; of others nothing is known. That for the CPU says no more than
  # what all of them say.
  inherit (hw.refusals) backends;
  described = ollama.package.meta.description or "";
  built = lib.findFirst (name: lib.hasInfix backends.${name} described) (
    if lib.hasInfix hw.refusals.described described then "cpu" else null
  ) (lib.attrNames backends);

  since = (cfg.newest.build or { }).since or "";

  option = if hw.hasAcceleration options then "acceleration" else "package";
  chosen =
    if option == "package" then
      built
    else if ollama.acceleration == false then
      "cpu"
    else
      ollama.acceleration;
  isOther = chosen != null && chosen != cfg.ollama.acceleration;
in
{
  imports = [ ./plan.nix ];

  config = lib.mkIf (hw.isServed config) {
    assertions = [
      {
        assertion = hw.devices cfg == null || !isOther;
        message = hw.told "backend" {
          inherit option;
          inherit (cfg.ollama) acceleration;
          way = "set hostwright.ollama.acceleration to ${toString chosen}";
        };
      }
      {
        assertion = !lib.versionOlder release since;
        message = hw.told "build" {
          version = release;
          inherit since;
        };
      }
    ];

    warnings = lib.optional isOfAnotherEra "hostwright: the packaged Ollama is ${release}, where other settings count than in ${service.release}, which the profile is for; write its plan with `gen plan --ollama-version ${release}`.";
  };
}
