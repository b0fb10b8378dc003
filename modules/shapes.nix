# Shapes of data: each lists, in words, what is wrong with the value at `where`.
{ lib }:
let
  inherit (builtins) typeOf;
  hw = import ./lib.nix { inherit lib; };
  words = {
    bool = "true or false";
    int = "a whole number";
    list = "a list";
    set = "a table";
    string = "text";
  };

  any =
    types: where: value:
    lib.optional (!lib.elem (typeOf value) types)
      "`${where}` is not ${lib.concatMapStringsSep " or " (type: words.${type}) types}";
  one = type: any [ type ];
  bool = one "bool";
  int = one "int";
  text = one "string";
  # Text that fits a pattern; `what` says which.
  like =
    what: pattern: where: value:
    if !lib.isString value then
      one "string" where value
    else
      lib.optional (builtins.match pattern value == null) "`${where}` is not ${what}";
  choice = values: like (lib.concatStringsSep " or " values) (lib.concatStringsSep "|" values);
  path = like "an absolute path without spaces, quotes, `%` and `\\`" hw.path;
  word = like "a plain name" hw.word;
  unit = like "the name of a unit" "[A-Za-z0-9:_.@-]+";
  version = like "a release like `0.32.15`" "[0-9]+([.][0-9]+)*(-rc[0-9]+)?";
  count =
    where: value:
    if lib.isInt value && value >= 0 then [ ] else [ "`${where}` is not a whole number from 0 on" ];
  orEmpty = shape: where: value: if value == "" then [ ] else shape where value;
  orNull = shape: where: value: if value == null then [ ] else shape where value;
  each =
    shape: where: value:
    if lib.isList value then
      lib.concatLists (
        lib.genList (n: shape "${where}.${toString n}" (lib.elemAt value n)) (lib.length value)
      )
    else
      one "list" where value;
  record =
    fields: where: value:
    if lib.isAttrs value then
      lib.concatLists (
        lib.mapAttrsToList (
          name: shape:
          let
            inner = if where == "" then name else "${where}.${name}";
          in
          if value ? ${name} then shape inner value.${name} else [ "`${inner}` is missing" ]
        ) fields
      )
    else
      one "set" where value;
  known =
    where: name:
    lib.optional (
      !lib.isString name || !(hw.limits ? ${name})
    ) "`${where}` is no limit that these modules know";
  # A number of threads is one wherever it stands.
  lever =
    shape: where: item:
    let
      faults = shape where item;
    in
    if faults != [ ] || !hw.isThreads item || builtins.match "[1-9][0-9]{0,8}" item.value != null then
      faults
    else
      [ "`${where}.value` is no number of threads" ];
  named = fields: each (record ({ name = text; } // fields));
in
{
  inherit
    any
    bool
    choice
    count
    each
    int
    known
    lever
    named
    orEmpty
    orNull
    path
    record
    text
    unit
    version
    word
    ;
}
