# The desk of the office, on NixOS 25.11.
{ config, pkgs, ... }:
{
  services.ollama = {
    enable = true;
    acceleration = "cuda";
  };
  environment.etc."systemd/system/ollama.service.d/keep.conf".text = ''
    [Service]
    Environment=OLLAMA_KEEP_ALIVE=1d
    StartLimitIntervalSec=600
  '';
  environment.etc."containers/systemd/ollama.container".source = pkgs.writeText "ollama.container" ''
    [Container]
    Image=docker.io/ollama/ollama:0.32.15
    Volume=${config.users.users.llm.home}/models:/root/.ollama
    Environment=OLLAMA_NUM_THREADS=4
    [Service]
    Restart=always
  '';
}
