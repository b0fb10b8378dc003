{ lib, pkgs, ... }:
let
  port = 11434;
in
{
  hardware.nvidia.open = false;

  services.ollama = {
    enable = true;
    host = "0.0.0.0";
    inherit port;
    openFirewall = true;
    loadModels = [
      "llama3.1:8b"
      "llama3.2:8b"
    ];
    environmentVariables = {
      OLLAMA_NUM_GPU = "999";
      OLLAMA_KEEP_ALIVE = "1d";
      OLLAMA_IGPU_ENABLE = "0";
      HF_TOKEN = "hf_m5n6b7v8c9";
    };
  };

  systemd.services.ollama.serviceConfig = {
    MemoryMax = "100GiB";
    CPUWeight = 100;
  };
}
