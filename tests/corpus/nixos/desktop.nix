# A workstation with a Radeon.
{ config, pkgs, lib, ... }:
{
  services.ollama = {
    enable = true;
    acceleration = "rocm";
    rocmOverrideGfx = "gfx1031";
    models = "/srv/ollama";
    environmentVariables = {
      OLLAMA_DEBUG = "1";
      OLLAMA_LLM_LIBRARY = "rocm_v60002";
      OLLAMA_MAX_QUEUE = "1k";
    };
  };
  # hostwright: ignore HW513 because the machine is restarted every night
}
