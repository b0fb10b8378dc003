# The types of the options. What they let through, `gen check` may still refuse.
{ lib }:
let
  inherit (lib) isInt;
  type =
    description: check:
    lib.mkOptionType {
      name = description;
      descriptionClass = "noun";
      inherit check description;
      merge = lib.mergeEqualOption;
    };
  fits = pattern: value: lib.isString value && builtins.match pattern value != null;
  matching = description: pattern: type description (fits pattern);
  cpus = matching "list like `0-11,24`" "[0-9]+(-[0-9]+)?([, ]+[0-9]+(-[0-9]+)?)*";
  from = least: value: if isInt value then value >= least else fits "[0-9.]+[KMGTPE]?|infinity" value;
  amount = type "size like `20G`, bytes, or `infinity`" (from 0);
  size = type "size like `20G`, bytes above 0, or `infinity`" (from 1);
  weight = lib.types.ints.between 1 10000;
  part = "[A-Za-z0-9_][A-Za-z0-9_.-]*";
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
  # A path by its text: a path of Nix would be copied into the store, where every user reads it.
  file = "absolute path as text without `..`, like config.sops.secrets.X.path, outside the store of Nix";
  isFile =
    value: fits "/[^[:space:]%\"'\\\\]+" value && !lib.elem ".." (parts value) && !isStored value;
  # However it is written: `//` and `/./` lead there, too.
  isStored =
    path:
    lib.hasPrefix "${builtins.storeDir}/" (lib.concatMapStrings (part: "/${part}") (parts path) + "/");
  parts = path: lib.filter (part: part != "" && part != ".") (lib.splitString "/" path);
in
{
  backend = lib.types.enum [
    "cpu"
    "cuda"
    "rocm"
    "vulkan"
  ];
  shipped = lib.types.enum (import ./shipped.nix { inherit lib; }).names;

  inherit profiled;
  optional = default: type: profiled default (lib.types.nullOr type);

  address = matching "address without port and brackets" (
    "[A-Za-z0-9.-]+|([0-9A-Fa-f.]*:){2,}[0-9A-Fa-f.]*(%[A-Za-z0-9_.-]+)?"
  );
  # MODEL_NAME of generator/units.py.
  model = matching "model as `ollama list` writes it" (
    "(${part}(:[0-9]+)?/)?(${part}/)?${part}(:${part})?"
  );
  path = matching "absolute path without spaces, quotes, `%` and `\\`" "/[^[:space:]%\"'\\\\]+";
  plan = type "plan, as `gen plan` prints it" (
    value: lib.isAttrs value && !(value ? outPath) && !(value ? _type)
  );
  release = matching "release like `0.32.15`" "[0-9]+[.][0-9]+([.][0-9]+(-rc[0-9]+)?)?";
  # Go takes 1 and 0 for a Boolean, and so does llama-server.
  variable = lib.types.coercedTo (lib.types.either lib.types.int lib.types.bool) (
    value: if lib.isBool value then (if value then "1" else "0") else toString value
  ) lib.types.str;
  word = matching "plain name" part;
  secretFile = type file isFile;
  credential = type "${file}, or { path; encrypted; } of one that systemd-creds has encrypted" (
    value:
    isFile value
    || lib.isAttrs value && isFile (value.path or null) && lib.isBool (value.encrypted or false)
  );

  # Those of `hostwright.resources`.
  limits = {
    allowedCpus = cpus;
    cpuQuota = matching "percentage of one CPU like `2000%`" "[1-9][0-9]*%";
    cpuWeight = weight;
    ioWeight = weight;
    limitMemlock = amount;
    memoryHigh = size;
    memoryMax = size;
    memorySwapMax = amount;
    nice = lib.types.ints.between (-20) 19;
    numaMask = cpus;
    numaPolicy = lib.types.enum [
      "default"
      "preferred"
      "bind"
      "interleave"
      "local"
    ];
    oomScoreAdjust = lib.types.ints.between (-1000) 1000;
    tasksMax = type "positive integer, or `infinity`" (
      value: value == "infinity" || isInt value && value > 0
    );
  };
}
