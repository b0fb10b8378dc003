# The drop-in for a distribution's `ollama.service`: the Plan with what the host has changed of it.
{
  config,
  lib,
  pkgs,
  utils,
  ...
}:
address:
let
  cfg = config.hostwright;
  inherit (cfg) plan;
  service = cfg.planned;
  hw = import ./lib.nix { inherit lib; };
  devices = hw.devices cfg;
  command = hw.command { inherit pkgs utils; } service.name;

  entry = key: value: reason: {
    inherit reason;
    line = "${key}=${toString value}";
  };
  plain = lib.mapAttrsToList (key: value: entry key value "");

  # Values in the order of the Plan, then the host's own. A reason is one for the Plan's value only.
  merged =
    key: written: items: values: line:
    let
      planned = lib.listToAttrs (map (item: lib.nameValuePair item.${key} item) items);
      reason =
        name:
        lib.optionalString (
          planned ? ${name} && planned.${name}.${written} == toString values.${name}
        ) planned.${name}.reason;
      names = lib.unique (map (item: item.${key}) items ++ lib.attrNames values);
    in
    map (name: line name values.${name} (reason name)) (lib.filter (name: values ? ${name}) names);

  environment = hw.given (
    {
      HOME = if service.home == "" then null else service.home;
      OLLAMA_HOST = address;
      OLLAMA_MODELS = cfg.ollama.modelsDir;
    }
    // cfg.settings
  );
  # As NixOS writes it.
  variable = name: value: entry "Environment" (builtins.toJSON (hw.percent "${name}=${value}"));

  order = lib.optionals (service.after != [ ]) (plain {
    After = service.after;
    Wants = service.after;
  });
  access = lib.optionals (devices != null) (
    map (item: entry item.name (hw.percent item.value) item.reason) devices.access
    ++ lib.optional (service.cache or "" != "") (
      entry "CacheDirectory" (baseNameOf service.cache) ""
    )
    ++ lib.optional (devices.wait != null) (
      entry "ExecStartPre" (command devices.wait.argv) devices.reason
    )
  );
  server =
    access
    ++ merged "directive" "written" service.limits (hw.limits cfg) entry
    ++ merged "name" "value" service.environment environment variable
    ++ lib.concatLists (
      lib.mapAttrsToList (key: map (value: entry key value "")) (hw.handing command cfg)
    )
    ++ plain (
      hw.given {
        User = cfg.service.user;
        Group = cfg.service.group;
      }
    )
    ++ [ (entry "Restart" service.restart.policy service.restart.reason) ]
    ++ plain { RestartSec = service.restart.seconds; };

  oneLine = lib.replaceStrings [ "\n" "\r" ] [ " " " " ];
  comment = text: lib.optionalString (text != "") "# ${oneLine text}\n";
  section =
    name: entries:
    lib.optionalString (entries != [ ]) "\n[${name}]\n"
    + lib.concatMapStrings (entry: "${comment entry.reason}${entry.line}\n") entries;
in
{
  text =
    lib.concatMapStrings comment (plan.header ++ map (omission: omission.reason) service.omissions)
    + section "Unit" order
    + section "Service" server;
  # What the server sees of it: a reason in other words restarts nothing.
  lines = map (entry: entry.line) (order ++ server);
}
