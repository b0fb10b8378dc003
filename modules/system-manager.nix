# The same options `hostwright.*` for DGX OS, Ubuntu and Debian, where system-manager puts files
# below /etc. The server stays the one that Ollama's installer made; this is a drop-in for it. What
# system-manager cannot do of `hostwright.*` is told, with what to do instead.
{
  config,
  lib,
  pkgs,
  utils,
  ...
}@given:
let
  cfg = config.hostwright;
  inherit (cfg) service;
  hw = import ./lib.nix { inherit lib; };

  address = "${hw.bracketed cfg.exposure.host}:${toString cfg.exposure.port}";
  dropIn = import ./dropin.nix given address;
  check = import ./check.nix {
    inherit lib pkgs;
    inherit (cfg) plan;
    gen = cfg.checkPlan;
    unit = dropIn.text;
  };
  # Nothing of its text, but what the drop-in depends on.
  checked = lib.optionalString (cfg.checkPlan != null) (builtins.substring 0 0 "${check}");
  services = import ./jobs.nix given {
    address = hw.percent address;
    inherit (service) program;
    renamed = lib.id;
  };

  modules = if service.devices == null then [ ] else service.devices.modules;
  directories = lib.unique (
    lib.filter (path: path != null && path != "") [
      service.home
      cfg.modelsDir
    ]
  );
  files = {
    "systemd/system/ollama.service.d/50-hostwright.conf".text = checked + dropIn.text;
  }
  // lib.optionalAttrs (modules != [ ]) {
    "modules-load.d/hostwright-ollama.conf".text = lib.concatMapStrings (name: "${name}\n") modules;
  };
  taken = lib.filter (name: cfg.settings ? ${name}) (lib.attrNames hw.places);
  # The programs are those of the host, not of nixpkgs.
  hosted = service: service // { path = lib.mkForce [ ]; };
  # system-manager waits half a minute for what it restarts, and a pull takes longer: jobs start
  # with the server, which `hostwright-apply` restarts for them, too.
  jobOnHost = service: hosted service // { restartIfChanged = false; };
in
{
  imports = [
    ./plan.nix
    { hostwright.platform = "system-manager"; }
  ];

  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = cfg.package == null;
        message = "hostwright.package: system-manager runs the host's own ${service.program}; take this option out, and update Ollama with its installer.";
      }
      {
        assertion = cfg.acceleration == service.acceleration;
        message = "hostwright.acceleration is ${cfg.acceleration}, and the profile is for ${service.acceleration}: the installed Ollama has every backend and takes the GPU that it finds; write ollama.acceleration into the profile instead.";
      }
      {
        assertion = !cfg.healthGate;
        message = "hostwright.healthGate: a switch of system-manager does not wait for the server; take this option out, and look with `systemctl status ollama`.";
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

    warnings = lib.optional cfg.exposure.openFirewall "hostwright.exposure.openFirewall does nothing here, for the firewall is the distribution's: open TCP port ${toString cfg.exposure.port} in it, and set this to false.";

    environment.etc = files;

    systemd.tmpfiles.rules = lib.optionals (cfg.user != null) (map (hw.directory cfg) directories);

    systemd.services = lib.mapAttrs (_: jobOnHost) services // {
      hostwright-apply = hosted {
        description = "Restart Ollama for what Hostwright has changed";
        wantedBy = [ "multi-user.target" ];
        # At boot the server starts after this, and there is nothing to restart.
        before = [ "ollama.service" ];
        restartTriggers = dropIn.lines ++ [ (builtins.toJSON { inherit (cfg) models warmup; }) ];
        serviceConfig = {
          Type = "oneshot";
          RemainAfterExit = true;
          ExecStart =
            lib.optional (modules != [ ]) "-/usr/sbin/modprobe -a ${toString modules}"
            # The restart waits for this unit, so this unit must not wait for the restart.
            ++ [ "/usr/bin/systemctl --no-block try-restart ollama.service" ];
        };
      };
    };

    system-manager.preActivationAssertions.hostwright = {
      enable = true;
      script = import ./preflight.nix {
        inherit cfg lib;
        files = map (name: "/etc/${name}") (
          lib.attrNames files
          ++ map (name: "systemd/system/${name}.service") (
            lib.attrNames services ++ [ "hostwright-apply" ]
          )
        );
      };
    };
  };
}
