{ config, lib, pkgs, ... }:

{
  services.ollama = {
    enable = true;
    package = pkgs.ollama-cuda;
    loadModels = [ "qwen2.5-coder:7b" ];
    environmentVariables = {
      OLLAMA_CONTEXT_LENGTH = "8192";
      OLLAMA_KEEP_ALIVE = "30m";
    };
  };

  systemd.services.ollama.serviceConfig = {
    Restart = lib.mkForce "always";
    CPUWeight = 50;
  };
}
