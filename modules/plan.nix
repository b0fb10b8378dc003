# What adds up or is changed piece by piece: variables, models, and which of them to load.
{ config, lib, ... }:
let
  cfg = config.hostwright;
  inherit (cfg) service;
  hw = import ./lib.nix { inherit lib; };

  # Null unsets: an empty LLAMA_ARG_THREADS would stop every load, and what was chosen for one
  # backend (a library, devices) is wrong for another.
  setting = item: {
    inherit (item) name;
    value = lib.mkDefault (
      if item.group == "threads" && cfg.threads != service.threads then
        if cfg.threads == null then null else toString cfg.threads
      else if item.group == "gpu" && cfg.acceleration != service.acceleration then
        null
      else
        item.value
    );
  };
  modelsOf = kind: lib.concatMap (job: lib.optionals (job.kind == kind) job.models) service.jobs;
in
{
  imports = [ ./checks.nix ];

  config.hostwright = lib.mkIf cfg.enable {
    settings = lib.listToAttrs (map setting (hw.settings service));
    models = modelsOf "pull";
    warmup.models = modelsOf "warmup";
  };
}
