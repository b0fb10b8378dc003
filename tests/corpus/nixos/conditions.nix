{ config, lib, pkgs, ... }:
lib.mkMerge [
  (lib.mkIf (config.networking.hostName == "tower") {
    services.ollama = {
      enable = true;
      package = pkgs.ollama-rocm;
      rocmOverrideGfx = "11.0.0";
      user = "ollama";
      group = "ollama";
      host = "[::1]";
      syncModels = true;
      loadModels = lib.optionals config.lab.large [ "qwen3:32b" ] ++ [ "qwen3:8b" ];
      environmentVariables = {
        OLLAMA_KEEP_ALIVE = lib.mkDefault "2h";
        OLLAMA_CONTEXT_LENGTH = toString (8 * 1024);
      };
    };
    systemd.services.ollama = {
      environment.OLLAMA_HOST = lib.mkForce "10.0.0.7:11434";
      serviceConfig = {
        Restart = "on-failure";
        PrivateUsers = lib.mkForce false;
        SupplementaryGroups = [ "video" ];
      };
    };
  })
]
