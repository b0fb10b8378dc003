# The types of the options. Each refuses what the server, systemd or a unit file would misread.
{ lib }:
let
  hw = import ./lib.nix { inherit lib; };
  type =
    description: check:
    lib.mkOptionType {
      name = description;
      descriptionClass = "noun";
      inherit check description;
      merge = lib.mergeEqualOption;
    };
  matching =
    description: pattern:
    type description (value: lib.isString value && builtins.match pattern value != null);
  sized =
    description: least:
    type description (
      value:
      let
        bytes = hw.bytes value;
      in
      bytes != null && bytes >= least
    );
  # systemd counts to 8191, of processors as of nodes, and takes no `9-1`.
  isCpus =
    text:
    let
      number = "(0|[1-9][0-9]{0,3})";
      span = part: builtins.match "${number}(-${number})?" part;
      isSpan =
        part:
        let
          first = lib.head part;
          last = lib.last part;
        in
        part != null
        && lib.versionOlder first "8192"
        && (last == null || lib.versionOlder last "8192" && lib.versionAtLeast last first);
    in
    lib.all (part: isSpan (span part)) (lib.splitString "," (lib.replaceStrings [ " " ] [ "," ] text));
  # An option whose default is the profile's.
  profiled =
    default: type: texts:
    lib.mkOption (
      texts
      // {
        inherit default type;
        defaultText = lib.literalMD "the profile's";
      }
    );
in
{
  backend = lib.types.enum [
    "cpu"
    "cuda"
    "rocm"
    "vulkan"
  ];
  shipped = lib.types.enum (map (lib.removeSuffix ".json") (lib.attrNames (builtins.readDir ./plans)));

  inherit profiled;
  optional = default: type: profiled default (lib.types.nullOr type);

  address = matching "address without port and brackets" (
    "[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?"
    + "|[0-9A-Fa-f]*:[0-9A-Fa-f]*:[0-9A-Fa-f:.]*(%[A-Za-z0-9_.-]+)?"
  );
  amount = sized "size like `20G`, bytes, or `infinity`" 0;
  count = type "positive integer, or `infinity`" (
    value: value == "infinity" || lib.isInt value && value > 0
  );
  cpus = type "list like `0-11,24`, up to 8191" (value: lib.isString value && isCpus value);
  model = matching "model as `ollama list` writes it" (
    "([A-Za-z0-9_.-]+(:[0-9]+)?/)?(${hw.word}/)?${hw.word}(:${hw.word})?"
  );
  placement = lib.types.enum [
    "default"
    "preferred"
    "bind"
    "interleave"
    "local"
  ];
  path = matching "absolute path without spaces, quotes, `%` and `\\`" hw.path;
  plan = type "plan, as `gen plan` prints it" (
    value: lib.isAttrs value && !(value ? outPath) && !(value ? _type)
  );
  quota = matching "percentage of one CPU like `2000%`" "[1-9][0-9]{0,6}%";
  size = sized "size like `20G`, bytes above 0, or `infinity`" 1;
  word = matching "plain name" hw.word;
}
