# The NVIDIA driver that the oldest card of the profile needs.
{
  config,
  lib,
  options,
  ...
}:
let
  inherit (lib) mkDefault mkIf;
  cfg = config.hostwright;
  hw = import ./lib.nix { inherit lib; };
  inherit (config.boot.kernelPackages) nvidiaPackages;
  driver = hw.driver cfg;
  # Before the branch had a name of its own, it was the production driver.
  branch = if nvidiaPackages ? ${driver.branch} then driver.branch else "production";
  # Since NixOS 26.05 a driver is chosen by its branch; a package would hide the host's choice of one.
  chosen =
    if options.hardware.nvidia ? branch then
      { branch = mkDefault branch; }
    else
      { package = mkDefault nvidiaPackages.${branch}; };
in
{
  imports = [ ./plan.nix ];

  config = mkIf (cfg.enable && driver != null) {
    hardware.nvidia = {
      open = mkDefault driver.open;
      # Keeps the driver loaded; the server starts after it.
      nvidiaPersistenced = mkDefault true;
    }
    // lib.mapAttrs (_: mkIf (driver.branch != "")) chosen;
    # Where the packages look for the driver's libraries; also without a screen.
    hardware.graphics.enable = mkDefault true;
    # The devices must be there before the server is.
    boot.kernelModules = map (lib.replaceStrings [ "_" ] [ "-" ]) cfg.newest.devices.modules;
    services.xserver.videoDrivers = [ "nvidia" ];
  };
}
