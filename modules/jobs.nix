# The jobs beside the server, as services: models to pull and to make, and warm-up. For NixOS and
# for system-manager, which differ in the program, its address, and `loader`: the unit that pulls
# models there, null for one of ours.
{
  address,
  cfg,
  lib,
  loader ? null,
  pkgs,
  program,
  utils,
}:
let
  escape = utils.escapeSystemdExecArgs;
  modelfile = import ./modelfile.nix { inherit lib; };
  server = "ollama.service";

  names = lib.unique (map (model: model.name) cfg.models);
  created = lib.filter (model: model.serveAs != null) cfg.models;
  pulls = names != [ ] && loader == null;
  pulled = if pulls then [ "ollama-pull.service" ] else lib.optional (names != [ ]) loader;

  # In a script $0 is the program, the arguments are models.
  script =
    text: models:
    escape (
      [
        "/bin/sh"
        "-c"
        text
        program
      ]
      ++ models
    );
  # Waits until the server answers; the unit's timeout bounds it.
  answers = script "until \"$0\" list >/dev/null 2>&1; do sleep 1; done" [ ];
  # A registry out of reach fails nothing that is there.
  fetch = name: script "\"$0\" show \"$1\" >/dev/null 2>&1 || \"$0\" pull \"$1\"" [ name ];
  create =
    model:
    escape [
      program
      "create"
      model.serveAs
      "-f"
      "${pkgs.writeText "Modelfile" (modelfile model.name model.parameters)}"
    ];
  # One command for all models, because systemd bounds each command on its own.
  load = script "for model; do until \"$0\" show \"$model\" >/dev/null 2>&1; do sleep 5; done; \"$0\" run \"$model\" </dev/null || echo \"cannot load $model\"; done" cfg.warmup.models;

  job =
    {
      description,
      after,
      config,
      wants ? [ ],
    }:
    {
      inherit description wants;
      after = [ server ] ++ after;
      partOf = [ server ];
      wantedBy = [ server ];
      environment = {
        HOME = "/tmp";
        OLLAMA_HOST = address;
      };
      serviceConfig = {
        Type = "oneshot";
        DynamicUser = true;
        ExecStartPre = [ answers ];
        Restart = "on-failure";
        RestartSec = 30;
      }
      // config;
    };
in
lib.optionalAttrs pulls {
  ollama-pull = job {
    description = "Pull the models of this host";
    after = [ "network-online.target" ];
    wants = [ "network-online.target" ];
    config.ExecStart = map fetch names;
  };
}
// lib.optionalAttrs (created != [ ]) {
  ollama-create = job {
    description = "Create the tuned models of this host";
    after = pulled;
    config.ExecStart = map create created;
  };
}
// lib.optionalAttrs cfg.warmup.enable {
  ollama-warmup = job {
    description = "Load models into memory";
    after = pulled ++ lib.optional (created != [ ]) "ollama-create.service";
    config = {
      ExecStart = [ load ];
      TimeoutStartSec = cfg.warmup.timeoutSeconds;
    };
  };
}
