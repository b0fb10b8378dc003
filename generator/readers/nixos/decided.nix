# `config` as the module may ask for it: its own definitions over the defaults of options.
{ lib, kind, isTable, discharge }:
let
  inherit (builtins) all concatMap filter foldl' map mapAttrs;

  pushDown =
    value:
    let
      into = wrap: map (mapAttrs (_: wrap)) (pushDown value.content);
    in
    {
      merge = concatMap pushDown value.contents;
      "if" = into (lib.mkIf value.condition);
      order = pushDown value.content;
      override = into (lib.mkOverride value.priority);
    }
    .${kind value} or [ value ];
  # Conditions may ask for `config` themselves, so that they are not looked at here.
  holdsTable =
    it: if kind it == "" then isTable it else all holdsTable (it.contents or [ it.content ]);
  decided =
    default: defined:
    let
      sets = concatMap pushDown defined;
      base = if isTable default then default else { };
      under = name: map (set: set.${name}) (filter (set: set ? ${name}) sets);
      found = concatMap (discharge { priority = 100; }) defined;
      stronger = a: b: if b.priority < a.priority then b else a;
    in
    if defined != [ ] && all holdsTable defined then
      base // mapAttrs (n: _: decided (base.${n} or null) (under n)) (foldl' lib.both { } sets)
    else
      (foldl' stronger { priority = 9999; value = default; } found).value;
in
decided
