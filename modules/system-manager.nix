# The same options `hostwright.*` for DGX OS, Ubuntu and Debian, where system-manager puts files
# below /etc. The server stays the one that Ollama's installer made; this is a drop-in for it.
{
  config,
  lib,
  pkgs,
  # deadnix: skip -- system-manager hands over what is named
  utils,
  ...
}@given:
let
  cfg = config.hostwright;
  service = cfg.planned;
  hw = import ./lib.nix { inherit lib; };
  paths = import ./paths.nix { inherit lib; };

  address = "${hw.bracketed cfg.ollama.host}:${toString cfg.ollama.port}";
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
    map paths.normal (
      lib.filter (path: path != null && path != "") [
        service.home
        cfg.ollama.modelsDir
      ]
    )
  );
  files = {
    "systemd/system/ollama.service.d/50-hostwright.conf".text = checked + dropIn.text;
  }
  // lib.optionalAttrs (modules != [ ]) {
    "modules-load.d/hostwright-ollama.conf".text = lib.concatMapStrings (name: "${name}\n") modules;
  };
  chosen = with cfg.warmup; [
    cfg.models
    enable
    models
    timeout
  ];
  # The programs are those of the host, not of nixpkgs.
  hosted = service: service // { path = lib.mkForce [ ]; };
  # system-manager waits half a minute for what it restarts, and a pull takes longer: jobs start
  # with the server, which `hostwright-apply` restarts for them, too.
  jobOnHost = service: hosted service // { restartIfChanged = false; };
in
{
  imports = [
    ./plan.nix
    ./on-host.nix
    { hostwright.platform = "system-manager"; }
  ];

  config = lib.mkIf cfg.enable {
    environment.etc = files;

    systemd.tmpfiles.rules = lib.optionals (cfg.service.user != null) (
      paths.directories {
        homes = [ (lib.removeSuffix "/${service.models_below}" service.installed_models) ];
        inherit (cfg.service) user group;
      } directories
    );

    systemd.services = lib.mapAttrs (_: jobOnHost) services // {
      hostwright-apply = hosted {
        description = "Restart Ollama for what Hostwright has changed";
        wantedBy = [ "multi-user.target" ];
        # At boot the server starts after this, and there is nothing to restart.
        before = [ "ollama.service" ];
        restartTriggers = dropIn.lines ++ [ (builtins.toJSON chosen) ];
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
          ++ map (name: "systemd/system/${name}.service") (lib.attrNames services ++ [ "hostwright-apply" ])
        );
      };
    };
  };
}
