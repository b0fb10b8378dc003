{ pkgs, ... }:
{
  imports = [ ./limits.nix ];
  services.ollama = {
    enable = true;
    package = pkgs.ollama-cuda;
    modelsDir = "/srv/models";
    environmentVariables.OLLAMA_GPU_OVERHEAD = "1073741824";
  };
}
