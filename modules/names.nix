# What is told of a variable whose name the server's release does not read, with what to use instead;
# null of others. `hasThreads` says that there is an option for them. `names.json` is generated from
# the facts of the generator.
{ lib }:
{ release, hasThreads }:
let
  groups = lib.importJSON ./names.json;

  # What a name is set by here, by the profile's key for the same.
  options = {
    "ollama.acceleration" = "hostwright.ollama.acceleration";
    "ollama.host" = "hostwright.ollama.host";
    "ollama.models_dir" = "hostwright.ollama.modelsDir";
    "resources.memory_max" = "hostwright.resources.memoryMax";
    "warmup.enable" = "hostwright.warmup";
  }
  // lib.optionalAttrs hasThreads { "threads.count" = "hostwright.threads.count"; };

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
      "does nothing before Ollama ${group.since}, and this is ${release}"
    else if group ? until && lib.versionAtLeast release group.until then
      "does nothing since Ollama ${group.until}, and this is ${release}"
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
in
name:
let
  found = lib.filter (knows name) groups;
  group = lib.head found;
in
if found != [ ] then
  if why group == null then null else "${why group}; ${instead group}"
else if isOurs name then
  "does nothing, for Ollama has no variable of that name; correct it, or take it out"
else
  null
