# The options `hostwright.resources.*`: limits of the service, by systemd's words.
{ config, lib, ... }:
let
  inherit (lib.types) ints;
  own = import ./types.nix { inherit lib; };
  hw = import ./lib.nix { inherit lib; };
  planned = lib.listToAttrs (
    map (item: {
      name = item.directive;
      # A number stays one: `10` is none of the options' texts.
      value =
        if lib.isInt item.value && item.written == toString item.value then item.value else item.written;
    }) config.hostwright.service.limits
  );
  weight = ints.between 1 10000;
  types = {
    allowedCPUs = own.cpus;
    cpuQuota = own.quota;
    cpuWeight = weight;
    ioWeight = weight;
    limitMEMLOCK = own.amount;
    memoryHigh = own.size;
    memoryMax = own.size;
    memorySwapMax = own.amount;
    nice = ints.between (-20) 19;
    numaMask = own.cpus;
    numaPolicy = own.placement;
    oomScoreAdjust = ints.between (-1000) 1000;
    tasksMax = own.count;
  };
in
{
  imports = [ ./enable.nix ];

  options.hostwright.resources = lib.mapAttrs (
    option: limit:
    own.optional (planned.${limit.directive} or null) types.${option} {
      inherit (limit) description example;
    }
  ) hw.resources;
}
