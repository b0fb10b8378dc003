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
  inherit (types) attrsOf bool enum int listOf nullOr oneOf package port raw str submodule;
  old = variant == "25.11";
  cfg = config.services.ollama;
  option = type: default: mkOption { inherit type default; };
  static = cfg.user != null && cfg.group != null;
  server = if old then cfg.package.override { inherit (cfg) acceleration; } else cfg.package;

  units = import ./units.nix { inherit lib; };
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

    systemd.services = option (attrsOf (submodule units.service)) { };
    systemd.units = option (attrsOf raw) { };
    systemd.tmpfiles.rules = option (listOf str) [ ];
    system.checks = option (listOf package) [ ];
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
        value.text = units.text name service;
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
