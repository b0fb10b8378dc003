# What a generated NixOS module may rely on: the upstream options that it sets, with upstream's
# types, and what upstream makes of them. Our own words for the facts of nixpkgs'
# nixos/modules/services/misc/ollama.nix, hardware/video/nvidia.nix and nixos/lib/systemd-*.nix;
# options that no rendered module needs are left out, so that setting one is an error here.
#
# `variant` is the NixOS release whose form this is. Which options of `services.ollama` it has, and
# which are renamed or removed, are the facts that `gen check` judges by. Usable with any `lib` that
# has evalModules; `pkgs` and `nvidiaPackages` are arguments of the evaluation and of this file.
{
  lib,
  nvidiaPackages ? { },
  variant ? "unstable",
  facts ? ../../generator/catalogue/catalogue.json,
}:
{
  config,
  options,
  pkgs,
  ...
}:
let
  inherit (lib)
    elem
    filterAttrs
    mkIf
    mkOption
    optional
    optionalAttrs
    types
    ;
  inherit (types)
    attrsOf
    bool
    enum
    int
    listOf
    nullOr
    oneOf
    package
    port
    raw
    str
    submodule
    ;
  cfg = config.services.ollama;
  declared = options.services.ollama;
  option = type: default: mkOption { inherit type default; };
  static = cfg.user != null && cfg.group != null;

  # ── the forms of services.ollama ──
  inherit (builtins.fromJSON (builtins.readFile facts)) module_option;
  came = fact: !(variant < fact.since or "");
  went = fact: fact ? until && !(variant < fact.until);
  those =
    keep:
    lib.listToAttrs (map (fact: lib.nameValuePair fact.name fact) (lib.filter keep module_option));
  current = those (fact: came fact && !(went fact));
  renamed = those (fact: went fact && fact ? renamed);
  removed = those (fact: went fact && !(fact ? renamed));
  typeOf =
    fact:
    {
      inherit bool package port;
      enum = nullOr (enum ([ false ] ++ fact.values or [ ]));
      "optional string" = nullOr str;
      string = str;
      strings = listOf str;
      variables = attrsOf str;
    }
    .${fact.type};
  modelsDir = "${cfg.home}/models";
  defaults = {
    inherit modelsDir;
    enable = false;
    package = pkgs.ollama;
    group = cfg.user;
    home = "/var/lib/ollama";
    models = modelsDir;
    host = "127.0.0.1";
    port = 11434;
    environmentVariables = { };
    loadModels = [ ];
    syncModels = false;
    openFirewall = false;
  };
  hidden = mkOption { visible = false; };
  old = current ? acceleration;
  server = if old then cfg.package.override { inherit (cfg) acceleration; } else cfg.package;
  models = cfg.${if current ? modelsDir then "modelsDir" else "models"};

  # ── the forms of hardware.nvidia ──
  # A driver by the name of its branch: nixpkgs#498612.
  hasBranch = !(variant < "26.05");
  # 580 is the last driver of Pascal; older releases have none of that name.
  drivers = lib.mapAttrs (name: driver: driver // { version = versions.${name} or newest; }) (
    filterAttrs (name: _: !(variant < "25.11") || name != "legacy_580") nvidiaPackages
  );
  versions.legacy_580 = "580.142";
  versions.legacy_535 = "535.288.01";
  newest =
    if variant < "25.11" then
      "570.195.03"
    else if variant < "26.05" then
      "580.126.09"
    else
      "595.71.05";
  inherit (config.hardware) nvidia;

  # What `pkgs.formats.yaml` takes.
  yaml = nullOr (oneOf [
    bool
    int
    types.float
    str
    (attrsOf yaml)
    (listOf yaml)
  ]);

  units = import ./units.nix { inherit lib; };
  lonely =
    _: service:
    elem "network-online.target" service.after
    && !elem "network-online.target" (service.wants ++ service.requires ++ service.bindsTo);
