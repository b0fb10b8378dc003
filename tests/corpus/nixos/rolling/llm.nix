{ pkgs, ... }:
{
  services.ollama = {
    enable = true;
    package = pkgs.ollama-cuda;
    models = "/srv/models";
    user = "ollama";
  };
  systemd.services.ollama.serviceConfig.Restart = "on-failure";
}
