# The least machine that a profile evaluates on. No hardware is meant by it.
{ lib, ... }:
{
  boot.loader.grub.enable = lib.mkDefault false;
  fileSystems."/" = lib.mkDefault {
    device = "none";
    fsType = "tmpfs";
  };
  # Plain, because inside `nixpkgs.config` a mkDefault is taken for the value itself.
  nixpkgs.config.allowUnfree = true;
  system.stateVersion = lib.mkDefault "25.11";
}
