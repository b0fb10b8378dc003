# What the package in effect computes with, against what the profile is for.
{
  config,
  lib,
  options,
  ...
}:
let
  cfg = config.hostwright;
  hw = import ./lib.nix { inherit lib; };
  inherit (config.services) ollama;

  # As nixpkgs describes its packages; of others nothing is known.
  backends = {
    cuda = "using CUDA";
    rocm = "using ROCm";
    vulkan = "using Vulkan";
  };
  described = ollama.package.meta.description or "";
  built = lib.findFirst (name: lib.hasInfix backends.${name} described) null (lib.attrNames backends);

  chosen = if hw.hasAcceleration options then ollama.acceleration else built;
  isOther = backends ? ${toString chosen} && chosen != cfg.acceleration;
in
{
  imports = [ ./plan.nix ];

  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = hw.devices cfg == null || !isOther;
        message = "services.ollama.${
          if hw.hasAcceleration options then "acceleration" else "package"
        } is for ${toString chosen}, and the profile computes by ${cfg.acceleration}; leave it out, or set hostwright.acceleration to ${toString chosen}.";
      }
    ];
  };
}
