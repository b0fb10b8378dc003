# What a NixOS module says of Ollama, read without nixpkgs: each definition with its line.
#
# `mkIf`, `mkMerge` and priorities are undone; types are not checked, and imports not followed.
# `names` are all names in the module: what stands for something unknown has each of them, and
# throws where its value is asked for, so that the setting made of it is `unresolved`. `enabled` are
# the paths of switches of other modules: they are on, as those of the module itself. `ellipsis`:
# the module takes arguments that it does not name. `told` are values of options that other modules
# set, and `given` arguments that a file calls the module with; a value that nobody knows has the key
# `unknown`. `where` is the path of the module in its file: none, where the file is the module.
# `units` are names of further units that may run a server. `beside` is the number of modules, in
# files beside it, that declare options which the module asks for.
{
  file,
  names,
  enabled,
  ellipsis,
  told ? [ ],
  given ? { },
  where ? [ ],
  units ? [ ],
  beside ? 0,
}:
let
  inherit (builtins)
    all
    any
    attrNames
    concatMap
    deepSeq
    elemAt
    filter
    foldl'
    functionArgs
    genList
    head
    intersectAttrs
    isAttrs
    isFunction
    isList
    isPath
    isString
    length
    map
    mapAttrs
    removeAttrs
    tail
    tryEval
    ;
  standIns = import ./standins.nix { inherit names; };
  inherit (standIns) lib open;

  roots = [
    [
      "services"
      "ollama"
    ]
    [
      "systemd"
      "services"
      "ollama"
    ]
    [
      "systemd"
      "sockets"
      "ollama"
    ]
    [
      "systemd"
      "user"
      "services"
    ]
    [ "launchd" ]
    [
      "virtualisation"
      "oci-containers"
      "containers"
    ]
    [
      "virtualisation"
      "quadlet"
      "containers"
    ]
    [
      "virtualisation"
      "arion"
      "projects"
    ]
    [
      "nixpkgs"
      "config"
    ]
    [ "fileSystems" ]
    [
      "hardware"
      "nvidia"
    ]
    [
      "networking"
      "firewall"
    ]
  ]
  ++ map (name: [
    "systemd"
    "services"
    name
  ]) units;
  toward = path: any (root: all (n: elemAt path n == elemAt root n) (common path root)) roots;
  common = a: b: genList lib.id (if length a < length b then length a else length b);

  kind = value: if isAttrs value then value._type or "" else "";
  isPackage = value: isAttrs value && value.type or "" == "derivation";
  isTable = value: isAttrs value && !isPackage value && kind value == "";

  # A definition freed of its properties: any number of `at`, each with a value; of one that nobody
  # knows among several, without.
  discharge =
    at: value:
    {
      merge = concatMap (merged at) value.contents;
      "if" = if holds value.condition then discharge at value.content else [ ];
      order = discharge at value.content;
      override = discharge (at // { inherit (value) priority; }) value.content;
    }
    .${kind value} or [ (at // { inherit value; }) ];

  merged =
    at: value:
    let
      told = tryEval (discharge at value);
    in
    if told.success then told.value else [ (removeAttrs at [ "value" ]) ];

  # A condition of something unknown holds.
  holds =
    condition:
    let
      told = tryEval condition;
    in
    !(told.success && told.value == false);

  # Definitions as they are written: path, line, priority and value.
  definitions =
    at: value:
    let
      found = tryEval (discharge at value);
    in
    if found.success then concatMap written found.value else [ (unresolved at) ];
  written =
    found:
    let
      told = tryEval (plain (shown found.value));
      plain = it: deepSeq it it;
    in
    if !(found ? value) then
      [ (unresolved found) ]
    else if isTable found.value && found.value != { } then
      concatMap (below found) (attrNames found.value)
    else if told.success then
      [
        (
          found
          // {
            inherit (told) value;
            unresolved = false;
          }
        )
      ]
    else
      [ (unresolved found) ];
  unresolved =
    at:
    at
    // {
      value = null;
      unresolved = true;
    };
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
    if isPackage value && value."is script" or false then
      value.outPath
    else if isPackage value then
      # Of a stand-in, every word of the module is an attribute: `version` may be one.
      {
        package = value.pname;
        version = if isString (value.version or "") then value.version or "" else "";
      }
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
      (foldl' stronger {
        priority = 9999;
        value = default;
      } found).value;
  arguments = {
    inherit lib config;
    inherit (standIns) options pkgs utils;
    modulesPath = "/modules";
  };
  load =
    it:
    let
      named = functionArgs it;
      optional = filter (name: named.${name}) (attrNames named);
      any = removeAttrs (open { }) optional // mapAttrs (_: known') given // arguments;
      taken = if named == { } || ellipsis then any else intersectAttrs named any;
    in
    if isFunction it then load (it taken) else it;
  known' = one: if one ? unknown then throw "asks for what another file says" else one.value;
  whole = load (import file);
  module = if where == [ ] then whole else within where whole;
  # The module at a path of a file, below what depends on a condition too.
  within =
    path: it:
    let
      set = load it;
      next = set.${head path} or (set.config or { }).${head path} or { };
    in
    if isAttrs set && set ? content then
      within path set.content
    else if !isAttrs set then
      { }
    else if path == [ ] then
      set
    else
      within (tail path) next;
  declares = module ? config || module ? options;
  content =
    if declares then
      module.config or { }
    else
      removeAttrs module [
        "_file"
        "imports"
      ];
  default =
    told: name: option:
    if kind option != "option" then
      mapAttrs (name: default (told.${name} or { }) name) option
    else if name == "enable" then
      true
    else if told ? " told" then
      known' told." told"
    else
      let
        own = option.default or (throw "asks for an option that has no default");
      in
      if told == { } then own else (if isAttrs own then own else { }) // values told;
  # What is told of the names in a set that is the value of one option.
  values = mapAttrs (_: it: if it ? " told" then known' it." told" else values it);
  everyTold = foldl' (
    set: one: lib.recursiveUpdate set (lib.setAttrByPath (one.path ++ [ " told" ]) one)
  ) { } told;
  declared =
    n:
    let
      one = tryEval (load (import (dirOf file + "/beside-${toString n}.nix")));
    in
    if one.success && isAttrs one.value then one.value.options or { } else { };
  others = foldl' (set: path: lib.recursiveUpdate set (lib.setAttrByPath path true)) { } enabled;
  ofWhole = if where == [ ] then { } else whole.options or { };
  defaults = foldl' lib.recursiveUpdate others [
    standIns.config
    (default everyTold "" (foldl' lib.recursiveUpdate { } (genList declared beside)))
    (default everyTold "" ofWhole)
    (default everyTold "" (module.options or { }))
  ];
  known = decided defaults [ content ];
  isOption = name: kind (module.options.${name} or null) == "option";
  config = open (
    mapAttrs (name: it: if isTable it && !isOption name then open it else it) (
      known
      // {
        services = known.services // {
          ollama = open known.services.ollama;
        };
      }
    )
  );
in
definitions {
  path = [ ];
  line = 0;
  priority = 100;
} content
