{
  systemd.services.ollama.serviceConfig = {
    Restart = "on-failure";
    MemoryMax = "32GiB";
  };
}
