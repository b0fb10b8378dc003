# Written by Hostwright's `gen fleet`, the same for every fleet; edit the fleet file.
# The hosts by name: `nixos`, and the `others`. Each is read when it is asked for, and with it a few
# others at most: the file that it has its line in, and what all hosts of its profile have.
{ lib }:
let
  fleet = lib.importJSON ./fleet.json;
  filesIn =
    folder: lib.mapAttrs (file: _: lib.importJSON (folder + "/${file}")) (builtins.readDir folder);

  files = filesIn ./hosts;

  # A list of one stands for what is there instead, a set for what differs in it, by key or position.
  patched =
    old: change:
    if lib.isList change then
      lib.head change
    else if lib.isList old then
      lib.genList (
        at:
        let
          key = toString at;
          item = lib.elemAt old at;
        in
        if change ? ${key} then patched item change.${key} else item
      ) (lib.length old)
    else
      old // lib.mapAttrs (key: patched old.${key}) change;

  hostsOf =
    target:
    let
      profiles = filesIn (./profiles + "/${target}");
      # A Plan, or the files of a bundle.
      contentOf = own: own.whole or (patched profiles."${own.profile}.json" (own.change or { }));
    in
    # Nothing is made of a host that is not asked for.
    lib.mapAttrs (
      name: file:
      let
        own = files."${file}.json".${name};
      in
      own // { content = contentOf own; }
    );
  byTarget = lib.mapAttrs hostsOf fleet.hosts;
in
{
  inherit (byTarget) nixos;
  others = lib.foldl' (all: target: all // byTarget.${target}) { } (
    lib.attrNames (removeAttrs byTarget [ "nixos" ])
  );
  inherit (fleet) outputs rollout;
}
