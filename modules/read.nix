# A profile as a Plan: shipped, in a file, or given as data. What is no plan is refused by name.
{ lib }:
let
  schemaVersion = 1;
  write = "write one with `gen plan PROFILE > plan.json`";
  again = "write it again with `gen plan`";
  faultsOf = import ./plan-shape.nix { inherit lib; };

  checked =
    source: data:
    let
      version = data.schema_version or null;
      faults = faultsOf data;
      refuse = told: throw "hostwright.profile: ${source} ${told}";
    in
    if !lib.isAttrs data || !(data ? schema_version) then
      refuse "is no plan, for it has no `schema_version`; ${write}"
    else if version != schemaVersion then
      refuse "has schema version ${builtins.toJSON version}, and these modules read ${toString schemaVersion}; ${again}, of the release that the modules are of"
    else if faults != [ ] then
      refuse "is not whole: ${lib.concatStringsSep ", " faults}; ${again}"
    else
      data;

  fromFile =
    file:
    let
      source = toString file;
      content = builtins.readFile file;
      isTable = builtins.match "[[:space:]]*[{].*" (builtins.substring 0 64 content) != null;
    in
    if !builtins.pathExists file then
      throw "hostwright.profile: there is no file ${source}; write it with `gen plan PROFILE > plan.json`, and in a flake add it to git"
    else if !isTable then
      throw "hostwright.profile: ${source} is no plan, for it is not JSON; ${write}"
    else
      checked source (
        builtins.addErrorContext "hostwright.profile: ${source} is not JSON; ${again}" (
          builtins.fromJSON content
        )
      );
in
profile:
if lib.isAttrs profile && !(profile ? outPath) then
  checked "this" profile
else if lib.isString profile && !lib.hasPrefix "/" profile then
  lib.importJSON (./plans + "/${profile}.json")
else
  fromFile profile
