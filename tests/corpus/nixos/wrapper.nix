# A switch of somebody's own around the module of NixOS, as in many repositories.
{
  config,
  lib,
  pkgs,
  myvars,
  ...
}:
with lib;
let
  cfg = config.my.services.ollama;
in
{
  options.my.services.ollama = {
    enable = mkEnableOption "models on this host";
    port = mkOption {
      type = types.port;
      default = 11434;
    };
    vram = mkOption {
      type = types.str;
    };
  };

  config = mkIf (cfg.enable && myvars.gpu != null) {
    services.ollama = {
      enable = true;
      inherit (cfg) port;
      package = myvars.packages.ollama-rocm;
      home = "${myvars.disk}/ollama";
      openFirewal = true;
      environmentVariables = {
        OLLAMA_MAX_VRAM = cfg.vram;
        OLLAMA_NUM_PARALLEL = 4;
        OLLAMA_FLASH_ATTENTION = "1";
      };
    };
    systemd.services.ollama.serviceConfig.Restart = "always";
  };
}
