{
  services.ollama = {
    enable = true;
    openFirewall = true;
  };
}
