# The options `hostwright.resources.*`: limits of the service, by systemd's words.
{ config, lib, ... }:
let
  inherit (lib.types) ints;
  own = import ./types.nix { inherit lib; };
  limits = lib.listToAttrs (
    map (item: {
      inherit (item) name;
      # A number stays one: `10` is none of the options' texts.
      value = if lib.isInt item.value && item.written == toString item.value then item.value else item.written;
    }) config.hostwright.service.limits
  );
  limit = name: own.optional (limits.${name} or null);
in
{
  imports = [ ./enable.nix ];

  options.hostwright.resources = {
    allowedCPUs = limit "allowed_cpus" own.cpus {
      description = "CPUs that the service may run on.";
      example = "0-11";
    };
    cpuQuota = limit "cpu_quota" own.quota {
      description = "CPU time in percent of one CPU.";
      example = "2000%";
    };
    cpuWeight = limit "cpu_weight" (ints.between 1 10000) {
      description = "Share of CPU time under contention; 100 is what every service has.";
      example = 200;
    };
    ioWeight = limit "io_weight" (ints.between 1 10000) {
      description = "Share of disk time under contention; 100 is what every service has.";
      example = 200;
    };
    limitMEMLOCK = limit "limit_memlock" own.amount {
      description = "Memory that may be locked.";
      example = "infinity";
    };
    memoryHigh = limit "memory_high" own.size {
      description = "Above this the kernel reclaims and slows the service down.";
      example = "18G";
    };
    memoryMax = limit "memory_max" own.size {
      description = "Above this the kernel kills.";
      example = "20G";
    };
    memorySwapMax = limit "memory_swap_max" own.amount {
      description = "Swap that the service may use.";
      example = 0;
    };
    nice = limit "nice" (ints.between (-20) 19) {
      description = "Nice level.";
      example = 5;
    };
    numaMask = limit "numa_mask" own.cpus {
      description = "NUMA nodes that the policy is about.";
      example = "0";
    };
    numaPolicy = limit "numa_policy" own.placement {
      description = "Placement of memory over NUMA nodes.";
      example = "interleave";
    };
    oomScoreAdjust = limit "oom_score_adjust" (ints.between (-1000) 1000) {
      description = "How readily the kernel kills the service when memory runs out.";
      example = 500;
    };
    tasksMax = limit "tasks_max" own.count {
      description = "Processes and threads together.";
      example = 4096;
    };
  };
}
