# The options `hostwright.*`: what a host may change of its profile, whose values are the defaults.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  own = import ./types.nix { inherit lib; };
  hw = import ./lib.nix { inherit lib; };
  cfg = config.hostwright;
  inherit (cfg) service;
  warmups = lib.filter (job: job.kind == "warmup") service.jobs;
  named = text: if text == "" then null else text;
  inherit (own) profiled optional;
  limits = hw.planned service;
in
{
  imports = [
    ./enable.nix
    ./profile.nix
    ./secrets.nix
  ];

  options.hostwright = {
    package = mkOption {
      type = types.nullOr types.package;
      default = null;
      description = "The Ollama package; null is the one for the acceleration and its GPUs.";
      example = lib.literalExpression "pkgs.ollama-cuda";
    };
    acceleration = profiled cfg.newest.acceleration own.backend {
      description = "What computes.";
      example = "cuda";
    };
    exposure = {
      host = profiled service.listen.host own.address {
        description = "Address that the API listens on; it has no authentication.";
        example = "0.0.0.0";
      };
      port = profiled service.listen.port types.port {
        description = "TCP port of the API.";
        example = 11434;
      };
      openFirewall = profiled service.listen.open_firewall types.bool {
        description = "Whether to open the port in the firewall.";
        example = true;
      };
    };
    modelsDir = optional (named service.models_dir) own.path {
      description = "Where models are stored; null is under the home of the service.";
      example = "/srv/ollama/models";
    };
    # A directory outside the home needs an owner by name.
    user =
      optional (if service.user == "" && cfg.modelsDir != null then "ollama" else named service.user)
        own.word
        {
          description = "User of the service; null is a dynamic one.";
          example = "ollama";
        };
    group = optional (if service.group == "" then cfg.user else service.group) own.word {
      description = "Group of the service; null is as the user.";
      example = "ollama";
    };
    threads = optional (if service.threads == 0 then null else service.threads) types.ints.positive {
      description = "Compute threads per model, wherever they are told, but for models with a number of their own; null leaves them to the server.";
      example = 12;
    };
    settings = mkOption {
      type = types.attrsOf (types.nullOr types.str);
      default = { };
      description = "Environment of the server, over the profile's; null unsets a variable.";
      example.OLLAMA_KEEP_ALIVE = "24h";
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
      timeoutSeconds =
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
