# The jobs beside the server: models of one's own, and warm-up.
{
  config,
  lib,
  pkgs,
  utils,
  ...
}:
let
  inherit (lib) mkIf;
  cfg = config.hostwright;
  escape = utils.escapeSystemdExecArgs;
  ollama = lib.getExe config.services.ollama.package;
  server = "ollama.service";
  loader = "ollama-model-loader.service";

  created = lib.filter (model: model.serveAs != null) cfg.models;
  line = parameter: "PARAMETER ${parameter.name} ${parameter.value}\n";
  modelfile =
    model:
    pkgs.writeText "Modelfile" ("FROM ${model.name}\n" + lib.concatMapStrings line model.parameters);
  create =
    model:
    escape [
      ollama
      "create"
      model.serveAs
      "-f"
      "${modelfile model}"
    ];

  # Waits until the server answers; the unit's timeout bounds it.
  answers = escape [
    "/bin/sh"
    "-c"
    "until \"$0\" list >/dev/null 2>&1; do sleep 1; done"
    ollama
  ];
  # One command for all models, because systemd bounds each command on its own.
  load = escape (
    [
      "/bin/sh"
      "-c"
      "for model; do until \"$0\" show \"$model\" >/dev/null 2>&1; do sleep 5; done; \"$0\" run \"$model\" </dev/null || echo \"cannot load $model\"; done"
      ollama
    ]
    ++ cfg.warmup.models
  );
  client = {
    partOf = [ server ];
    wantedBy = [ server ];
    environment = {
      HOME = "/tmp";
      OLLAMA_HOST = "${config.services.ollama.host}:${toString config.services.ollama.port}";
    };
  };
  oneshot = config: {
    Type = "oneshot";
    DynamicUser = true;
    ExecStartPre = [ answers ];
  } // config;
in
{
  config = mkIf cfg.enable {
    systemd.services = {
      ollama-create = mkIf (created != [ ]) (
        client
        // {
          description = "Create the tuned models of this host";
          after = [
            server
            loader
          ];
          serviceConfig = oneshot {
            ExecStart = map create created;
            Restart = "on-failure";
            RestartSec = 30;
          };
        }
      );

      ollama-warmup = mkIf cfg.warmup.enable (
        client
        // {
          description = "Load models into memory";
          after = [
            server
            loader
          ]
          ++ lib.optional (created != [ ]) "ollama-create.service";
          serviceConfig = oneshot {
            ExecStart = [ load ];
            TimeoutStartSec = cfg.warmup.timeoutSeconds;
            Restart = "on-failure";
            RestartSec = 30;
          };
        }
      );
    };
  };
}
