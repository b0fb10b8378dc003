{ ... }:
{
  services.ollama.enable = true;
  systemd.services.ollama = {
    after = [ "nvidia-persistenced.service" ];
    wants = [ "nvidia-persistenced.service" ];
    serviceConfig.Restart = "on-failure";
  };
}
