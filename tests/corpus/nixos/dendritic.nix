# A feature of a dendritic configuration: the module stands within a module of flake-parts.
{ inputs, ... }:
{
  flake.modules.nixos.local-ai =
    { lib, pkgs, ... }:
    let
      keep = "1d";
    in
    {
      services.ollama = {
        enable = true;
        package = pkgs.ollama-vulkan;
        host = "0.0.0.0:8080";
        environmentVariables = {
          OLLAMA_KEEP_ALIVE = keep;
          OLLAMA_MODELS = "/tank/models";
        };
      };
      systemd.services.ollama.serviceConfig = {
        Restart = "on-failure";
        DynamicUser = lib.mkForce false;
        ProtectHome = false;
        UMask = lib.mkDefault "0027";
      };
    };

  flake.modules.homeManager.local-ai =
    { pkgs, ... }:
    {
      services.ollama.acceleration = "cuda";
      home.packages = [ pkgs.oterm ];
    };
}
