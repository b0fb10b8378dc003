# What the modules share: a Plan's spelling, in NixOS's words.
{ lib }:
rec {
  # The limits of a Plan, by the options of `hostwright.resources` and the keys of systemd.
  limits = {
    allowed_cpus = { option = "allowedCPUs"; key = "AllowedCPUs"; };
    cpu_quota = { option = "cpuQuota"; key = "CPUQuota"; };
    cpu_weight = { option = "cpuWeight"; key = "CPUWeight"; };
    io_weight = { option = "ioWeight"; key = "IOWeight"; };
    limit_memlock = { option = "limitMEMLOCK"; key = "LimitMEMLOCK"; };
    memory_high = { option = "memoryHigh"; key = "MemoryHigh"; };
    memory_max = { option = "memoryMax"; key = "MemoryMax"; };
    memory_swap_max = { option = "memorySwapMax"; key = "MemorySwapMax"; };
    nice = { option = "nice"; key = "Nice"; };
    numa_mask = { option = "numaMask"; key = "NUMAMask"; };
    numa_policy = { option = "numaPolicy"; key = "NUMAPolicy"; };
    oom_score_adjust = { option = "oomScoreAdjust"; key = "OOMScoreAdjust"; };
    tasks_max = { option = "tasksMax"; key = "TasksMax"; };
  };

  # 21474836480 is `20G`: the largest suffix that is exact.
  size =
    let
      shrink = bytes: suffixes:
        if suffixes == [ ] || bytes == 0 || lib.mod bytes 1024 != 0 then
          { inherit bytes suffixes; }
        else
          shrink (bytes / 1024) (lib.tail suffixes);
      names = [ "" "K" "M" "G" "T" "P" "E" ];
    in
    bytes:
    let
      shrunk = shrink bytes (lib.tail names);
    in
    toString shrunk.bytes
    + lib.elemAt names (lib.length names - 1 - lib.length shrunk.suffixes);

  # A limit's value as systemd reads it.
  written = { name, value, ... }:
    if name == "cpu_quota" then
      "${toString value}%"
    else if lib.hasPrefix "memory_" name || name == "limit_memlock" then
      if lib.isInt value then size value else value
    else
      value;

  # What the GPUs need of the driver; null without NVIDIA GPUs, or when they are not used.
  driver =
    cfg:
    if cfg.enable && cfg.acceleration == "cuda" && cfg.plan.devices != null then
      cfg.plan.devices.driver
    else
      null;

  # systemd expands `%` in Environment=, and NixOS escapes everything else.
  variable = lib.replaceStrings [ "%" ] [ "%%" ];
}
