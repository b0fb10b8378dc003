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
  imports = [ ./plan.nix ];

  config = mkIf (cfg.enable && driver != null) {
    hardware.nvidia.open = mkDefault driver.open;
    # Before the branch had a name of its own, it was the production driver.
    hardware.nvidia.package = mkIf (branch != "") (
      mkDefault (nvidiaPackages.${branch} or nvidiaPackages.production)
    );
    # Keeps the driver loaded; the server starts after it.
    hardware.nvidia.nvidiaPersistenced = mkDefault true;
    # Where the packages look for the driver's libraries; also without a screen.
    hardware.graphics.enable = mkDefault true;
    # The devices must be there before the server is.
    boot.kernelModules = map (lib.replaceStrings [ "_" ] [ "-" ]) cfg.service.devices.modules;
    services.xserver.videoDrivers = [ "nvidia" ];
  };
}
