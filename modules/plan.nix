# The profile's Plan as defaults of the options, each at its own leaf: one override keeps the rest.
{ config, lib, ... }:
let
  inherit (lib) mkDefault mkIf;
  cfg = config.hostwright;
  hw = import ./lib.nix { inherit lib; };
  isPath = builtins.isPath cfg.profile || lib.hasPrefix "/" cfg.profile;
  plan = lib.importJSON (if isPath then cfg.profile else ./plans + "/${cfg.profile}.json");

  named = text: if text == "" then null else text;
  ofKind = kind: lib.filter (unit: unit.kind == kind) plan.units;
  isThreads = setting: setting.group == "threads";
  threadParameters = lib.concatMap (
    model: lib.filter (parameter: parameter.name == "num_thread") model.parameters
  ) plan.models;
  threads = lib.filter isThreads plan.environment ++ threadParameters;

  # Null unsets: an empty LLAMA_ARG_THREADS would stop every load, and what was chosen for one
  # backend (a library, devices) is wrong for another.
  setting = item: {
    inherit (item) name;
    value = mkDefault (
      if isThreads item then
        if cfg.threads == null then null else toString cfg.threads
      else if item.group == "gpu" && cfg.acceleration != plan.acceleration then
        null
      else
        item.value
    );
  };
  parameter = item: {
    inherit (item) name;
    value = if item.name == "num_thread" then toString cfg.threads else item.value;
  };
in
{
  config = mkIf cfg.enable {
    assertions = [
      {
        assertion = plan.schema_version == 1;
        message = "hostwright.profile: this plan has schema version ${toString plan.schema_version}, not 1; write it again with `gen plan`.";
      }
      {
        assertion = cfg.threads == null || threads != [ ];
        message = "hostwright.threads: the profile sets no threads, so nothing carries this number; write `threads.count` into the profile.";
      }
    ];

    hostwright = {
      inherit plan;
      acceleration = mkDefault plan.acceleration;
      exposure = {
        host = mkDefault plan.listen.host;
        port = mkDefault plan.listen.port;
        openFirewall = mkDefault plan.listen.open_firewall;
      };
      modelsDir = mkDefault (named plan.models_dir);
      # A directory outside the home needs an owner by name.
      user = mkDefault (
        if plan.service.user == "" && cfg.modelsDir != null then "ollama" else named plan.service.user
      );
      group = mkDefault (if plan.service.group == "" then cfg.user else plan.service.group);
      threads = mkDefault (if threads == [ ] then null else lib.toInt (lib.head threads).value);
      settings = lib.listToAttrs (map setting plan.environment);
      resources = lib.listToAttrs (
        map (limit: {
          name = hw.limits.${limit.name}.option;
          value = mkDefault (hw.written limit);
        }) plan.limits
      );
      models = map (model: {
        inherit (model) name;
        serveAs = named model.serve_as;
        parameters = map parameter (
          lib.filter (item: item.name != "num_thread" || cfg.threads != null) model.parameters
        );
      }) plan.models;
      warmup = {
        enable = mkDefault (ofKind "warmup" != [ ]);
        models = lib.concatMap (unit: lib.concatMap (step: lib.drop 4 step.argv) unit.steps) (
          ofKind "warmup"
        );
        timeoutSeconds = mkIf (ofKind "warmup" != [ ]) (
          mkDefault (lib.head (ofKind "warmup")).timeout_seconds
        );
      };
      resumeFix = mkDefault (ofKind "resume" != [ ]);
    };
  };
}
