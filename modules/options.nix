# The options `hostwright.*`: what a host may change of its profile.
{ lib, ... }:
let
  inherit (lib) mkEnableOption mkOption types;
  inherit (types)
    attrsOf
    either
    enum
    ints
    listOf
    nullOr
    str
    submodule
    ;
  shipped = map (lib.removeSuffix ".json") (lib.attrNames (builtins.readDir ./plans));
  quota = types.strMatching "[1-9][0-9]*%";
  size = either ints.positive (types.strMatching "[0-9]+(\\.[0-9]+)?[KMGTPE]?|infinity");
  required =
    type: description: example:
    mkOption { inherit type description example; };
  optional =
    type: description: example:
    required (nullOr type) description example // { default = null; };
  list =
    type: description: example:
    required (listOf type) description example // { default = [ ]; };
  backends = [
    "cpu"
    "cuda"
    "rocm"
    "vulkan"
  ];
in
{
  options.hostwright = {
    enable = mkEnableOption "an Ollama server tuned by a Hostwright profile";
    profile =
      required (either (enum shipped) types.path)
        "A shipped profile, or the path of a `plan.json` that `gen plan` has written."
        "xeon-cpu";
    plan = mkOption {
      type = types.raw;
      internal = true;
      readOnly = true;
      description = "The Plan that the profile stands for.";
    };

    package = optional types.package "The Ollama package; null is the one for the acceleration." (
      lib.literalExpression "pkgs.ollama-cuda"
    );
    acceleration = required (enum backends) "What computes." "cuda";
    exposure = {
      host = required str "Address that the API listens on; it has no authentication." "127.0.0.1";
      port = required types.port "Port of the API." 11434;
      openFirewall = required types.bool "Whether to open the port in the firewall." true;
    };
    modelsDir = optional str "Where models are stored; null is under the home." "/srv/ollama/models";
    user = optional str "User of the service; null is a dynamic one." "ollama";
    group = optional str "Group of the service." "ollama";
    threads = optional ints.positive "Compute threads per model." 12;
    settings = mkOption {
      type = attrsOf (nullOr str);
      default = { };
      description = "Environment of the server, over the profile's; null unsets a variable.";
      example.OLLAMA_KEEP_ALIVE = "24h";
    };

    resources = {
      allowedCPUs = optional str "CPUs that the service may run on." "0-11";
      cpuQuota = optional quota "CPU time in percent of one CPU." "2000%";
      cpuWeight = optional (ints.between 1 10000) "CPU share under contention." 200;
      ioWeight = optional (ints.between 1 10000) "Disk share under contention." 200;
      limitMEMLOCK = optional size "Memory that may be locked." "infinity";
      memoryHigh = optional size "Above this the kernel slows the service down." "18G";
      memoryMax = optional size "Above this the kernel kills." "20G";
      memorySwapMax = optional (either ints.unsigned size) "Swap that may be used." 0;
      nice = optional (ints.between (-20) 19) "Nice level." 5;
      numaMask = optional str "NUMA nodes of the policy." "0";
      numaPolicy = optional str "Memory placement over NUMA nodes." "interleave";
      oomScoreAdjust = optional (ints.between (-1000) 1000) "Readiness to be killed." 500;
      tasksMax = optional (either ints.positive (enum [ "infinity" ])) "Processes and threads." 4096;
    };

    models = list (submodule {
      options = {
        name = required str "Name in the registry." "phi4";
        serveAs = optional str "Name to create it under, with its parameters." "phi4:tuned";
        parameters = list (attrsOf str) "`PARAMETER` lines, each with `name` and `value`." [ ];
      };
    }) "Models to pull; the profile's and yours add up." [ { name = "qwen2.5-coder:7b"; } ];
    warmup = {
      enable = mkEnableOption "loading models after the server has started";
      models = list str "What to load; the profile's and yours add up." [ "qwen2.5-coder:7b" ];
      timeoutSeconds = required ints.positive "Bound on the whole warm-up." 300 // {
        default = 300;
      };
    };
    resumeFix = mkEnableOption "reloading the NVIDIA memory module after a suspend";
  };
}
