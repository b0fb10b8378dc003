# Service units as nixos/lib/systemd-*.nix has them: `service`, a module with their options and
# upstream's types, and `text`, the file that becomes of one. Our own words, for the stand-ins of
# NixOS and of system-manager, which both take them from there.
{ lib }:
let
  inherit (lib) mkOption types;
  inherit (types)
    attrsOf
    bool
    int
    lines
    listOf
    nullOr
    oneOf
    package
    path
    raw
    str
    ;
  option = type: default: mkOption { inherit type default; };

  # A list anywhere makes all definitions add up; plain values must agree.
  unitValue = lib.mkOptionType {
    name = "systemd option";
    merge =
      loc: defs:
      if lib.any (d: lib.isList d.value) defs then
        lib.concatMap (d: lib.toList d.value) defs
      else
        lib.mergeEqualOption loc defs;
  };
  restarts = [
    "no"
    "on-success"
    "on-failure"
    "on-abnormal"
    "on-abort"
    "always"
  ];
  kinds = [
    "exec"
    "simple"
    "forking"
    "oneshot"
    "dbus"
    "notify"
    "notify-reload"
    "idle"
  ];
  serviceSection = types.addCheck (attrsOf unitValue) (
    section:
    lib.all
      (
        key:
        !(lib.isString (section.${key} or null))
        ||
          lib.elem section.${key}
            {
              Restart = restarts;
              Type = kinds;
            }
            .${key}
      )
      [
        "Restart"
        "Type"
      ]
  );
  unitName = types.strMatching "[a-zA-Z0-9@%:_.\\-]+[.](service|socket|device|mount|automount|swap|target|path|timer|scope|slice)";
  unitNames = option (listOf unitName) [ ];
  relations = {
    after = "After";
    before = "Before";
    bindsTo = "BindsTo";
    conflicts = "Conflicts";
    onFailure = "OnFailure";
    partOf = "PartOf";
    requires = "Requires";
    requisite = "Requisite";
    wants = "Wants";
  };
  service.options = lib.mapAttrs (_: _: unitNames) relations // {
    wantedBy = unitNames;
    requiredBy = unitNames;
    enable = option bool true;
    description = option str "";
    environment = option (attrsOf (
      nullOr (oneOf [
        str
        path
        package
      ])
    )) { };
    path = option (listOf (oneOf [
      package
      str
    ])) [ ];
    serviceConfig = option serviceSection { };
    unitConfig = option (attrsOf unitValue) { };
    startLimitBurst = option (nullOr int) null;
    startLimitIntervalSec = option (nullOr int) null;
    restartIfChanged = option bool true;
    stopIfChanged = option bool true;
    restartTriggers = option (listOf raw) [ ];
    script = option lines "";
    preStart = option lines "";
    postStart = option lines "";
    preStop = option lines "";
    postStop = option lines "";
  };

  # NixOS prints a value as JSON does, leaves `%` alone, and sorts by key.
  scalar = value: if lib.isBool value then lib.boolToString value else toString value;
  section =
    attrs:
    lib.concatStrings (
      lib.mapAttrsToList (
        key: value: lib.concatMapStringsSep "" (item: "${key}=${scalar item}\n") (lib.toList value)
      ) attrs
    );
  variable = name: value: "Environment=${builtins.toJSON "${name}=${toString value}"}\n";
  hooks = {
    script = "ExecStart";
    preStart = "ExecStartPre";
    postStart = "ExecStartPost";
    preStop = "ExecStop";
    postStop = "ExecStopPost";
  };
  # A hash, where NixOS has the path of a file with them.
  triggers =
    service:
    lib.optionalAttrs (service.restartTriggers != [ ]) {
      X-Restart-Triggers = builtins.hashString "sha256" (toString service.restartTriggers);
    };
  text =
    name: service:
    let
      filled = lib.filterAttrs (_: value: value != [ ] && value != "" && value != null);
      related = lib.mapAttrs' (option: key: {
        name = key;
        value = lib.concatStringsSep " " service.${option};
      }) relations;
      head = filled (
        related
        // {
          Description = service.description;
          StartLimitBurst = service.startLimitBurst;
          StartLimitIntervalSec = service.startLimitIntervalSec;
        }
      );
      scripted = lib.mapAttrs' (hook: key: {
        name = key;
        value = "${builtins.storeDir}/00000000000000000000000000000000-${name}-${hook}/bin/${hook}";
      }) (lib.filterAttrs (hook: _: service.${hook} != "") hooks);
      variables = lib.filterAttrs (_: value: value != null) service.environment;
    in
    "[Unit]\n${section (head // triggers service // service.unitConfig)}\n[Service]\n"
    + lib.optionalString (!service.restartIfChanged) "X-RestartIfChanged=false\n"
    + lib.concatStrings (lib.mapAttrsToList variable variables)
    + section (scripted // service.serviceConfig);
in
{
  inherit service text;
}
