# The drop-in for a distribution's `ollama.service`: the Plan with what the host has changed of it.
{
  address,
  cfg,
  lib,
  utils,
}:
let
  inherit (cfg) plan service;
  inherit (service) devices;
  hw = import ./lib.nix { inherit lib; };
  unit = import ./unit.nix { inherit lib; };
  optional = value: make: if value == null then [ ] else [ (make value) ];
  plain = key: value: unit.entry key value "";

  # A reason of the Plan is one for the Plan's value only.
  limit =
    item:
    let
      value = cfg.resources.${hw.limits.${item.name}.option};
      isPlanned = toString value == item.written;
    in
    optional value (
      value: unit.entry item.directive value (lib.optionalString isPlanned item.reason)
    );
  # What the host limits and the profile does not.
  unplanned = map (name: {
    inherit name;
    directive = hw.limits.${name}.key;
    written = null;
  }) (lib.attrNames (removeAttrs hw.limits (map (item: item.name) service.limits)));

  setting =
    item:
    optional (cfg.settings.${item.name} or null) (
      value:
      unit.variable item.name value (
        lib.optionalString (value == item.value) item.reason
      )
    );
  added = removeAttrs cfg.settings (map (item: item.name) service.environment);
  given = name: value: optional value (value: unit.variable name value "");

  access = map (item: unit.entry item.name item.value item.reason) devices.access;
  wait = step: unit.entry "ExecStartPre" (utils.escapeSystemdExecArgs step.argv) devices.reason;

  sections = [
    {
      name = "Unit";
      entries = lib.optionals (service.after != [ ]) [
        (unit.entry "After" (toString service.after) "What the server needs is started before it.")
        (plain "Wants" (toString service.after))
      ];
    }
    {
      name = "Service";
      entries =
        lib.optionals (devices != null) (access ++ optional devices.wait wait)
        ++ lib.concatMap limit (service.limits ++ unplanned)
        ++ optional (if service.home == "" then null else service.home) (
          home: unit.variable "HOME" home "Where the server keeps its keys."
        )
        ++ [
          (unit.variable "OLLAMA_HOST" address (
            lib.optionalString (cfg.exposure.host == service.listen.host) service.listen.reason
          ))
        ]
        ++ optional cfg.modelsDir (
          path: unit.variable "OLLAMA_MODELS" path "Where models are stored."
        )
        ++ lib.concatMap setting (hw.settings service)
        ++ lib.concatLists (lib.mapAttrsToList given added)
        ++ optional cfg.user (
          user: unit.entry "User" (unit.verbatim user) "Owns the models and the keys."
        )
        ++ optional cfg.group (group: plain "Group" (unit.verbatim group))
        ++ [
          (unit.entry "Restart" service.restart.policy service.restart.reason)
          (plain "RestartSec" service.restart.seconds)
        ];
    }
  ];
  header = plan.header ++ map (omission: omission.reason) service.omissions;
in
{
  text = unit.file header sections;
  # What the server sees of it: a reason in other words restarts nothing.
  lines = lib.concatMap (section: map (entry: entry.line) section.entries) sections;
}
