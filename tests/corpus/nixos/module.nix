# A module of one's own around the service, and a second server in a container.
{ config, lib, ... }:
let
  cfg = config.services.lab;
in
{
  options.services.lab.enable = lib.mkEnableOption "the models of the lab";

  config = lib.mkIf cfg.enable {
    services.ollama = {
      enable = true;
      environmentVariables.OLLAMA_NUM_THREADS = "8";
    };
    systemd.services.ollama.serviceConfig = {
      Restart = "on-failure";
      CPUQuota = "2000";
      MemoryMax = "20GiB";
    };
    virtualisation.oci-containers.containers.embeddings = {
      image = "ollama/ollama:0.32.15";
      ports = [ "11435:11434" ];
      volumes = [ "embeddings:/root/.ollama" ];
      environment = {
        LLAMA_ARG_THREADS = "8";
        OLLAMA_KEEP_ALIVE = "forever";
      };
      extraOptions = [ "--cpus=6" ];
    };
  };
}
