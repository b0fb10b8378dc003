# The variables that the server gets, whoever has set them, and which option that was.
{ config, lib }:
let
  hw = import ./lib.nix { inherit lib; };
  ours = lib.mapAttrs (_: hw.percent) (hw.given config.hostwright.settings);
  upstream = config.services.ollama.environmentVariables or { };
in
rec {
  # Without the unit of NixOS they are only ours.
  inEffect = lib.mapAttrs (_: toString) (
    hw.given (config.systemd.services.ollama.environment or ours)
  );

  option =
    name:
    let
      isOf = set: set.${name} or null == inEffect.${name};
    in
    if isOf ours then
      "hostwright.settings.${name}"
    else if isOf upstream then
      "services.ollama.environmentVariables.${name}"
    else
      "systemd.services.ollama.environment.${name}";
}