in
{
  options = {
    assertions = option (listOf raw) [ ];
    warnings = option (listOf str) [ ];

    services.ollama =
      lib.mapAttrs (name: fact: option (typeOf fact) (defaults.${name} or null)) current
      // lib.mapAttrs (_: _: hidden) (renamed // removed);

    # services/misc/litellm.nix, since 25.05.
    services.litellm = {
      enable = option bool false;
      host = option str "127.0.0.1";
      port = option port 8080;
      environment = option (attrsOf str) { };
      environmentFile = option (nullOr str) null;
      settings = option (attrsOf yaml) { };
    };
    # services/databases/redis.nix; its directives are words, and lists of several.
    services.redis.servers = option (attrsOf (submodule {
      options = {
        enable = option bool false;
        bind = option (nullOr str) "127.0.0.1";
        port = option port 0;
        save = option (nullOr (listOf (listOf int))) null;
        settings = option (attrsOf (oneOf [
          bool
          int
          str
          (listOf str)
        ])) { };
      };
    })) { };

    # services/networking/haproxy.nix; `config` is what it calls `lines`.
    services.haproxy = {
      enable = option bool false;
      config = option (nullOr str) null;
    };
    # services/web-servers/caddy/default.nix.
    services.caddy = {
      enable = option bool false;
      adapter = option (nullOr str) null;
      configFile = option (nullOr package) null;
      enableReload = option bool true;
    };

    systemd.services = option (attrsOf (submodule units.service)) { };
    systemd.timers = option (attrsOf (submodule {
      options = {
        wantedBy = option (listOf str) [ ];
        timerConfig = option (attrsOf (oneOf [
          bool
          str
          (listOf str)
        ])) { };
      };
    })) { };
    systemd.units = option (attrsOf raw) { };
    systemd.tmpfiles.rules = option (listOf str) [ ];
    system.checks = option (listOf package) [ ];
    users.users = option (attrsOf (attrsOf raw)) { };
    users.groups = option (attrsOf (attrsOf raw)) { };
    networking.firewall.allowedTCPPorts = option (listOf port) [ ];
    services.xserver.videoDrivers = option (listOf str) [ ];
    hardware.graphics.enable = option bool false;
    hardware.nvidia = {
      # No default but where the driver is older than 560: nixpkgs#339025.
      open = option (nullOr bool) null;
      package = option package drivers.${nvidia.branch or "stable"};
      modesetting.enable = option bool false;
      nvidiaPersistenced = option bool false;
      powerManagement.enable = option bool false;
    }
    // optionalAttrs hasBranch { branch = option (enum (lib.attrNames drivers)) "stable"; };
    boot.kernelModules = option (listOf str) [ ];
    boot.kernelParams = option (listOf str) [ ];
    boot.kernel.sysctl = option (attrsOf (
      nullOr (oneOf [
        bool
        str
        int
      ])
    )) { };
    boot.kernelPackages = option raw { nvidiaPackages = drivers; };
    nixpkgs.config = option (attrsOf raw) { };
    environment.systemPackages = option (listOf package) [ ];
  };

  config = lib.mkMerge [
    {
      systemd.units = lib.mapAttrs' (name: service: {
        name = "${name}.service";
        value.text = units.text name service;
      }) (filterAttrs (_: service: service.enable) config.systemd.services);
      warnings =
        lib.mapAttrsToList (
          name: _: "${name}.service is ordered after 'network-online.target' but doesn't depend on it"
        ) (filterAttrs lonely config.systemd.services)
        ++ lib.mapAttrsToList (
          name: fact:
          "The option `services.ollama.${name}' has been renamed to `services.ollama.${fact.renamed}'."
        ) (filterAttrs (name: _: declared.${name}.isDefined) renamed);
      assertions =
        lib.mapAttrsToList (name: fact: {
          assertion = !declared.${name}.isDefined;
          message = "The option `services.ollama.${name}' no longer has any effect: ${fact.instead}.";
        }) removed
        ++ [
          {
            assertion = !elem "nvidia" config.services.xserver.videoDrivers || nvidia.open != null;
            message = "You must configure `hardware.nvidia.open` on NVIDIA driver versions >= 560.";
          }
        ];
      services.ollama = lib.mapAttrs' (name: fact: {
        name = fact.renamed;
        value = mkIf declared.${name}.isDefined cfg.${name};
      }) renamed;
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
        environment =
          cfg.environmentVariables
          // {
            HOME = cfg.home;
            OLLAMA_MODELS = models;
            OLLAMA_HOST = "${cfg.host}:${toString cfg.port}";
          }
          // optionalAttrs (cfg.rocmOverrideGfx != null) {
            HSA_OVERRIDE_GFX_VERSION = cfg.rocmOverrideGfx;
          };
        serviceConfig =
          optionalAttrs static {
            User = cfg.user;
            Group = cfg.group;
          }
          // {
            Type = "exec";
            DynamicUser = true;
            ExecStart = "${server}/bin/ollama serve";
            WorkingDirectory = cfg.home;
            StateDirectory = [ "ollama" ];
            ReadWritePaths = [
              cfg.home
              models
            ];
            CapabilityBoundingSet = [ "" ];
            DeviceAllow = [
              "char-nvidiactl"
              "char-nvidia-caps"
              "char-nvidia-frontend"
              "char-nvidia-uvm"
              "char-drm"
              "char-fb"
              "char-kfd"
              "/dev/dxg"
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
            RestrictAddressFamilies = [
              "AF_INET"
              "AF_INET6"
              "AF_UNIX"
            ];
            RestrictNamespaces = true;
            RestrictRealtime = true;
            RestrictSUIDSGID = true;
            SupplementaryGroups = [ "render" ];
            SystemCallArchitectures = "native";
            SystemCallFilter = [
              "@system-service @resources"
              "~@privileged"
            ];
            UMask = "0077";
          };
      };
    })
    (mkIf (cfg.enable && (cfg.loadModels != [ ] || cfg.syncModels or false)) {
      systemd.services.ollama-model-loader = {
        description = "Download ollama models in the background";
        wantedBy = [
          "multi-user.target"
          "ollama.service"
        ];
        wants = [ "network-online.target" ];
        after = [
          "ollama.service"
          "network-online.target"
        ];
        bindsTo = [ "ollama.service" ];
        inherit (config.systemd.services.ollama) environment;
        serviceConfig = {
          Type = "exec";
          DynamicUser = true;
          Restart = "on-failure";
        };
        script = "true";
      };
    })
  ];
}
