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

  # In effect, whoever has chosen it.
  inherit (config.hardware) nvidia;
  version = nvidia.package.version or "";
  last = driver.last_driver or 0;
  # The oldest hangs on the release of Ollama, too.
  oldest = (cfg.planned.devices or null).driver or { };
  first = oldest.first_driver or 0;
  isEarlier = version != "" && lib.versionOlder version (toString first);
  isLater = last != 0 && version != "" && lib.versionAtLeast version (toString (last + 1));
in
{
  imports = [ ./plan.nix ];

  config = mkIf (hw.isServed config && driver != null) {
    hardware.nvidia = {
      # Stronger than a default that a host has for all its machines, as nixos-hardware does it.
      open = if driver.required or false then lib.mkOverride 990 driver.open else mkDefault driver.open;
      # Keeps the driver loaded; the server starts after it.
      nvidiaPersistenced = mkDefault true;
    }
    // lib.mapAttrs (_: mkIf (driver.branch != "")) chosen;
    # Where the packages look for the driver's libraries; also without a screen.
    hardware.graphics.enable = mkDefault true;
    # The devices must be there before the server is.
    boot.kernelModules = map (lib.replaceStrings [ "_" ] [ "-" ]) cfg.newest.devices.modules;
    services.xserver.videoDrivers = [ "nvidia" ];

    assertions = [
      {
        assertion = !(driver.required or false) || nvidia.open != !driver.open;
        message = hw.told "modules" {
          inherit (driver) reason;
          right = lib.boolToString driver.open;
          wrong = lib.boolToString (!driver.open);
        };
      }
      {
        assertion = !isLater;
        message = hw.told "driver" {
          inherit (driver) reason;
          inherit version;
        };
      }
      {
        assertion = !isEarlier;
        message = hw.told "driver" {
          reason = oldest.first_reason;
          inherit version;
        };
      }
    ];
  };
}
