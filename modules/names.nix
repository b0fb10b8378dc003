# The variables of `hostwright.settings` that the profile's release does not read: for each a warning
# that says what to use. `names.json` is generated from the facts of the generator, and read only
# where a host sets a name that its profile does not.
{ lib }:
cfg:
let
  inherit (cfg.service) release;
  unset = lib.attrNames (lib.filterAttrs (_: value: value == null) cfg.settings);
  added = lib.attrNames (
    removeAttrs cfg.settings (unset ++ map (item: item.name) cfg.service.environment)
  );
  groups = lib.importJSON ./names.json;

  # What a name is set by here, by the profile's key for the same.
  options = {
    "ollama.acceleration" = "hostwright.acceleration";
    "ollama.host" = "hostwright.exposure";
    "ollama.models_dir" = "hostwright.modelsDir";
    "resources.memory_max" = "hostwright.resources.memoryMax";
    "warmup.enable" = "hostwright.warmup";
  }
  // lib.optionalAttrs (cfg.service.threads != 0) { "threads.count" = "hostwright.threads"; };

  # Nobody but Ollama and its llama-server has these.
  isOurs = name: lib.hasPrefix "OLLAMA_" name || lib.hasPrefix "LLAMA_ARG_" name;
  negative = lib.replaceStrings [ "LLAMA_ARG_" ] [ "LLAMA_ARG_NO_" ];
  knows =
    name: group:
    lib.elem name (group.names ++ lib.optionals (group.switch or false) (map negative group.names));

  why =
    group:
    if !(group ? since) then
      "does nothing, for no release of Ollama reads it"
    else if lib.versionOlder release group.since then
      "does nothing before Ollama ${group.since}, and the profile is for ${release}"
    else if group ? until && lib.versionAtLeast release group.until then
      "does nothing since Ollama ${group.until}, and the profile is for ${release}"
    else
      null;

  instead =
    group:
    let
      uses = lib.filter (use: lib.versionAtLeast release use.since) (group.use or [ ]);
      inherit (lib.last uses) text;
      nothing = builtins.match "nothing(.*)" text;
      option = options.${group.intent or ""} or null;
    in
    if option != null then
      "set ${option} instead"
    else if uses == [ ] then
      "take it out"
    else if nothing != null then
      "take it out${lib.head nothing}"
    else
      "use ${text}";

  told =
    name:
    let
      found = lib.filter (knows name) groups;
      group = lib.head found;
      warning = text: [ "hostwright.settings.${name} ${text}." ];
    in
    if found != [ ] then
      lib.optionals (why group != null) (warning "${why group}; ${instead group}")
    else if isOurs name then
      warning "does nothing, for Ollama has no variable of that name; correct it, or take it out"
    else
      [ ];
in
lib.concatMap told added
