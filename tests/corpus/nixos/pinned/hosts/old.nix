{ unstable, ... }:
{
  services.ollama = {
    enable = true;
    acceleration = "cuda";
    package = unstable.ollama;
    environmentVariables.OLLAMA_GPU_OVERHEAD = "1073741824";
  };
  systemd.services.ollama.serviceConfig.Restart = "on-failure";
}
