# The jobs of a Plan as services, for NixOS and for system-manager, which differ in the program, its
# address, and `renamed`: what a unit of the Plan is called there.
{
  config,
  lib,
  pkgs,
  utils,
  ...
}:
{
  address,
  program,
  renamed,
}:
let
  cfg = config.hostwright;
  service = cfg.planned;
  hw = import ./lib.nix { inherit lib; };

  # What stands in an argv for something of the host.
  modelfiles = lib.listToAttrs (
    map (model: lib.nameValuePair "/.modelfiles/${model.modelfile.file}" model) (
      lib.filter (model: model.modelfile != null) service.models
    )
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
      isSet = lever != "" && cfg.threads.count != null;
      threads = lib.optionalString isSet "${lever}${toString cfg.threads.count}";
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
  command = hw.command { inherit pkgs utils; };

  # A model is not made of one that is not loaded here.
  isWanted = word: !(modelfiles ? ${word}) || lib.elem modelfiles.${word}.name cfg.models;
  commands =
    name: models: steps:
    let
      wanted = lib.filter (step: lib.all isWanted step.argv) steps;
      exec = of: step: command name (lib.concatMap (placed of) step.argv);
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
  timeout = job: if job.kind == "warmup" then cfg.warmup.timeout else job.timeout_seconds;
  isUsed =
    job:
    if job.kind == "resume" then
      hw.devices cfg != null
    else if job.kind == "period" then
      true
    else
      modelsOf job != [ ] && commands job.name (modelsOf job) job.steps != [ ];

  valued = item: if item.value == "/.address" then address else hw.percent item.value;
  made =
    job:
    let
      run = commands job.name (modelsOf job);
    in
    {
      inherit (job) description before;
      after = map renamed job.after;
      wants = map renamed job.wants;
      partOf = map renamed job.part_of;
      wantedBy = map renamed job.wanted_by;
      path = lib.optional (job.programs != [ ]) pkgs.kmod;
      environment = lib.listToAttrs (
        map (item: lib.nameValuePair item.name (valued item)) job.environment
      );
      unitConfig = lib.optionalAttrs job.stop_when_unneeded { StopWhenUnneeded = true; };
      serviceConfig = lib.filterAttrs (_: value: value != 0 && value != false && value != [ ]) {
        Type = "oneshot";
        DynamicUser = job.wait != null;
        ExecStartPre = run (lib.optional (job.wait != null) job.wait);
        ExecStart = run job.steps;
        ExecStop = run job.stop_steps;
        RemainAfterExit = job.remain_after_exit;
        TimeoutStartSec = timeout job;
        Restart = if job.retry_seconds == 0 then false else "on-failure";
        RestartSec = job.retry_seconds;
      }
      // lib.listToAttrs (map (line: lib.nameValuePair line.name line.value) job.sandbox);
    };
in
lib.listToAttrs (
  map (job: lib.nameValuePair job.name (made job)) (
    lib.filter isUsed (service.jobs ++ service.offered)
  )
)
