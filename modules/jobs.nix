# The jobs of a Plan as services, for NixOS and for system-manager, which differ in the program, its
# address, and `renamed`: what a unit of the Plan is called there.
{
  address,
  cfg,
  lib,
  pkgs,
  program,
  utils,
  renamed ? lib.id,
}:
let
  inherit (cfg) service;
  hw = import ./lib.nix { inherit lib; };

  # What stands in an argv for something of the host.
  modelfiles = lib.listToAttrs (
    lib.concatMap (
      model:
      lib.optional (model.modelfile != null) {
        name = "/.modelfiles/${model.modelfile.file}";
        value = model;
      }
    ) service.models
  );
  stored =
    {
      file,
      head,
      lever,
      tail,
      ...
    }:
    let
      isSet = lever != "" && cfg.threads != null;
      threads = lib.optionalString isSet "${lever}${toString cfg.threads}";
    in
    "${pkgs.writeText file "${head}${threads}${tail}"}";
  placed =
    models: word:
    if word == "/.program" then
      [ program ]
    else if word == "/.models" || word == "/.model" then
      models
    else
      [ (if modelfiles ? ${word} then stored modelfiles.${word}.modelfile else word) ];
  exec = models: step: utils.escapeSystemdExecArgs (lib.concatMap (placed models) step.argv);

  # A model is not made of one that is not loaded here.
  isWanted = word: !(modelfiles ? ${word}) || lib.elem modelfiles.${word}.name cfg.models;
  commands =
    models: steps:
    let
      wanted = lib.filter (step: lib.all isWanted step.argv) steps;
      each =
        step:
        if lib.elem "/.model" step.argv then
          map (model: exec [ model ] step) models
        else
          [ (exec models step) ];
    in
    lib.concatMap each wanted;

  # What the host's own options name.
  chosen = {
    pull = lib.unique cfg.models;
    warmup = lib.optionals cfg.warmup.enable cfg.warmup.models;
  };
  modelsOf = job: chosen.${job.kind} or job.models;
  timeout = job: if job.kind == "warmup" then cfg.warmup.timeoutSeconds else job.timeout_seconds;
  isUsed =
    job:
    if job.kind == "resume" then
      hw.devices cfg != null
    else
      modelsOf job != [ ] && commands (modelsOf job) job.steps != [ ];

  made =
    job:
    let
      run = commands (modelsOf job);
    in
    {
      inherit (job) description before;
      after = map renamed job.after;
      wants = map renamed job.wants;
      partOf = map renamed job.part_of;
      wantedBy = map renamed job.wanted_by;
      path = lib.optional (job.programs != [ ]) pkgs.kmod;
      environment = lib.listToAttrs (
        map (item: {
          inherit (item) name;
          value = if item.value == "/.address" then address else hw.percent item.value;
        }) job.environment
      );
      unitConfig = lib.optionalAttrs job.stop_when_unneeded { StopWhenUnneeded = true; };
      serviceConfig = {
        Type = "oneshot";
        ExecStart = run job.steps;
      }
      // lib.optionalAttrs (job.wait != null) {
        DynamicUser = true;
        ExecStartPre = run [ job.wait ];
      }
      // lib.optionalAttrs (job.stop_steps != [ ]) { ExecStop = run job.stop_steps; }
      // lib.optionalAttrs job.remain_after_exit { RemainAfterExit = true; }
      // lib.optionalAttrs (timeout job != 0) { TimeoutStartSec = timeout job; }
      // lib.optionalAttrs (job.retry_seconds != 0) {
        Restart = "on-failure";
        RestartSec = job.retry_seconds;
      };
    };
in
lib.listToAttrs (
  map (job: {
    inherit (job) name;
    value = made job;
  }) (lib.filter isUsed (service.jobs ++ service.offered))
)
