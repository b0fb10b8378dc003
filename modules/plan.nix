# What adds up or is changed piece by piece: variables, models, and which of them to load. And what
# only the options can tell: contradictions, and settings that would do nothing. The values
# themselves are judged by `gen check` (see the option checkPlan).
{ config, lib, ... }:
let
  cfg = config.hostwright;
  inherit (cfg) warmup;
  service = cfg.planned;
  hw = import ./lib.nix { inherit lib; };

  # Null unsets: an empty LLAMA_ARG_THREADS would stop every load, and what was chosen for one
  # backend (a library, devices) is wrong for another.
  setting = item: {
    inherit (item) name;
    value = lib.mkDefault (
      if item.group == "threads" && cfg.threads.count != service.threads then
        if cfg.threads.count == null then null else toString cfg.threads.count
      else if item.group == "gpu" && cfg.ollama.acceleration != service.acceleration then
        null
      else
        item.value
    );
  };
  modelsOf = kind: lib.concatMap (job: lib.optionals (job.kind == kind) job.models) service.jobs;

  # What a Plan has beside its server, of which these modules make nothing.
  beside = lib.filter (name: cfg.plan ? ${name}) [
    "cache"
    "front"
    "monitor"
  ];

  # A name without a tag is `latest`.
  tagged =
    name: if lib.hasInfix ":" (lib.last (lib.splitString "/" name)) then name else "${name}:latest";
  served = lib.concatMap (
    model: lib.optional (lib.elem model.name cfg.models && model.serve_as != "") model.serve_as
  ) service.models;
  present = map tagged (cfg.models ++ served ++ config.services.ollama.loadModels or [ ]);
  absent = lib.filter (name: !lib.elem (tagged name) present) warmup.models;
  # Where upstream's option is set instead of ours, that one counts.
  owner = config.services.ollama.user or cfg.service.user;
  home = config.services.ollama.home or service.home;
  isHoused = home != "" && lib.hasPrefix "${home}/" cfg.ollama.modelsDir;
in
{
  imports = [
    ./options.nix
    ./variables.nix
    ./renamed.nix
  ];

  config = lib.mkIf (hw.isServed config) {
    hostwright = {
      settings = lib.listToAttrs (map setting (hw.settings service));
      models = modelsOf "pull";
      warmup.models = modelsOf "warmup";
    };

    assertions = [
      {
        assertion = cfg.threads.count == null || service.threads != 0;
        message = "hostwright.threads.count: the profile sets no threads, so nothing carries this number; write `threads.count` into the profile.";
      }
      {
        assertion = cfg.ollama.modelsDir == null || owner != null || isHoused;
        message = "hostwright.ollama.modelsDir is ${toString cfg.ollama.modelsDir}, where a dynamic user cannot write; name the owner in hostwright.service.user.";
      }
      {
        assertion = !warmup.enable || warmup.models != [ ];
        message = "hostwright.warmup.enable: no model is named; name one in hostwright.warmup.models.";
      }
    ];

    warnings =
      lib.optional (beside != [ ])
        "hostwright.profile is ${cfg.plan.name}: of its ${lib.concatStringsSep ", " beside} nothing is made here; import what `gen render ${cfg.plan.name} -t nixos` writes instead."
      ++ lib.optional (warmup.enable && absent != [ ])
        "hostwright.warmup.models: nothing here brings ${lib.concatStringsSep ", " absent}, so the warm-up waits for it in vain; add it to hostwright.models, or set hostwright.warmup.enable = false.";
  };
}
