# The options that are keys of a profile, each in its table there: `ollama`, `service`, `threads`.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  own = import ./types.nix { inherit lib; };
  inherit (own) profiled optional;
  cfg = config.hostwright;
  service = cfg.planned;
  named = text: if text == "" then null else text;
in
{
  imports = [ ./profile.nix ];

  options.hostwright = {
    ollama = {
      acceleration = profiled cfg.newest.acceleration own.backend {
        description = "What computes.";
        example = "cuda";
      };
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
      modelsDir = optional (named service.models_dir) own.path {
        description = "Where models are stored; null is under the home of the service.";
        example = "/srv/ollama/models";
      };
    };
    service = {
      # A directory outside the home needs an owner by name.
      user =
        optional
          (if service.user == "" && cfg.ollama.modelsDir != null then "ollama" else named service.user)
          own.word
          {
            description = "User of the service; null is a dynamic one.";
            example = "ollama";
          };
      group = optional (if service.group == "" then cfg.service.user else service.group) own.word {
        description = "Group of the service; null is as the user.";
        example = "ollama";
      };
    };
    threads = mkOption {
      # It was the number itself.
      type = types.coercedTo (types.nullOr types.ints.positive) (count: { inherit count; }) (
        types.submodule {
          options.count =
            optional (if service.threads == 0 then null else service.threads) types.ints.positive
              {
                description = "Compute threads per model, wherever they are told, but for models with a number of their own; null leaves them to the server.";
                example = 12;
              };
        }
      );
      default = { };
      description = "Compute threads; a number alone is their count.";
      example.count = 12;
    };
  };
}
