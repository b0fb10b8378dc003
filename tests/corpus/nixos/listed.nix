{ pkgs, ... }:
{
  services.ollama = {
    enable = true;
    package = pkgs.ollama-cuda;
  };
  systemd.services.ollama.serviceConfig = {
    Environment = [
      "OLLAMA_KEEP_ALIVE=24h"
      "OLLAMA_NUM_CTX=32768"
    ];
  };
}
