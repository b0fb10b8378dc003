# The variables that the server gets, whoever has set them: of names that its release does not read
# the host is told, and values that it cannot read are refused.
{ config, lib, ... }:
let
  cfg = config.hostwright;
  inherit (cfg) release;
  hw = import ./lib.nix { inherit lib; };
  inherit (import ./environment.nix { inherit config lib; }) inEffect option;

  # What the profile itself sets under a name that does nothing, it has said for which reason.
  added = removeAttrs inEffect (map (item: item.name) cfg.planned.environment);
  fault = import ./names.nix { inherit lib; } {
    inherit release;
    hasThreads = cfg.planned.threads != 0;
  };
  idle = lib.filter (name: fault name != null) (lib.attrNames added);

  # Generated from the facts of the generator. What the profile silences there is silent here.
  silenced = map (silence: silence.rule) cfg.plan.silences;
  kinds = lib.filter (kind: lib.versionAtLeast release kind.since && !lib.elem kind.rule silenced) (
    lib.importJSON ./values.json
  );
  isRead = kind: value: if value == "" then kind.empty else builtins.match kind.pattern value != null;
  misread = lib.concatMap (
    kind:
    map (name: { inherit kind name; }) (
      lib.filter (name: inEffect ? ${name} && !isRead kind inEffect.${name}) kind.names
    )
  ) kinds;
  written = value: if value == "" then "empty" else "`${value}`";
  nameless = lib.filter (name: builtins.match "[A-Za-z_][A-Za-z0-9_]*" name == null) (
    lib.attrNames inEffect
  );
in
{
  imports = [ ./options.nix ];

  config = lib.mkIf (hw.isServed config) {
    warnings = map (name: "${option name} ${fault name}.") idle;

    assertions =
      map (
        { kind, name }:
        {
          assertion = false;
          message = "${option name} is ${written inEffect.${name}}, ${kind.told}; ${kind.use}.";
        }
      ) misread
      ++ map (name: {
        assertion = false;
        message = "${option name}: systemd drops a variable of such a name; use letters, digits and `_` alone.";
      }) nameless;
  };
}
