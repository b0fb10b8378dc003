# What several modules share: a Plan's words, in NixOS's.
{ lib }:
rec {
  # Whether there is a server: the host may have switched that of NixOS off. What hangs on it, hangs
  # on this; only `services.ollama` itself cannot.
  isServed = config: config.hostwright.enable && config.services.ollama.enable or true;

  # systemd expands `%`, and NixOS escapes everything else.
  percent = lib.replaceStrings [ "%" ] [ "%%" ];

  # Up to NixOS 26.05 it is called `models`, for which newer ones warn.
  modelsDir = options: if options.services.ollama ? modelsDir then "modelsDir" else "models";

  # Up to NixOS 25.11 an option, not the package, picks the backend.
  hasAcceleration =
    options:
    options.services.ollama ? acceleration && (options.services.ollama.acceleration.visible or true);

  # A command of the Plan; lines of a shell are a script of that name in the store. What an older
  # release has written stays as it is.
  command =
    { pkgs, utils }:
    name: argv:
    let
      shell = [
        "/bin/sh"
        "-c"
      ];
      given = lib.drop 3 argv;
      isScript = lib.take 2 argv == shell && (given == [ ] || lib.head given == "sh");
      script = pkgs.writeShellScript name (builtins.elemAt argv 2);
    in
    if !isScript then
      utils.escapeSystemdExecArgs argv
    else
      toString ([ script ] ++ map (word: utils.escapeSystemdExecArgs [ word ]) (lib.drop 1 given));

  inherit (import ./refusals.nix { inherit lib; }) refusals told;

  # What a directive says, as a list of its words.
  listed = value: lib.concatMap (one: lib.splitString " " (toString one)) (lib.toList value);

  bracketed = host: if lib.hasInfix ":" host then "[${host}]" else host;

  given = lib.filterAttrs (_: value: value != null);

  # The variables that have an option or a key of their own, and where they are set instead.
  places = {
    HOME = "service.home in the profile";
    OLLAMA_HOST = "hostwright.ollama.host";
    OLLAMA_MODELS = "hostwright.ollama.modelsDir";
  };
  settings =
    service: lib.filter (item: !(places ? ${item.name} || isTold item.name)) service.environment;

  # What only the server may read, see secrets.nix; the variables that tell it where follow from that.
  secrets = lib.importJSON ./secrets.json;
  isTold = name: lib.any (known: known.variable == name) (lib.attrValues secrets.credentials);
  handed =
    cfg:
    lib.mapAttrsToList (
      name: value:
      secrets.credentials.${name}
      // (if lib.isString value then { path = value; } else value)
      // {
        inherit name;
      }
    ) (given cfg.service.credentials);
  # The directives of `[Service]` that hand them to the server, each a list.
  handing =
    escape: cfg:
    let
      credentials = handed cfg;
      isSealed = one: one.encrypted or false;
      load = map (one: percent "${one.name}:${one.path}");
      steps =
        name: map (one: escape one.${name}.argv) (lib.filter (one: one.${name} != null) credentials);
    in
    lib.filterAttrs (_: values: values != [ ]) {
      EnvironmentFile = map percent cfg.service.environmentFiles;
      LoadCredential = load (lib.filter (one: !isSealed one) credentials);
      LoadCredentialEncrypted = load (lib.filter isSealed credentials);
      ExecStartPre = steps "link";
      ExecStopPost = steps "unlink";
    };

  # The options of `hostwright.resources`, and the directives that they are in a unit.
  resources = lib.importJSON ./limits.json;
  limits =
    cfg:
    given (
      lib.mapAttrs' (option: limit: lib.nameValuePair limit.directive cfg.resources.${option}) resources
    );

  # What the Plan has for them. A number stays one: `10` is none of the options' texts.
  planned =
    service:
    let
      value = item: if item.written == toString item.value then item.value else item.written;
    in
    lib.listToAttrs (map (item: lib.nameValuePair item.directive (value item)) service.limits);

  # The GPUs that the server may use; null where there are none, or the CPU computes.
  devices = cfg: if cfg.ollama.acceleration == "cpu" then null else cfg.planned.devices;

  # What NVIDIA's GPUs need of the driver; null without them. The package is made with it, so it
  # must not hang on the package.
  driver =
    cfg:
    if cfg.enable && cfg.ollama.acceleration == "cuda" && cfg.newest.devices != null then
      cfg.newest.devices.driver
    else
      null;
}
