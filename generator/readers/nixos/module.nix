# What a NixOS module says of Ollama, read without nixpkgs: each definition with its line.
#
# `mkIf`, `mkMerge` and priorities are undone; types are not checked, and imports not followed.
# `more` are names of packages that the module also asks for, `enabled` the paths of switches of
# other modules: they are on, as those of the module itself.
{ file, more, enabled }:
let
  inherit (builtins)
    all any attrNames concatMap elemAt filter foldl' functionArgs genList isAttrs isFunction isList
    isPath length map mapAttrs removeAttrs
    ;
  standIns = import ./standins.nix { inherit more; };
  inherit (standIns) lib;

  roots = [
    [ "services" "ollama" ]
    [ "systemd" "services" "ollama" ]
    [ "virtualisation" "oci-containers" "containers" ]
    [ "hardware" "nvidia" ]
    [ "networking" "firewall" ]
  ];
  toward = path: any (root: all (n: elemAt path n == elemAt root n) (common path root)) roots;
  common = a: b: genList lib.id (if length a < length b then length a else length b);

  kind = value: if isAttrs value then value._type or "" else "";
  isPackage = value: isAttrs value && value.type or "" == "derivation";
  isTable = value: isAttrs value && !isPackage value && kind value == "";

  # A definition freed of its properties: any number of `at`, each with a value.
  discharge =
    at: value:
    {
      merge = concatMap (discharge at) value.contents;
      "if" = if value.condition then discharge at value.content else [ ];
      order = discharge at value.content;
      override = discharge (at // { inherit (value) priority; }) value.content;
    }
    .${kind value} or [ (at // { inherit value; }) ];

  # Definitions as they are written: path, line, priority and value.
  definitions =
    at: value:
    concatMap (
      found:
      if isTable found.value && found.value != { } then
        concatMap (below found) (attrNames found.value)
      else
        [ (found // { value = shown found.value; }) ]
    ) (discharge at value);
  below =
    at: name:
    let
      path = at.path ++ [ name ];
      place = builtins.unsafeGetAttrPos name at.value;
      line = if place != null && place.file == file then place.line else at.line;
    in
    if toward path then definitions (at // { inherit path line; }) at.value.${name} else [ ];
  shown =
    value:
    if isPackage value then
      { package = value.pname; version = value.version or ""; }
    else if isList value then
      map shown value
    else if isAttrs value then
      mapAttrs (_: shown) value
    else if isFunction value then
      "<function>"
    else if isPath value then
      toString value
    else
      value;

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
  # `config` as the module may ask for it: its own definitions over the defaults of options.
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
  arguments = {
    inherit lib config;
    inherit (standIns) options pkgs utils;
    modulesPath = "/modules";
  };
  asked = name: _: throw "asks for the module argument `${name}'";
  load = it: if isFunction it then it (mapAttrs asked (functionArgs it) // arguments) else it;
  module = load (import file);
  declares = module ? config || module ? options;
  content = if declares then module.config or { } else removeAttrs module [ "_file" "imports" ];
  default =
    name: option:
    if kind option != "option" then
      mapAttrs default option
    else if name == "enable" then
      true
    else
      option.default or (throw "asks for an option that has no default");
  others = foldl' (set: path: lib.recursiveUpdate set (lib.setAttrByPath path true)) { } enabled;
  defaults = foldl' lib.recursiveUpdate others [
    standIns.config
    (default "" (module.options or { }))
  ];
  config = decided defaults [ content ];
in
definitions { path = [ ]; line = 0; priority = 100; } content
