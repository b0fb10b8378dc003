# A profile as a Plan: shipped, in a file, or given as data. What is no plan is refused by name.
{ lib }:
let
  schemaVersion = 2;
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

  # Old releases of Nix tell it of the entries of a directory only, and not of those of the store.
  isDirectory =
    file:
    let
      folder = dirOf file;
      name = builtins.unsafeDiscardStringContext (baseNameOf file);
    in
    if builtins ? readFileType then
      builtins.readFileType file == "directory"
    else
      toString folder != builtins.storeDir && (builtins.readDir folder).${name} or "" == "directory";

  fromFile =
    file:
    let
      source = toString file;
      content = builtins.readFile file;
      size = builtins.stringLength content;
      begins = builtins.match "[[:space:]]*[{].*" (builtins.substring 0 64 content) != null;
      start = if size > 64 then size - 64 else 0;
      ends = builtins.match ".*[}][[:space:]]*" (builtins.substring start 64 content) != null;
      refuse = told: throw "hostwright.profile: ${told}";
    in
    if !builtins.pathExists file then
      refuse "there is no file ${source}; write it with `gen plan PROFILE > plan.json`, and in a flake add it to git"
    else if isDirectory file then
      refuse "${source} is a directory; name the file in it that `gen plan` has written"
    else if !begins then
      refuse "${source} is no plan, for it is not JSON; ${write}"
    else if !ends then
      refuse "${source} is no plan, for its end is missing; ${again}"
    else
      # What is broken between the two only Nix's own parser tells.
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
