{
  services.ollama = {
    enable = false;
    host = "0.0.0.0";
    port = 11434;
    openFirewall = true;
  };
}
