# A unit without the module of NixOS for it.
{ pkgs, ... }:
{
  systemd.services.ollama = {
    wantedBy = [ "multi-user.target" ];
    environment.OLLAMA_MODELS = "/home/kim/models";
    serviceConfig = {
      ExecStart = "${pkgs.ollama}/bin/ollama serve";
      Restart = "always";
      DynamicUser = true;
      StateDirectory = "ollama";
    };
  };
}
