# What no type can tell: values that the server or systemd would misread, and settings that would
# do nothing. Each message names the option and what to do.
{ config, lib, ... }:
let
  cfg = config.hostwright;
  hw = import ./lib.nix { inherit lib; };
  inherit (cfg) settings warmup;

  isBlank = value: builtins.match "[[:space:]]*" value != null;
  isName = name: builtins.match "[A-Za-z_][A-Za-z0-9_]*" name != null;
  isDuration =
    text: builtins.match "[-+]?([0-9]+|(([0-9]+\\.?[0-9]*|\\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)" text != null;
  durations = [
    "OLLAMA_KEEP_ALIVE"
    "OLLAMA_LOAD_TIMEOUT"
  ];
  inHours =
    text:
    let
      days = builtins.match "([1-9][0-9]{0,4})d" text;
    in
    if days == null then "`90s`, `5m` or `24h`" else "`${toString (24 * lib.toInt (lib.head days))}h`";

  fault =
    name: value:
    if !isName name then
      "is no name of a variable; write letters, digits and `_`, not a digit first"
    else if value == null then
      null
    else if lib.hasPrefix "LLAMA_ARG_" name && isBlank value then
      "is empty, and llama-server exits on that; write null to unset it"
    else if lib.elem name durations && !isBlank value && !isDuration value then
      "is `${value}`, which is no Go duration, and the server would silently use its default; write ${inHours value}"
    else
      null;
  broken = lib.filter (name: fault name settings.${name} != null) (lib.attrNames settings);

  cache = settings.OLLAMA_KV_CACHE_TYPE or null;
  flash = settings.OLLAMA_FLASH_ATTENTION or null;
  isPlain = lib.elem cache [
    null
    ""
    "f16"
    "f32"
    "bf16"
  ];
  # What Go's strconv.ParseBool takes for false.
  isOff = lib.elem flash [
    "0"
    "f"
    "F"
    "false"
    "False"
    "FALSE"
  ];

  inherit (cfg.resources) memoryHigh memoryMax;

  # A name without a tag is `latest`.
  tagged =
    name: if lib.hasInfix ":" (lib.last (lib.splitString "/" name)) then name else "${name}:latest";
  present = map tagged (
    lib.concatMap (model: [ model.name ] ++ lib.optional (model.serveAs != null) model.serveAs) cfg.models
    ++ config.services.ollama.loadModels or [ ]
  );
  absent = lib.filter (name: !lib.elem (tagged name) present) warmup.models;
  # Where upstream's option is set instead of ours, that one counts.
  owner = config.services.ollama.user or cfg.user;
  home = config.services.ollama.home or cfg.service.home;
  isHoused = home != "" && lib.hasPrefix "${home}/" cfg.modelsDir;
  idle = import ./names.nix { inherit lib; } cfg;
  unused = lib.filter (model: model.parameters != [ ] && model.serveAs == null) cfg.models;
in
{
  imports = [ ./options.nix ];

  config = lib.mkIf cfg.enable {
    assertions =
      map (name: {
        assertion = false;
        message = "hostwright.settings.${name} ${fault name settings.${name}}.";
      }) broken
      ++ map (model: {
        assertion = false;
        message = "hostwright.models: `${model.name}` has parameters, which do nothing without a name to create it under; set its serveAs.";
      }) unused
      ++ [
        {
          assertion = isPlain || !isOff;
          message = "hostwright.settings.OLLAMA_KV_CACHE_TYPE is `${toString cache}`, which needs flash attention, and OLLAMA_FLASH_ATTENTION is `${toString flash}`; write null for one of them.";
        }
        {
          assertion =
            memoryHigh == null || memoryMax == null || hw.bytes memoryHigh <= hw.bytes memoryMax;
          message = "hostwright.resources.memoryHigh is ${toString memoryHigh}, above memoryMax, which is ${toString memoryMax}: the kernel would kill before it slows down; lower memoryHigh, or write null for one of them.";
        }
        {
          assertion = cfg.threads == null || cfg.service.threads != 0;
          message = "hostwright.threads: the profile sets no threads, so nothing carries this number; write `threads.count` into the profile.";
        }
        {
          assertion = cfg.modelsDir == null || owner != null || isHoused;
          message = "hostwright.modelsDir is ${toString cfg.modelsDir}, where a dynamic user cannot write; name the owner in hostwright.user.";
        }
        {
          assertion = !warmup.enable || warmup.models != [ ];
          message = "hostwright.warmup.enable: there is no model to load; name it in hostwright.warmup.models.";
        }
      ];

    warnings =
      idle
      ++ lib.optional (warmup.enable && absent != [ ]) "hostwright.warmup.models: nothing here brings ${lib.concatStringsSep ", " absent}, so the warm-up waits for it in vain; add it to hostwright.models, or set hostwright.warmup.enable = false.";
  };
}
