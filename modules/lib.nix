# What the modules share: a Plan's spelling, in NixOS's words.
{ lib }:
let
  # Floats, because the largest are beyond whole numbers.
  scale = {
    "" = 1.0;
    K = 1024.0;
    M = 1048576.0;
    G = 1073741824.0;
    T = 1099511627776.0;
    P = 1125899906842624.0;
    E = 1152921504606846976.0;
  };
  # What carries the number of threads: variables, or a parameter of each model.
  isThreads = item: item.group or "" == "threads" || item.name == "num_thread";

  limit = option: key: { inherit option key; };
in
{
  # The limits of a Plan, by the options of `hostwright.resources` and the keys of systemd.
  limits = {
    allowed_cpus = limit "allowedCPUs" "AllowedCPUs";
    cpu_quota = limit "cpuQuota" "CPUQuota";
    cpu_weight = limit "cpuWeight" "CPUWeight";
    io_weight = limit "ioWeight" "IOWeight";
    limit_memlock = limit "limitMEMLOCK" "LimitMEMLOCK";
    memory_high = limit "memoryHigh" "MemoryHigh";
    memory_max = limit "memoryMax" "MemoryMax";
    memory_swap_max = limit "memorySwapMax" "MemorySwapMax";
    nice = limit "nice" "Nice";
    numa_mask = limit "numaMask" "NUMAMask";
    numa_policy = limit "numaPolicy" "NUMAPolicy";
    oom_score_adjust = limit "oomScoreAdjust" "OOMScoreAdjust";
    tasks_max = limit "tasksMax" "TasksMax";
  };

  inherit isThreads;

  # The variables of a service that no option of its own stands for.
  settings =
    service:
    lib.filter (
      item:
      !lib.elem item.name [
        "HOME"
        "OLLAMA_HOST"
        "OLLAMA_MODELS"
      ]
    ) service.environment;

  # The bytes of what systemd reads as a size; null when it is none, or more than it can count.
  bytes =
    size:
    let
      parts = builtins.match "((0|[1-9][0-9]{0,14})(\\.[0-9]{1,15})?)([KMGTPE]?)" size;
      number = builtins.fromJSON (lib.head parts) * scale.${lib.elemAt parts 3};
    in
    if lib.isInt size then
      size
    else if !lib.isString size then
      null
    else if size == "infinity" then
      16 * scale.E
    else if parts == null || number >= 8 * scale.E then
      null
    else
      number;

  # What the GPUs need of the driver; null without NVIDIA GPUs, or when they are not used.
  driver =
    cfg:
    if cfg.enable && cfg.acceleration == "cuda" && cfg.service.devices != null then
      cfg.service.devices.driver
    else
      null;

  # Patterns. Unit files and tmpfiles.d(5) split at spaces and read `%`, quotes and backslashes.
  word = "[A-Za-z0-9_][A-Za-z0-9_.-]*";
  path = "/[^[:space:]%\"'\\\\]+";

  # systemd expands `%` in Environment=, and NixOS escapes everything else.
  variable = lib.replaceStrings [ "%" ] [ "%%" ];
}
