# What a NixOS module is called with, as far as rendered modules use it: `lib`, `pkgs`, `utils`.
#
# `lib` has the module system's rules in small: option types are checked, unknown options are
# errors, the lowest priority wins, lists add up and unequal values conflict. With NIXPKGS_LIB set
# the same tests run on the real one, and prove that this one judges alike.
let
  inherit (builtins)
    all
    any
    attrNames
    elem
    elemAt
    filter
    foldl'
    genericClosure
    getAttr
    hasAttr
    head
    isAttrs
    isBool
    isFloat
    isFunction
    isInt
    isList
    isPath
    isString
    length
    mapAttrs
    match
    removeAttrs
    replaceStrings
    sort
    substring
    toJSON
    ;

  # ── values ──────────────────────────────────────────────────────────────────────────────────
  basics = rec {
    inherit (builtins)
      all
      any
      attrNames
      attrValues
      concatLists
      elem
      elemAt
      filter
      foldl'
      functionArgs
      genList
      getAttr
      hasAttr
      head
      intersectAttrs
      isAttrs
      isBool
      isFloat
      isFunction
      isInt
      isList
      isPath
      isString
      length
      listToAttrs
      mapAttrs
      match
      removeAttrs
      replaceStrings
      sort
      split
      stringLength
      substring
      tail
      toJSON
      ;
    id = x: x;
    foldr =
      f: start: list:
      if list == [ ] then start else f (head list) (foldr f start (tail list));
    const = x: _: x;
    flip =
      f: a: b:
      f b a;
    pipe = foldl' (x: f: f x);
    map = builtins.map;
    concatMap = builtins.concatMap;
    concatStrings = concatStringsSep "";
    concatStringsSep = builtins.concatStringsSep;
    concatMapStringsSep =
      sep: f: list:
      concatStringsSep sep (map f list);
    concatLines = concatMapStringsSep "" (line: line + "\n");
    optional = condition: item: if condition then [ item ] else [ ];
    optionals = condition: list: if condition then list else [ ];
    optionalAttrs = condition: attrs: if condition then attrs else { };
    optionalString = condition: text: if condition then text else "";
    toList = x: if isList x then x else [ x ];
    unique = foldl' (done: x: if elem x done then done else done ++ [ x ]) [ ];
    range = from: to: if from > to then [ ] else genList (n: from + n) (to - from + 1);
    nameValuePair = name: value: { inherit name value; };
    mapAttrsToList = f: attrs: map (name: f name attrs.${name}) (attrNames attrs);
    mapAttrs' = f: attrs: listToAttrs (mapAttrsToList f attrs);
    genAttrs = names: f: listToAttrs (map (name: nameValuePair name (f name)) names);
    filterAttrs =
      keep: attrs: removeAttrs attrs (filter (name: !keep name attrs.${name}) (attrNames attrs));
    recursiveUpdate =
      a: b:
      a
      // mapAttrs (
        name: value:
        if isAttrs value && isAttrs (a.${name} or null) then recursiveUpdate a.${name} value else value
      ) b;
    hasPrefix = prefix: text: substring 0 (stringLength prefix) text == prefix;
    hasSuffix =
      suffix: text:
      let
        rest = stringLength text - stringLength suffix;
      in
      rest >= 0 && substring rest (-1) text == suffix;
    hasInfix = infix: text: length (filter isString (split (escapeRegex infix) text)) > 1;
    removeSuffix =
      suffix: text:
      if hasSuffix suffix text then substring 0 (stringLength text - stringLength suffix) text else text;
    last = list: elemAt list (length list - 1);
    take = count: list: genList (elemAt list) (if count < length list then count else length list);
    findFirst =
      fits: default: list:
      let
        found = filter fits list;
      in
      if found == [ ] then default else head found;
    splitString = sep: text: filter isString (split (escapeRegex sep) text);
    imap0 = f: list: genList (n: f n (elemAt list n)) (length list);
    drop = n: list: genList (i: elemAt list (n + i)) (if length list > n then length list - n else 0);
    concatMapStrings = f: list: concatStrings (map f list);
    mod = a: b: a - b * (a / b);
    toInt = builtins.fromJSON;
    letters = text: filter (c: c != "" && isString c) (split "" text);
    upper = letters "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    lower = letters "abcdefghijklmnopqrstuvwxyz";
    toLower = replaceStrings upper lower;
    toUpper = replaceStrings lower upper;
    escape = list: replaceStrings list (map (c: "\\${c}") list);
    escapeRegex = escape [
      "\\"
      "["
      "{"
      "("
      ")"
      "."
      "*"
      "+"
      "?"
      "^"
      "$"
      "|"
      "]"
      "}"
    ];
    escapeShellArg = arg: "'${replaceStrings [ "'" ] [ "'\\''" ] (toString arg)}'";
    escapeShellArgs = concatMapStringsSep " " escapeShellArg;
    boolToString = value: if value then "true" else "false";
    versionAtLeast = a: b: builtins.compareVersions a b >= 0;
    versionOlder = a: b: builtins.compareVersions a b < 0;
    importJSON = path: builtins.fromJSON (builtins.readFile path);
    importTOML = path: builtins.fromTOML (builtins.readFile path);
    isDerivation = value: value.type or null == "derivation";
    getExe' = package: name: "${package}/bin/${name}";
    getExe = package: getExe' package (package.meta.mainProgram or package.name);
    assertMsg = holds: text: holds || throw text;
    throwIf =
      fails: text: value:
      if fails then throw text else value;
    literalExpression = text: {
      _type = "literalExpression";
      inherit text;
    };
    literalMD = text: {
      _type = "literalMD";
      inherit text;
    };
    attrByPath =
      path: default: set:
      if path == [ ] then
        set
      else if isAttrs set && set ? ${head path} then
        attrByPath (tail path) default set.${head path}
      else
        default;
  };

  # ── properties ──────────────────────────────────────────────────────────────────────────────
  properties = rec {
    mkOverride = priority: content: {
      _type = "override";
      inherit priority content;
    };
    mkOptionDefault = mkOverride 1500;
    mkDefault = mkOverride 1000;
    mkForce = mkOverride 50;
    mkOrder = priority: content: {
      _type = "order";
      inherit priority content;
    };
    mkBefore = mkOrder 500;
    mkAfter = mkOrder 1500;
    mkIf = condition: content: {
      _type = "if";
      inherit condition content;
    };
    mkMerge = contents: {
      _type = "merge";
      inherit contents;
    };
    mkAssert =
      holds: text: content:
      if holds then content else throw text;
  };
  inherit (basics)
    concatMap
    concatMapStringsSep
    genAttrs
    isDerivation
    map
    mapAttrsToList
    optional
    optionalAttrs
    unique
    ;
  inherit (properties) mkIf mkOverride;

  kind = value: if isAttrs value then value._type or "" else "";

  # A definition freed of its properties: any number of { priority, order, value }.
  discharge =
    found: value:
    {
      merge = concatMap (discharge found) value.contents;
      "if" = if value.condition then discharge found value.content else [ ];
      override = discharge (found // { inherit (value) priority; }) value.content;
      order = discharge (found // { order = value.priority; }) value.content;
    }
    .${kind value} or [ (found // { inherit value; }) ];

  # The same for a set of options: properties move into it, conditions unread, for what is
  # defined may depend on values but not on which options there are.
  pushDown =
    value:
    let
      into = wrap: map (mapAttrs (_: wrap)) (pushDown value.content);
    in
    {
      merge = concatMap pushDown value.contents;
      "if" = into (mkIf value.condition);
      override = into (mkOverride value.priority);
      order = into (properties.mkOrder value.priority);
    }
    .${kind value} or [ value ];

  # ── options ─────────────────────────────────────────────────────────────────────────────────
  show = basics.concatStringsSep ".";
  mkOption = attrs: { _type = "option"; } // attrs;
  mkEnableOption =
    text:
    mkOption {
      type = types.bool;
      default = false;
      example = true;
      description = "Whether to enable ${text}.";
    };

  mkPackageOption =
    pkgs: name:
    {
      nullable ? false,
      default ? name,
      example ? null,
      extraDescription ? "",
    }:
    mkOption (
      {
        type = (if nullable then types.nullOr else basics.id) types.package;
        default = if default == null then null else pkgs.${default};
        description = "The ${name} package to use.${
          basics.optionalString (extraDescription != "") " "
        }${extraDescription}";
      }
      // optionalAttrs (example != null) { example = basics.literalExpression example; }
    );

  # What is set by the old name is set, as strongly, by the new one.
  mkRenamedOptionModule =
    from: to:
    { options, ... }:
    let
      option = basics.attrByPath from { } options;
      nested = path: value: basics.foldr (name: inner: { ${name} = inner; }) value path;
    in
    {
      options = nested from (mkOption {
        visible = false;
      });
      config = properties.mkMerge [
        {
          warnings = optional option.isDefined "The option `${show from}' has been renamed to `${show to}'.";
        }
        (nested to (
          mkIf option.isDefined (mkOverride option.highestPrio (properties.mkMerge option.definitions))
        ))
      ];
    };

  # Setting it is an error in these words; not setting it is not.
  mkRemovedOptionModule =
    path: told:
    { options, ... }:
    let
      option = basics.attrByPath path { } options;
      nested = value: basics.foldr (name: inner: { ${name} = inner; }) value path;
    in
    {
      options = nested (mkOption {
        visible = false;
      });
      config.assertions = [
        {
          assertion = !option.isDefined;
          message = "The option definition `${show path}' no longer has any effect; please remove it.\n${told}";
        }
      ];
    };

  lowest = foldl' (a: d: if d.priority < a then d.priority else a) 9999;
  strongest = defs: filter (d: d.priority == lowest defs) defs;
  ordered = sort (a: b: a.order < b.order);

  # The definitions that count, after priorities; `raw` may carry properties.
  surviving =
    raw:
    ordered (
      strongest (
        concatMap (discharge {
          priority = 100;
          order = 1000;
        }) raw
      )
    );

  mergeDefinitions =
    loc: type: defs:
    let
      wrong = filter (d: !type.check d.value) defs;
    in
    if defs == [ ] then
      throw "The option `${show loc}' was accessed but has no value defined."
    else if wrong != [ ] then
      throw "A definition for option `${show loc}' is not of type `${type.description}'."
    else
      type.merge loc defs;

  evalOption =
    loc: option: defs:
    let
      type = option.type or types.raw;
      default = optional (option ? default) (properties.mkOptionDefault option.default);
      merged = mergeDefinitions loc type (surviving (defs ++ default));
    in
    option
    // rec {
      inherit loc type;
      isDefined = definitions != [ ];
      highestPrio = lowest (surviving defs);
      definitions = map (d: d.value) (surviving defs);
      value = (option.apply or basics.id) merged;
    };

  evalTree =
    loc: options: defs:
    if kind options == "option" then
      evalOption loc options defs
    else
      let
        pushed = concatMap pushDown defs;
      in
      mapAttrs (
        name: option: evalTree (loc ++ [ name ]) option (map (getAttr name) (filter (hasAttr name) pushed))
      ) options;

  unknown =
    loc: options: defs:
    if kind options == "option" then
      [ ]
    else
      concatMap (
        def:
        if !isAttrs def then
          [ (show loc) ]
        else
          concatMap (
            name:
            if options ? ${name} then
              unknown (loc ++ [ name ]) options.${name} [ def.${name} ]
            else
              [ (show (loc ++ [ name ])) ]
          ) (attrNames def)
      ) (concatMap pushDown defs);

  values = tree: if kind tree == "option" then tree.value else mapAttrs (_: values) tree;

  evalModules =
    {
      modules,
      specialArgs ? { },
      prefix ? [ ],
    }:
    let
      args = {
        inherit lib config options;
      }
      // specialArgs;
      isFile = module: isPath module || isString module;
      load =
        module:
        if isFile module then
          load (import module)
        else if isFunction module then
          load (module args)
        else if module ? config || module ? options then
          let
            stray = attrNames (
              removeAttrs module [
                "_class"
                "_file"
                "imports"
                "options"
                "config"
                "meta"
              ]
            );
          in
          if stray == [ ] then module else throw "Module has an unsupported attribute `${head stray}'."
        else
          {
            imports = module.imports or [ ];
            config = removeAttrs module [
              "_class"
              "_file"
              "imports"
            ];
          };
      # A file that several modules import is one module.
      keyed =
        parent:
        basics.imap0 (
          n: module: {
            key = if isFile module then toString module else "${parent}:${toString n}";
            module = load module;
          }
        );
      loaded = map (entry: entry.module) (genericClosure {
        startSet = keyed "" modules;
        operator = entry: keyed entry.key (entry.module.imports or [ ]);
      });
      declared = foldl' basics.recursiveUpdate { } (map (m: m.options or { }) loaded);
      defs = map (m: m.config or { }) loaded;
      strays = unknown prefix declared defs;
      options = evalTree prefix declared defs;
      config = values options;
    in
    {
      inherit options;
      config = if strays == [ ] then config else throw "The option `${head strays}' does not exist.";
    };

  # ── types ───────────────────────────────────────────────────────────────────────────────────
  mergeEqualOption =
    loc: defs:
    if all (d: d.value == (head defs).value) defs then
      (head defs).value
    else
      throw "The option `${show loc}' has conflicting definition values.";
  mergeOneOption =
    loc: defs:
    if length defs == 1 then
      (head defs).value
    else
      throw "The option `${show loc}' is defined multiple times while it's expected to be unique.";
  # Types describe themselves as in nixpkgs: where a phrase may be misread it is put in brackets,
  # by its `descriptionClass`.
  mkOptionType =
    attrs:
    {
      check = _: true;
      merge = mergeEqualOption;
      description = attrs.name;
      descriptionClass = null;
      getSubOptions = _: { };
    }
    // attrs;
  noun =
    description: check:
    mkOptionType {
      name = description;
      inherit check description;
      descriptionClass = "noun";
    };
  phrase =
    plain: type: if elem type.descriptionClass plain then type.description else "(${type.description})";
  composite = prefix: type: {
    name = prefix;
    description = "${prefix} ${phrase [ "noun" "composite" ] type}";
    descriptionClass = "composite";
  };

  types = rec {
    raw = noun "raw value" (_: true) // {
      merge = mergeOneOption;
    };
    unspecified = raw;
    anything = noun "anything" (_: true);
    attrs = noun "attribute set" isAttrs // {
      merge = _: foldl' (all: d: all // d.value) { };
    };
    bool = noun "boolean" isBool;
    int = noun "signed integer" isInt;
    float = noun "floating point number" isFloat;
    str = noun "string" isString;
    path = noun "absolute path" (
      x: isPath x || isDerivation x || (isString x && substring 0 1 x == "/")
    );
    package = noun "package" (
      x: isDerivation x || (isString x && basics.hasPrefix builtins.storeDir x)
    );
    ints = rec {
      bounded =
        words: low: high:
        noun "${words} between ${toString low} and ${toString high} (both inclusive)" (
          x: isInt x && x >= low && x <= high
        );
      between = bounded "integer";
      u16 = bounded "16 bit unsigned integer;" 0 65535;
      unsigned = noun "unsigned integer, meaning >=0" (x: isInt x && x >= 0) // {
        descriptionClass = "nonRestrictiveClause";
      };
      positive = noun "positive integer, meaning >0" (x: isInt x && x > 0) // {
        descriptionClass = "nonRestrictiveClause";
      };
    };
    port = ints.u16;
    enum =
      allowed:
      noun (
        if length allowed == 1 then
          "value ${toJSON (head allowed)} (singular enum)"
        else
          "one of ${concatMapStringsSep ", " toJSON allowed}"
      ) (x: elem x allowed)
      // {
        descriptionClass = if length allowed < 2 then "noun" else "conjunction";
      };
    strMatching =
      pattern: noun "string matching the pattern ${pattern}" (x: isString x && match pattern x != null);
    addCheck = type: check: type // { check = x: type.check x && check x; };
    separatedString =
      sep:
      noun "strings concatenated with ${toJSON sep}" isString
      // {
        merge = _: defs: concatMapStringsSep sep (d: d.value) defs;
      };
    lines = separatedString "\n";
    either =
      a: b:
      mkOptionType {
        name = "either";
        description = "${phrase [ "noun" "conjunction" ] a} or ${
          phrase [ "noun" "conjunction" "composite" ] b
        }";
        descriptionClass = "conjunction";
        check = x: a.check x || b.check x;
        merge = loc: defs: mergeDefinitions loc (if all (d: a.check d.value) defs then a else b) defs;
      };
    coercedTo =
      from: coerce: type:
      mkOptionType {
        name = "coercedTo";
        description = "${phrase [ "noun" ] type} or ${phrase [ "noun" ] from} convertible to it";
        inherit (type) getSubOptions;
        check = value: (from.check value && type.check (coerce value)) || type.check value;
        merge =
          loc: defs:
          type.merge loc (
            map (d: d // { value = if from.check d.value then coerce d.value else d.value; }) defs
          );
      };
    oneOf = list: foldl' either (head list) (builtins.tail list);
    nullOr =
      type:
      mkOptionType {
        name = "nullOr";
        description = "null or ${phrase [ "noun" "conjunction" ] type}";
        descriptionClass = "conjunction";
        inherit (type) getSubOptions;
        check = x: x == null || type.check x;
        merge =
          loc: defs:
          if all (d: d.value == null) defs then
            null
          else if any (d: d.value == null) defs then
            throw "The option `${show loc}' is defined both null and not null."
          else
            type.merge loc defs;
      };
    listOf =
      type:
      mkOptionType (
        composite "list of" type
        // {
          check = isList;
          getSubOptions = prefix: type.getSubOptions (prefix ++ [ "*" ]);
          merge =
            loc: defs:
            concatMap (
              raw:
              let
                found = surviving [ raw ];
              in
              optional (found != [ ]) (mergeDefinitions (loc ++ [ "*" ]) type found)
            ) (concatMap (d: d.value) defs);
        }
      );
    attrsOf =
      type:
      mkOptionType (
        composite "attribute set of" type
        // {
          check = isAttrs;
          getSubOptions = prefix: type.getSubOptions (prefix ++ [ "<name>" ]);
          merge =
            loc: defs:
            let
              sets = concatMap (d: pushDown d.value) defs;
              defined = name: surviving (map (getAttr name) (filter (hasAttr name) sets));
              names = filter (name: defined name != [ ]) (unique (concatMap attrNames sets));
            in
            genAttrs names (name: mergeDefinitions (loc ++ [ name ]) type (defined name));
        }
      );
    submodule =
      module:
      noun "submodule" (x: isAttrs x || isFunction x)
      // {
        descriptionClass = null;
        getSubOptions =
          prefix:
          (evalModules {
            inherit prefix;
            modules = [ module ];
            specialArgs.name = elemAt prefix (length prefix - 1);
          }).options;
        merge =
          loc: defs:
          (evalModules {
            modules = [ module ] ++ map (d: if isFunction d.value then d.value else { config = d.value; }) defs;
            specialArgs.name = elemAt loc (length loc - 1);
            prefix = loc;
          }).config;
      };
  };

  # ── documentation ───────────────────────────────────────────────────────────────────────────
  # A value as one would write it, short ones on a line of their own each.
  pretty =
    indent: value:
    let
      inner = "${indent}  ";
      block =
        open: items: close:
        if items == [ ] then
          "${open} ${close}"
        else
          "${open}\n${basics.concatLines (map (i: inner + i) items)}${indent}${close}";
    in
    if isString value then
      "\"${replaceStrings [ "\\" "\"" "\${" ] [ "\\\\" "\\\"" "\\\${" ] value}\""
    else if isList value then
      block "[" (map (pretty inner) value) "]"
    else if isAttrs value then
      block "{" (mapAttrsToList (name: item: "${name} = ${pretty inner item};") value) "}"
    else
      toJSON value;
  explained = value: if kind value != "" then value else basics.literalExpression (pretty "" value);
  optionAttrSetToDocList =
    options:
    concatMap (
      option:
      if kind option != "option" then
        optionAttrSetToDocList option
      else
        [
          (
            {
              inherit (option) loc;
              name = show option.loc;
              description = option.description or null;
              internal = option.internal or false;
              visible = option.visible or true;
              readOnly = option.readOnly or false;
              type = option.type.description;
            }
            // optionalAttrs (option ? example) { example = explained option.example; }
            // optionalAttrs (option ? default || option ? defaultText) {
              default = explained (option.defaultText or option.default);
            }
          )
        ]
        ++ optionAttrSetToDocList (option.type.getSubOptions option.loc)
    ) (builtins.attrValues options);

  lib =
    basics
    // properties
    // {
      inherit
        evalModules
        mergeEqualOption
        mergeOneOption
        mkEnableOption
        mkOption
        mkOptionType
        mkPackageOption
        mkRemovedOptionModule
        mkRenamedOptionModule
        optionAttrSetToDocList
        types
        ;
    };

  # ── packages and utils ──────────────────────────────────────────────────────────────────────
  # `arguments` tells what a module has overridden.
  package = name: arguments: {
    inherit name arguments;
    pname = name;
    type = "derivation";
    outPath = "${builtins.storeDir}/00000000000000000000000000000000-${name}";
    meta.mainProgram = name;
    override = more: package name (arguments // (if isFunction more then more arguments else more));
  };
  # The backend is an argument, so that overriding it makes another server, as in nixpkgs. Without a
  # version it is a package that says none.
  ollama =
    version: arguments:
    let
      backend = arguments.acceleration or null;
      # What the package says of itself, without which nobody knows.
      described = {
        cuda = ", using CUDA for a GPU";
        rocm = ", using ROCm for a GPU";
        vulkan = ", using Vulkan for a GPU";
      };
      suffix =
        if isString backend then
          "-${backend}"
        else if backend == false then
          "-cpu"
        else
          "";
    in
    package "ollama${suffix}" arguments
    // {
      meta = {
        mainProgram = "ollama";
        description = "Run with large language models${described.${toString backend} or ""}";
      };
      override = more: ollama version (arguments // (if isFunction more then more arguments else more));
      overrideAttrs = change: ollama version (arguments // { attrs = change { postPatch = "true\n"; }; });
    }
    // optionalAttrs (version != "") { inherit version; };
  servers = version: {
    ollama = ollama version { };
    ollama-cpu = ollama version { acceleration = false; };
    ollama-cuda = ollama version { acceleration = "cuda"; };
    ollama-rocm = ollama version { acceleration = "rocm"; };
    ollama-vulkan = ollama version { acceleration = "vulkan"; };
  };
  script = name: text: package name { } // { inherit text; };

  pkgs =
    genAttrs [
      "bash"
      "coreutils"
      "cudaPackages"
      "cudaPackages_12"
      "cudaPackages_13"
      "curl"
      "gawk"
      "gnugrep"
      "gnused"
      "blas"
      "jq"
      "kmod"
      "mkl"
      "openblas"
      "pkg-config"
      "systemd"
      "util-linux"
    ] (name: package name { })
    // servers ""
    // {
      runtimeShell = "${builtins.storeDir}/00000000000000000000000000000000-bash/bin/bash";
      runCommand = name: _: script name;
      writeText = script;
      # As systemd would run its lines without it: so they can be compared with other targets.
      writeShellScript =
        name: text:
        script name text
        // {
          outPath = utils.escapeSystemdExecArgs [
            "/bin/sh"
            "-c"
            text
            "sh"
          ];
        };
      writeShellScriptBin = script;
      writeShellApplication = { name, text, ... }: script name text;
      nvidiaPackages = genAttrs [ "stable" "production" "beta" "legacy_580" "legacy_535" "dc" ] (
        name: package "nvidia-${name}" { }
      );
    };
  # systemd reads a rendered command line once more: quotes, specifiers and variables.
  utils = rec {
    escapeSystemdExecArg =
      arg:
      replaceStrings [ "%" "$" ] [ "%%" "$$" ] (
        toJSON (
          if isPath arg then
            "${arg}"
          else if isString arg then
            arg
          else if isInt arg || isFloat arg || isDerivation arg then
            toString arg
          else
            throw "escapeSystemdExecArg: not a string, number or package"
        )
      );
    escapeSystemdExecArgs = concatMapStringsSep " " escapeSystemdExecArg;
  };
in
{
  inherit lib pkgs utils;

  # With an Ollama of that release.
  packaged = version: pkgs // servers version;
}
