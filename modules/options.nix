# The options `hostwright.*`: what a host may change of its profile, whose values are the defaults.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  own = import ./types.nix { inherit lib; };
  hw = import ./lib.nix { inherit lib; };
  service = config.hostwright.planned;
  warmups = lib.filter (job: job.kind == "warmup") service.jobs;
  inherit (own) profiled optional;
  limits = hw.planned service;
in
{
  imports = [
    ./enable.nix
    ./keys.nix
    ./profile.nix
    ./secrets.nix
  ];

  options.hostwright = {
    package = lib.mkPackageOption pkgs "ollama" {
      nullable = true;
      default = null;
      example = "pkgs.ollama-cuda";
      extraDescription = "Null is the one for the acceleration and the GPUs.";
    };

    settings = mkOption {
      type = types.attrsOf (types.nullOr own.variable);
      default = { };
      description = "Environment of the server, over the profile's: text, numbers and Booleans; null unsets a variable.";
      example = {
        OLLAMA_KEEP_ALIVE = "24h";
        OLLAMA_NUM_PARALLEL = 2;
      };
    };

    healthGate = mkOption {
      type = types.bool;
      default = false;
      description = "Whether a start of the server is one only once it answers: a switch waits for that, and fails where no answer comes, so that deploy-rs goes back to what ran before.";
      example = true;
    };

    models = mkOption {
      type = types.listOf own.model;
      default = [ ];
      description = "Models to pull; the profile's and yours add up.";
      example = [ "phi4" ];
    };
    warmup = {
      enable = profiled (warmups != [ ]) types.bool {
        description = "Whether to load models after the server has started.";
        example = true;
      };
      models = mkOption {
        type = types.listOf own.model;
        default = [ ];
        description = "What to load; the profile's and yours add up.";
        example = [ "qwen2.5-coder:7b" ];
      };
      timeout =
        profiled (if warmups == [ ] then 300 else (lib.head warmups).timeout_seconds) types.ints.positive
          {
            description = "Seconds until the whole warm-up is given up.";
            example = 600;
          };
    };

    resources = lib.mapAttrs (
      option: limit:
      optional (limits.${limit.directive} or null) own.limits.${option} {
        inherit (limit) description example;
      }
    ) hw.resources;
  };
}
