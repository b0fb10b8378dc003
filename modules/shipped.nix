# The shipped profiles: their names, and the plans of each, newest first, with the release of Ollama
# from which on it counts.
{ lib }:
let
  folder = ./plans;
  entries = builtins.readDir folder;
  names = lib.filter (name: entries.${name} == "directory") (lib.attrNames entries);
  profiles = map (lib.removeSuffix ".json") (
    lib.filter (lib.hasSuffix ".json") (lib.attrNames entries)
  );
  earlier = lib.sort (a: b: lib.versionOlder b a) names;
in
{
  names = profiles;
  # Those with one server: the options of `hostwright` are about one.
  alone = lib.filter (
    name: lib.length (lib.importJSON (folder + "/${name}.json")).services == 1
  ) profiles;

  plans =
    name:
    let
      plan = lib.importJSON (folder + "/${name}.json");
    in
    [
      {
        inherit plan;
        since = (lib.head plan.services).era_since;
      }
    ]
    ++ map (since: {
      inherit since;
      plan = lib.importJSON (folder + "/${since}/${name}.json");
    }) earlier;
}
