{
  services.ollama = {
    enable = true;
    environmentVariables.acceleration = "cuda";
  };
}
