# What a generated NixOS module may rely on: the upstream options that it sets, with upstream's
# types, and what upstream makes of them. Our own words for the facts of nixpkgs'
# nixos/modules/services/misc/ollama.nix and nixos/lib/systemd-*.nix; options that no rendered
# module needs are left out, so that setting one is an error here.
#
# `variant` is the NixOS release whose services.ollama this is: "25.11" still has `acceleration`,
# "new" keeps it only to refuse it. Usable with any `lib` that has evalModules; `pkgs` and
# `nvidiaPackages` are arguments of the evaluation and of this file.
{ lib, nvidiaPackages ? { }, variant ? "new" }:
{ config, options, pkgs, ... }:
let
  inherit (lib) mkEnableOption mkIf mkOption optional optionalAttrs types;
  inherit (types)
    attrsOf bool either enum int lines listOf nullOr oneOf package path port raw str submodule
    ;
  old = variant == "25.11";
  cfg = config.services.ollama;
  option = type: default: mkOption { inherit type default; };
  static = cfg.user != null && cfg.group != null;
  server = if old then cfg.package.override { inherit (cfg) acceleration; } else cfg.package;

  # ── units, as nixos/lib/systemd-*.nix has them ────────────────────────────────────────────────
  # A list anywhere makes all definitions add up; plain values must agree.
  unitValue = lib.mkOptionType {
    name = "systemd option";
    merge =
      loc: defs:
      if lib.any (d: lib.isList d.value) defs then
        lib.concatMap (d: lib.toList d.value) defs
      else
        lib.mergeEqualOption loc defs;
  };
  restarts = [ "no" "on-success" "on-failure" "on-abnormal" "on-abort" "always" ];
  kinds = [ "exec" "simple" "forking" "oneshot" "dbus" "notify" "notify-reload" "idle" ];
  serviceSection = types.addCheck (attrsOf unitValue) (
    section:
    lib.all (key: !(lib.isString (section.${key} or null)) || lib.elem section.${key} {
      Restart = restarts;
      Type = kinds;
    }.${key}) [ "Restart" "Type" ]
  );
  unitName = types.strMatching
    "[a-zA-Z0-9@%:_.\\-]+[.](service|socket|device|mount|automount|swap|target|path|timer|scope|slice)";
  unitNames = option (listOf unitName) [ ];
  relations = {
    after = "After";
    before = "Before";
    bindsTo = "BindsTo";
    conflicts = "Conflicts";
    onFailure = "OnFailure";
    partOf = "PartOf";
    requires = "Requires";
    requisite = "Requisite";
    wants = "Wants";
  };
  unit = submodule {
    options = lib.mapAttrs (_: _: unitNames) relations // {
      wantedBy = unitNames;
      requiredBy = unitNames;
      enable = option bool true;
      description = option str "";
      environment = option (attrsOf (nullOr (oneOf [ str path package ]))) { };
      path = option (listOf (oneOf [ package str ])) [ ];
      serviceConfig = option serviceSection { };
      unitConfig = option (attrsOf unitValue) { };
      startLimitBurst = option (nullOr int) null;
      startLimitIntervalSec = option (nullOr int) null;
      restartIfChanged = option bool true;
      stopIfChanged = option bool true;
      restartTriggers = option (listOf raw) [ ];
      script = option lines "";
      preStart = option lines "";
      postStart = option lines "";
      preStop = option lines "";
      postStop = option lines "";
    };
  };

  # NixOS prints a value as JSON does, leaves `%` alone, and sorts by key.
  scalar = value: if lib.isBool value then lib.boolToString value else toString value;
  section = attrs: lib.concatStrings (
    lib.mapAttrsToList (
      key: value: lib.concatMapStringsSep "" (item: "${key}=${scalar item}\n") (lib.toList value)
    ) attrs
  );
  variable = name: value: "Environment=${builtins.toJSON "${name}=${toString value}"}\n";
  hooks = {
    script = "ExecStart";
    preStart = "ExecStartPre";
    postStart = "ExecStartPost";
    preStop = "ExecStop";
    postStop = "ExecStopPost";
  };
  unitText = name: service:
    let
      filled = lib.filterAttrs (_: value: value != [ ] && value != "" && value != null);
      related = lib.mapAttrs' (option: key: {
        name = key;
        value = lib.concatStringsSep " " service.${option};
      }) relations;
      head = filled (related // {
        Description = service.description;
        StartLimitBurst = service.startLimitBurst;
        StartLimitIntervalSec = service.startLimitIntervalSec;
      });
      scripted = lib.mapAttrs' (hook: key: {
        name = key;
        value = "${builtins.storeDir}/00000000000000000000000000000000-${name}-${hook}/bin/${hook}";
      }) (lib.filterAttrs (hook: _: service.${hook} != "") hooks);
      variables = lib.filterAttrs (_: value: value != null) service.environment;
    in
    "[Unit]\n${section (head // service.unitConfig)}\n[Service]\n"
    + lib.concatStrings (lib.mapAttrsToList variable variables)
    + section (scripted // service.serviceConfig);
  lonely = name: service:
    lib.elem "network-online.target" service.after
    && !lib.elem "network-online.target" (service.wants ++ service.requires ++ service.bindsTo);
in
{
  options = {
    assertions = option (listOf raw) [ ];
    warnings = option (listOf str) [ ];

    services.ollama = {
      enable = mkEnableOption "the server";
      package = option package pkgs.ollama;
      user = option (nullOr str) null;
      group = option (nullOr str) cfg.user;
      home = option str "/var/lib/ollama";
      models = option str "${cfg.home}/models";
      host = option str "127.0.0.1";
      port = option port 11434;
      rocmOverrideGfx = option (nullOr str) null;
      environmentVariables = option (attrsOf str) { };
      loadModels = option (listOf str) [ ];
      syncModels = option bool false;
      openFirewall = option bool false;
      acceleration =
        if old then
          option (nullOr (enum [ false "rocm" "cuda" "vulkan" ])) null
        else
          mkOption {
            visible = false;
            apply = _: throw "services.ollama.acceleration no longer has any effect";
          };
    };

    systemd.services = option (attrsOf unit) { };
    systemd.units = option (attrsOf raw) { };
    systemd.tmpfiles.rules = option (listOf str) [ ];
    users.users = option (attrsOf (attrsOf raw)) { };
    users.groups = option (attrsOf (attrsOf raw)) { };
    networking.firewall.allowedTCPPorts = option (listOf port) [ ];
    services.xserver.videoDrivers = option (listOf str) [ ];
    hardware.graphics.enable = option bool false;
    hardware.nvidia = {
      open = option (nullOr bool) null;
      package = option package nvidiaPackages.stable;
      modesetting.enable = option bool false;
      nvidiaPersistenced = option bool false;
      powerManagement.enable = option bool false;
    };
    boot.kernelModules = option (listOf str) [ ];
    boot.kernelParams = option (listOf str) [ ];
    boot.kernel.sysctl = option (attrsOf (nullOr (oneOf [ bool str int ]))) { };
    boot.kernelPackages = option raw { inherit nvidiaPackages; };
    nixpkgs.config = option (attrsOf raw) { };
    environment.systemPackages = option (listOf package) [ ];
  };

  config = lib.mkMerge [
    {
      systemd.units = lib.mapAttrs' (name: service: {
        name = "${name}.service";
        value.text = unitText name service;
      }) (lib.filterAttrs (_: service: service.enable) config.systemd.services);
      warnings = lib.mapAttrsToList (
        name: _: "${name}.service is ordered after 'network-online.target' but doesn't depend on it"
      ) (lib.filterAttrs lonely config.systemd.services);
      assertions = optional (!old) {
        assertion = !options.services.ollama.acceleration.isDefined;
        message = "The option `services.ollama.acceleration' no longer has any effect; set package.";
      };
    }
    (mkIf cfg.enable {
      networking.firewall.allowedTCPPorts = optional cfg.openFirewall cfg.port;
      users.users = optionalAttrs static { ${cfg.user} = { inherit (cfg) group home; }; };
      users.groups = optionalAttrs static { ${cfg.group} = { }; };
      systemd.services.ollama = {
        description = "Server for local large language models";
        wantedBy = [ "multi-user.target" ];
        after = [ "network.target" ];
        # The right side wins: these three cannot be set by environmentVariables.
        environment = cfg.environmentVariables // {
          HOME = cfg.home;
          OLLAMA_MODELS = cfg.models;
          OLLAMA_HOST = "${cfg.host}:${toString cfg.port}";
        } // optionalAttrs (cfg.rocmOverrideGfx != null) {
          HSA_OVERRIDE_GFX_VERSION = cfg.rocmOverrideGfx;
        };
        serviceConfig = optionalAttrs static { User = cfg.user; Group = cfg.group; } // {
          Type = "exec";
          DynamicUser = true;
          ExecStart = "${server}/bin/ollama serve";
          WorkingDirectory = cfg.home;
          StateDirectory = [ "ollama" ];
          ReadWritePaths = [ cfg.home cfg.models ];
          CapabilityBoundingSet = [ "" ];
          DeviceAllow = [
            "char-nvidiactl" "char-nvidia-caps" "char-nvidia-frontend" "char-nvidia-uvm"
            "char-drm" "char-fb" "char-kfd" "/dev/dxg"
          ];
          DevicePolicy = "closed";
          LockPersonality = true;
          MemoryDenyWriteExecute = true;
          NoNewPrivileges = true;
          PrivateDevices = false;
          PrivateTmp = true;
          PrivateUsers = true;
          ProcSubset = "all";
          ProtectClock = true;
          ProtectControlGroups = true;
          ProtectHome = true;
          ProtectHostname = true;
          ProtectKernelLogs = true;
          ProtectKernelModules = true;
          ProtectKernelTunables = true;
          ProtectProc = "invisible";
          ProtectSystem = "strict";
          RemoveIPC = true;
          RestrictAddressFamilies = [ "AF_INET" "AF_INET6" "AF_UNIX" ];
          RestrictNamespaces = true;
          RestrictRealtime = true;
          RestrictSUIDSGID = true;
          SupplementaryGroups = [ "render" ];
          SystemCallArchitectures = "native";
          SystemCallFilter = [ "@system-service @resources" "~@privileged" ];
          UMask = "0077";
        };
      };
    })
    (mkIf (cfg.enable && (cfg.loadModels != [ ] || cfg.syncModels)) {
      systemd.services.ollama-model-loader = {
        description = "Download ollama models in the background";
        wantedBy = [ "multi-user.target" "ollama.service" ];
        wants = [ "network-online.target" ];
        after = [ "ollama.service" "network-online.target" ];
        bindsTo = [ "ollama.service" ];
        inherit (config.systemd.services.ollama) environment;
        serviceConfig = { Type = "exec"; DynamicUser = true; Restart = "on-failure"; };
        script = "true";
      };
    })
  ];
}
