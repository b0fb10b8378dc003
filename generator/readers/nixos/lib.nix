# `lib` for a module that is read without nixpkgs: what modules of hosts use of it.
let
  inherit (builtins)
    attrNames
    concatStringsSep
    elemAt
    filter
    foldl'
    genList
    head
    isAttrs
    isList
    isString
    length
    listToAttrs
    mapAttrs
    removeAttrs
    replaceStrings
    split
    stringLength
    substring
    tail
    ;

  lib = builtins // rec {
    mkOverride = priority: content: {
      _type = "override";
      inherit priority content;
    };
    mkDefault = mkOverride 1000;
    mkOptionDefault = mkOverride 1500;
    mkForce = mkOverride 50;
    mkVMOverride = mkOverride 10;
    mkOrder = _: content: {
      _type = "order";
      inherit content;
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
    mkOption = option: { _type = "option"; } // option;
    mkEnableOption = _: mkOption { default = false; };
    mkPackageOption =
      set: name: _:
      mkOption { default = set.${toString name}; };

    id = x: x;
    const = x: _: x;
    both = a: b: a // b;
    pipe = foldl' (x: f: f x);
    optional = condition: item: optionals condition [ item ];
    optionals = condition: list: if condition then list else [ ];
    optionalAttrs = condition: set: if condition then set else { };
    optionalString = condition: text: if condition then text else "";
    toList = x: if isList x then x else [ x ];
    flatten = x: if isList x then builtins.concatMap flatten x else [ x ];
    unique = foldl' (done: x: if builtins.elem x done then done else done ++ [ x ]) [ ];
    range = from: to: genList (n: from + n) (to - from + 1);
    last = list: elemAt list (length list - 1);
    nameValuePair = name: value: { inherit name value; };
    mapAttrsToList = f: set: map (name: f name set.${name}) (attrNames set);
    mapAttrs' = f: set: listToAttrs (mapAttrsToList f set);
    genAttrs = names: f: listToAttrs (map (name: nameValuePair name (f name)) names);
    filterAttrs = keep: set: removeAttrs set (filter (n: !keep n set.${n}) (attrNames set));
    attrByPath =
      path: default: set:
      if path == [ ] then set else attrByPath (tail path) default (set.${head path} or default);
    setAttrByPath =
      path: value: if path == [ ] then value else { ${head path} = setAttrByPath (tail path) value; };
    recursiveUpdate =
      a: b:
      let
        deeper = n: x: isAttrs x && isAttrs (a.${n} or null);
      in
      a // mapAttrs (n: x: if deeper n x then recursiveUpdate a.${n} x else x) b;
    concatStrings = concatStringsSep "";
    concatMapStringsSep =
      separator: f: list:
      concatStringsSep separator (map f list);
    concatMapStrings = concatMapStringsSep "";
    hasPrefix = prefix: text: substring 0 (stringLength prefix) text == prefix;
    splitString = separator: text: filter isString (split (escapeRegex separator) text);
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
    escapeShellArg = text: "'${replaceStrings [ "'" ] [ "'\\''" ] (toString text)}'";
    escapeShellArgs = concatMapStringsSep " " escapeShellArg;
    boolToString = value: if value then "true" else "false";
    versionAtLeast = a: b: builtins.compareVersions a b >= 0;
    versionOlder = a: b: builtins.compareVersions a b < 0;
    getExe' = package: name: "${package}/bin/${name}";
    getExe = package: getExe' package package.pname;
  };
in
lib
