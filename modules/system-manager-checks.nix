# What system-manager cannot do of `hostwright.*`: each message says what to do instead.
{ config, lib, ... }:
let
  cfg = config.hostwright;
  hw = import ./lib.nix { inherit lib; };
  inherit (cfg) service;
  inherit (service) program full_unit;
  port = toString cfg.exposure.port;

  taken = lib.filter (name: cfg.settings ? ${name}) (lib.attrNames hw.places);
in
{
  imports = [ ./plan.nix ];

  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = cfg.package == null;
        message = "hostwright.package: system-manager runs the host's own ${program}; take this option out, and update Ollama with its installer.";
      }
      {
        assertion = cfg.acceleration == service.acceleration;
        message = "hostwright.acceleration is ${cfg.acceleration}, and the profile is for ${service.acceleration}: the installed Ollama has every backend and takes the GPU that it finds; write ollama.acceleration into the profile instead.";
      }
      {
        assertion = !full_unit;
        message = "hostwright.profile asks for a complete unit, and system-manager leaves an ollama.service that is there already; write service.full_unit = false into the profile, or apply the bundle of `gen -t systemd`.";
      }
    ]
    ++ map (name: {
      assertion = false;
      message = "hostwright.settings.${name} has a place of its own; set ${hw.places.${name}}.";
    }) taken;

    warnings = lib.optional cfg.exposure.openFirewall "hostwright.exposure.openFirewall does nothing here, for the firewall is the distribution's: open TCP port ${port} in it, and set this to false.";
  };
}
