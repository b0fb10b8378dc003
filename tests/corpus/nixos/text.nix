{ config, ... }:
{
  services.ollama.enable = true;
  services.open-webui = {
    enable = true;
    environment.OLLAMA_API_BASE_URL = "http://127.0.0.1:${config.services.ollama.port}";
  };
}
