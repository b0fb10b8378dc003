# Boots a host of the xeon-cpu profile, smaller than the profile's, and asks systemd what it runs.
{ self, testers }:
testers.runNixOSTest {
  name = "hostwright-xeon-cpu";

  nodes.machine =
    { lib, ... }:
    {
      imports = [ self.nixosModules.xeon-cpu ];
      virtualisation = {
        cores = 2;
        memorySize = 2048;
      };
      # There is no registry to pull from.
      hostwright = {
        models = lib.mkForce [ ];
        resources = {
          cpuQuota = "200%";
          memoryMax = "1G";
        };
        threads.count = 2;
      };
    };

  testScript = ''
    machine.wait_for_unit("ollama.service")
    machine.wait_for_open_port(11434)
    machine.succeed("curl --fail --silent http://127.0.0.1:11434/api/version")

    limits = machine.succeed("systemctl show ollama.service -p MemoryMax,CPUQuotaPerSecUSec")
    assert "MemoryMax=1073741824\n" in limits, limits
    assert "CPUQuotaPerSecUSec=2s\n" in limits, limits

    told = machine.succeed("systemctl show ollama.service -p Environment")
    variables = told.removeprefix("Environment=").split()
    for wanted in ("LLAMA_ARG_THREADS=2", "OLLAMA_CONTEXT_LENGTH=8192", "OLLAMA_KV_CACHE_TYPE=q8_0"):
        assert wanted in variables, told
    server = machine.succeed("systemctl show ollama.service -p MainPID --value").strip()
    machine.succeed(f"grep --null-data --line-regexp LLAMA_ARG_THREADS=2 /proc/{server}/environ")
  '';
}
