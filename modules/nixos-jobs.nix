# The jobs beside the server on NixOS, where upstream's loader pulls the models.
{
  config,
  lib,
  # deadnix: skip -- NixOS hands over what is named
  pkgs,
  # deadnix: skip
  utils,
  ...
}@given:
let
  cfg = config.hostwright;
  inherit (config.services) ollama;
  hw = import ./lib.nix { inherit lib; };
  pulls = lib.filter (job: job.kind == "pull") (cfg.planned.jobs ++ cfg.planned.offered);
  isPull = unit: lib.any (job: job.unit == unit) pulls;
  timed = lib.filter (job: job ? calendar) cfg.planned.jobs;
  timer = job: {
    wantedBy = [ "timers.target" ];
    timerConfig = {
      OnCalendar = job.calendar;
      Persistent = true;
    };
  };
  jobs = import ./jobs.nix given {
    address = "${ollama.host}:${toString ollama.port}";
    program = lib.getExe ollama.package;
    renamed = unit: if isPull unit then "ollama-model-loader.service" else unit;
  };
in
{
  imports = [ ./plan.nix ];

  config.systemd = lib.mkIf (hw.isServed config) {
    services = removeAttrs jobs (map (job: job.name) pulls);
    timers = lib.listToAttrs (map (job: lib.nameValuePair job.name (timer job)) timed);
  };
}
