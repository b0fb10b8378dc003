# Secrets by reference: files of variables, and files that the server alone may read. What a variable
# holds is in the unit, and that is in the store of Nix, which every user reads.
{
  config,
  lib,
  options,
  ...
}:
let
  cfg = config.hostwright;
  hw = import ./lib.nix { inherit lib; };
  inherit (hw) secrets;
  own = import ./types.nix { inherit lib; };
  inherit (own) profiled optional;
  service = cfg.planned;
  credentials = lib.listToAttrs (
    map (one: lib.nameValuePair one.name { inherit (one) path encrypted; }) (service.credentials or [ ])
  );
  ends = text: lib.any (ending: lib.hasSuffix "_${ending}" text);
  saysSecret =
    name:
    let
      words = "_${lib.toUpper name}";
    in
    (ends words secrets.endings || lib.any (part: lib.hasInfix part words) secrets.parts)
    && !ends words secrets.elsewhere;
  # A path, a reference or a specifier is none.
  isLiteral =
    value:
    builtins.match "([$/~<@]|%[a-zA-Z]|file:).*" value == null
    && !lib.elem (lib.toLower value) ([ "" ] ++ secrets.stand_ins);
  hasPassword =
    value:
    builtins.match "[A-Za-z][A-Za-z0-9+.-]*://[^/@[:space:]:$]*:[^/@[:space:]$]+@.*" value != null;
  reveals = name: value: hasPassword value || saysSecret name && isLiteral value;
  # Those of the profile have been judged.
  ofProfile = lib.listToAttrs (
    map (item: lib.nameValuePair item.name item.value) service.environment
  );
  isOwn = name: value: (ofProfile.${name} or null) != value;
  inherit (import ./environment.nix { inherit config lib; }) inEffect option;
  # Without what systemd does to `%`.
  literal = lib.mapAttrs (_: lib.replaceStrings [ "%%" ] [ "%" ]) inEffect;
  revealed = lib.attrNames (
    lib.filterAttrs (name: value: isOwn name value && reveals name value) literal
  );
in
{
  imports = [ ./enable.nix ];

  options.hostwright.service = {
    environmentFiles = profiled (service.environment_files or [ ]) (lib.types.listOf own.secretFile) {
      description = "Files on the host with variables that stand in no output, as tokens; they win over `settings`. Yours take the place of the profile's. Each must be there when the server starts.";
      example = lib.literalExpression "[ config.sops.secrets.ollama.path ]";
    };
    credentials = lib.mapAttrs (
      name: known:
      optional (credentials.${name} or null) own.credential {
        description = known.reason;
        example = lib.literalExpression "config.age.secrets.ollama.path";
      }
    ) hw.secrets.credentials;
  };

  # Where nothing has assertions, the options are only being documented.
  config = lib.optionalAttrs (options ? assertions) (
    lib.mkIf (hw.isServed config) {
      hostwright.settings = lib.listToAttrs (
        map (
          one: lib.nameValuePair one.variable (lib.mkDefault "/run/credentials/ollama.service/${one.name}")
        ) (lib.filter (one: one.variable != "") (hw.handed cfg))
      );
      assertions = map (name: {
        assertion = false;
        message = "${option name} holds a secret, which would be in the store of Nix, where every user reads it; write it into a file of its own, and name that in hostwright.service.environmentFiles.";
      }) revealed;
    }
  );
}
