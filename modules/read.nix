# A profile as its Plans, newest first: those of a shipped one, or the only one, in a file or given
# as data. One of another schema version is refused; whether it is sound, `gen check` says (see the
# option checkPlan).
{ lib }:
let
  schemaVersion = 2;
  write = "write one with `gen plan PROFILE > plan.json`";
  again = "write it again with `gen plan`, of the release that these modules are of";

  refuse = told: throw "hostwright.profile: ${told}";
  checked =
    source: data:
    let
      version = if lib.isAttrs data then data.schema_version or null else null;
    in
    if version == schemaVersion then
      data
    else if version == null then
      refuse "${source} is no plan, for it has no `schema_version`; ${write}"
    else
      refuse "${source} is of schema version ${builtins.toJSON version}, and these modules read ${toString schemaVersion}; ${again}";

  fromFile =
    file:
    let
      source = toString file;
      content = builtins.readFile file;
    in
    if !builtins.pathExists file then
      refuse "there is no file ${source}; ${write}, and in a flake add it to git"
    else if !lib.hasPrefix "{" content then
      refuse "${source} is no plan, for it is not JSON; ${write}"
    else
      # What is broken in it only Nix's own parser tells.
      checked source (
        builtins.addErrorContext "hostwright.profile: ${source} is not JSON; ${again}" (
          builtins.fromJSON content
        )
      );

  # Older than every release: it counts for all.
  only = plan: [
    {
      inherit plan;
      since = "";
    }
  ];
in
profile:
if lib.isAttrs profile && !(profile ? outPath) then
  only (checked "this" profile)
else if lib.isString profile && !lib.hasPrefix "/" profile then
  (import ./shipped.nix { inherit lib; }).plans profile
else
  only (fromFile profile)
