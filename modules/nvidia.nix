# The NVIDIA driver that the oldest card of the profile needs.
{ config, lib, ... }:
let
  inherit (lib) mkDefault mkIf;
  cfg = config.hostwright;
  hw = import ./lib.nix { inherit lib; };
  inherit (config.boot.kernelPackages) nvidiaPackages;
  driver = hw.driver cfg;
  branch = if driver == null then "" else driver.branch;
in
{
  config = mkIf (cfg.enable && driver != null) {
    hardware.nvidia.open = mkDefault driver.open;
    # Before the branch had a name of its own, it was the production driver.
    hardware.nvidia.package = mkIf (branch != "") (
      mkDefault (nvidiaPackages.${branch} or nvidiaPackages.production)
    );
    services.xserver.videoDrivers = [ "nvidia" ];
  };
}
