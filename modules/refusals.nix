# What hosts are refused for, in the words of the generator: `refusals.json` is generated of them.
{ lib }:
rec {
  refusals = lib.importJSON ./refusals.json;

  # A sentence, with what is found in its places.
  told =
    sentence: found:
    let
      places = map (name: "{${name}}") (lib.attrNames found);
    in
    lib.replaceStrings places (lib.attrValues found) refusals.told.${sentence};
}
