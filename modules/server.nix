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
  inherit (cfg) service;
  hw = import ./lib.nix { inherit lib; };

  # Up to NixOS 25.11 an option, not the package, picks the backend.
  hasAcceleration =
    options.services.ollama ? acceleration
    && (options.services.ollama.acceleration.visible or true);

  driver = hw.driver cfg;
  architectures = lib.optionals (driver != null) driver.cuda_architectures;
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
  given = lib.filterAttrs (_: value: value != null);
  limits = lib.mapAttrs' (_: limit: {
    name = limit.key;
    value = cfg.resources.${limit.option};
  }) hw.limits;
  # NixOS writes its own over these.
  elsewhere = {
    HOME = "services.ollama.home";
    OLLAMA_HOST = "hostwright.exposure";
    OLLAMA_MODELS = "hostwright.modelsDir";
  };
  lost = lib.filter (name: cfg.settings ? ${name}) (lib.attrNames elsewhere);
  version = config.services.ollama.package.version or service.release;
  isOther =
    lib.versionOlder version service.era_since
    || (service.era_until != "" && lib.versionAtLeast version service.era_until);
  address = hw.variable cfg.exposure.host;
  host = if lib.hasInfix ":" address then "[${address}]" else address;
  wait = if cfg.acceleration == "cpu" || service.devices == null then null else service.devices.wait;
in
{
  imports = [ ./plan.nix ];

  config = mkIf cfg.enable {
    services.ollama = {
      enable = mkDefault true;
      package = mkDefault (if cfg.package == null then packages.${cfg.acceleration} else cfg.package);
      host = mkDefault host;
      port = mkDefault cfg.exposure.port;
      openFirewall = mkDefault cfg.exposure.openFirewall;
      environmentVariables = soft (lib.mapAttrs (_: hw.variable) (given cfg.settings));
      loadModels = lib.unique (map (model: model.name) cfg.models);
      # Which names are set must not hang on the profile, for a host that is not enabled has none.
      user = mkIf (cfg.user != null) (mkDefault cfg.user);
      group = mkIf (cfg.group != null) (mkDefault cfg.group);
      models = mkIf (cfg.modelsDir != null) (mkDefault cfg.modelsDir);
      home = mkIf (service.home != "") (mkDefault service.home);
    }
    // lib.optionalAttrs hasAcceleration {
      acceleration = mkDefault (if cfg.acceleration == "cpu" then false else cfg.acceleration);
    };

    systemd.services.ollama = {
      inherit (service) after;
      wants = service.after;
      serviceConfig =
        soft (given limits)
        // soft {
          Restart = service.restart.policy;
          RestartSec = service.restart.seconds;
        }
        // lib.optionalAttrs (wait != null) {
          ExecStartPre = [ (utils.escapeSystemdExecArgs wait.argv) ];
        };
    };

    assertions = [
      {
        assertion = cfg.group == null || config.services.ollama.user != null;
        message = "hostwright.group is ${toString cfg.group}, which does nothing for a dynamic user; name the user, too, in hostwright.user.";
      }
    ]
    ++ map (name: {
      assertion = false;
      message = "hostwright.settings.${name} never reaches the server, because NixOS writes its own over it; set ${elsewhere.${name}}.";
    }) lost;

    warnings = lib.optional isOther "hostwright: the profile is for Ollama ${service.release}; some of it does nothing in the packaged ${version}. Write its plan with `gen plan --ollama-version ${version}`.";

    systemd.tmpfiles.rules = lib.optional (
      cfg.modelsDir != null && cfg.user != null
    ) "d ${cfg.modelsDir} 0750 ${cfg.user} ${if cfg.group == null then cfg.user else cfg.group}";
  };
}
