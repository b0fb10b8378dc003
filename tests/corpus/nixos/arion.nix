{ config, ... }:
{
  virtualisation.arion.projects.chat.settings.services = {
    ollama.service = {
      image = "ollama/ollama:0.32.15";
      environment = {
        OLLAMA_NUM_THREADS = "6";
        OLLAMA_KEEP_ALIVE = "30m";
      };
      ports = [ "127.0.0.1:11434:11434" ];
      volumes = [ "ollama:/root/.ollama" ];
      restart = "unless-stopped";
    };
    web.service.image = "ghcr.io/open-webui/open-webui:v0.6.5";
  };
}
