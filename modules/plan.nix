# What adds up or is changed piece by piece: variables, models, and which of them to load.
{ config, lib, ... }:
let
  cfg = config.hostwright;
  inherit (cfg) service;
  hw = import ./lib.nix { inherit lib; };

  # A model may have a number of its own, which stays until the host names another one.
  threads =
    item:
    if cfg.threads == null then
      null
    else if cfg.threads == service.threads then
      item.value
    else
      toString cfg.threads;

  # Null unsets: an empty LLAMA_ARG_THREADS would stop every load, and what was chosen for one
  # backend (a library, devices) is wrong for another.
  setting = item: {
    inherit (item) name;
    value = lib.mkDefault (
      if hw.isThreads item then
        threads item
      else if item.group == "gpu" && cfg.acceleration != service.acceleration then
        null
      else
        item.value
    );
  };
  parameter = item: {
    inherit (item) name;
    value = if hw.isThreads item then threads item else item.value;
  };
in
{
  imports = [ ./checks.nix ];

  config.hostwright = lib.mkIf cfg.enable {
    settings = lib.listToAttrs (map setting (hw.settings service));
    models = map (model: {
      inherit (model) name;
      serveAs = if model.serve_as == "" then null else model.serve_as;
      parameters = map parameter (
        lib.filter (item: cfg.threads != null || !hw.isThreads item) model.parameters
      );
    }) service.models;
    warmup.models = lib.concatMap (job: job.models) (
      lib.filter (job: job.kind == "warmup") service.jobs
    );
  };
}
