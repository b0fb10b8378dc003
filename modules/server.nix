# The server: upstream's `services.ollama`, and what it has no option for.
{
  config,
  lib,
  options,
  pkgs,
  utils,
  ...
}:
let
  inherit (lib) mkDefault mkIf;
  cfg = config.hostwright;
  service = cfg.planned;
  hw = import ./lib.nix { inherit lib; };
  isServed = hw.isServed config;

  hasAcceleration = hw.hasAcceleration options;
  modelsDir = hw.modelsDir options;

  driver = hw.driver cfg;
  architectures = lib.optionals (driver != null) driver.cuda_architectures;
  built = import ./build.nix { inherit lib pkgs; } (cfg.newest.build or null);
  packages = {
    cpu = pkgs.ollama-cpu or pkgs.ollama;
    cuda =
      if architectures == [ ] then
        pkgs.ollama-cuda
      else
        pkgs.ollama-cuda.override {
          cudaArches = architectures;
          cudaPackages = pkgs."cudaPackages_${toString driver.cuda_major}";
        };
    rocm = pkgs.ollama-rocm;
    vulkan = pkgs.ollama-vulkan;
  };

  soft = lib.mapAttrs (_: mkDefault);
  devices = hw.devices cfg;
  waits = lib.optional (devices != null && devices.wait != null) devices.wait;

  # A Plan of before has neither.
  cache = service.cache or "";
  gate = service.health.gate or null;
  gated = cfg.healthGate && gate != null;

  command = hw.command { inherit pkgs utils; } service.name;
  handing = hw.handing command cfg;
  before = map (step: command step.argv) waits ++ handing.ExecStartPre or [ ];
  start = lib.optionalAttrs gated (import ./gate.nix { inherit config lib pkgs utils; } waits);
in
{
  imports = [ ./plan.nix ];

  config = mkIf cfg.enable {
    services.ollama = {
      enable = mkDefault true;
      package = mkDefault (
        if cfg.package == null then built packages.${cfg.ollama.acceleration} else cfg.package
      );
      host = mkDefault (hw.bracketed (hw.percent cfg.ollama.host));
      port = mkDefault cfg.ollama.port;
      openFirewall = mkDefault cfg.ollama.openFirewall;
      environmentVariables = soft (lib.mapAttrs (_: hw.percent) (hw.given cfg.settings));
      loadModels = lib.unique cfg.models;
      # Which names are set must not hang on the profile, for a host that is not enabled has none.
      user = mkIf (cfg.service.user != null) (mkDefault cfg.service.user);
      group = mkIf (cfg.service.group != null) (mkDefault cfg.service.group);
      ${modelsDir} = mkIf (cfg.ollama.modelsDir != null) (mkDefault cfg.ollama.modelsDir);
      home = mkIf (service.home != "") (mkDefault service.home);
    }
    // lib.optionalAttrs hasAcceleration {
      acceleration = mkDefault (
        if cfg.ollama.acceleration == "cpu" then false else cfg.ollama.acceleration
      );
    };

    systemd.services.ollama = mkIf isServed {
      inherit (service) after;
      wants = service.after;
      path = start.path or [ ];
      serviceConfig =
        soft (hw.limits cfg)
        // soft {
          Restart = service.restart.policy;
          RestartSec = service.restart.seconds;
        }
        // lib.optionalAttrs (cache != "") { CacheDirectory = mkDefault (baseNameOf cache); }
        // handing
        // lib.optionalAttrs (before != [ ]) { ExecStartPre = before; }
        // start.serviceConfig or { };
    };

    assertions = lib.optionals isServed [
      {
        assertion = gated == cfg.healthGate;
        message = "hostwright.healthGate: the plan is of an older release, and says nothing of how the server is asked; write it again with `gen plan`.";
      }
      {
        assertion = cfg.service.group == null || config.services.ollama.user != null;
        message = "hostwright.service.group is ${toString cfg.service.group}, which does nothing for a dynamic user; name the user, too, in hostwright.service.user.";
      }
    ];

    system.checks = lib.optional (isServed && cfg.checkPlan != null) (
      import ./check.nix {
        inherit lib pkgs;
        inherit (cfg) plan;
        gen = cfg.checkPlan;
        unit = config.systemd.units."ollama.service".text;
      }
    );
  };
}
