# What system-manager cannot do of `hostwright.*` is told, with what to do instead.
{ config, lib, ... }:
let
  cfg = config.hostwright;
  service = cfg.planned;
  hw = import ./lib.nix { inherit lib; };
  taken = lib.filter (name: cfg.settings ? ${name}) (lib.attrNames hw.places);
in
{
  imports = [ ./plan.nix ];

  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = cfg.package == null;
        message = "hostwright.package: system-manager runs the host's own ${service.program}; take this option out, and update Ollama with its installer.";
      }
      {
        assertion = cfg.ollama.acceleration == service.acceleration;
        message = "hostwright.ollama.acceleration is ${cfg.ollama.acceleration}, and the profile is for ${service.acceleration}: the installed Ollama has every backend and takes the GPU that it finds; write ollama.acceleration into the profile instead.";
      }
      {
        assertion = !cfg.healthGate;
        message = "hostwright.healthGate: a switch of system-manager does not wait for the server; take this option out, and look with `systemctl status ollama`.";
      }
      {
        assertion = service.build or null == null;
        message = "hostwright.profile asks for a build of Ollama (ollama.build), and system-manager runs the host's own ${service.program}; build it with those flags, name it in service.binary, and take `build` out.";
      }
      {
        assertion = !service.full_unit;
        message = "hostwright.profile asks for a complete unit, and system-manager leaves an ollama.service that is there already; write service.full_unit = false into the profile, or apply the bundle of `gen -t systemd`.";
      }
    ]
    ++ map (name: {
      assertion = false;
      message = "hostwright.settings.${name} has a place of its own; set ${hw.places.${name}}.";
    }) taken;

    warnings = lib.optional cfg.ollama.openFirewall "hostwright.ollama.openFirewall does nothing here, for the firewall is the distribution's: open TCP port ${toString cfg.ollama.port} in it, and set this to false.";
  };
}
