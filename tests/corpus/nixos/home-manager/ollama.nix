{ config, pkgs, ... }:
{
  home.packages = [ pkgs.oterm ];
  services.ollama = {
    enable = true;
    acceleration = "cuda";
    environmentVariables = {
      OLLAMA_CONTEXT_LENGTH = "16384";
      OLLAMA_MODELS = "${config.home.homeDirectory}/.ollama/models";
    };
  };
}
