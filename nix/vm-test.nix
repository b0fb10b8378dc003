# Boots hosts and asks systemd what they run: one of the xeon-cpu profile, smaller than the profile's,
# and, on a stand-in for the server, one with its own user and directory that pulls from a registry,
# creates and loads models and gets another release, and one whose server never answers.
{ self, testers }:
let
  # A server without models, of a release that the host is told.
  stub = pkgs: version: {
    package = pkgs.writers.writePython3Bin "ollama" { doCheck = false; } ./stub-ollama.py // {
      inherit version;
    };
    settings.STUB_VERSION = version;
  };
  small = {
    virtualisation = {
      cores = 2;
      memorySize = 1024;
    };
    hostwright.resources = {
      cpuQuota = "200%";
      memoryMax = "512M";
    };
  };
in
testers.runNixOSTest {
  name = "hostwright";

  nodes = {
    machine =
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

    registry =
      { pkgs, ... }:
      {
        networking.firewall.allowedTCPPorts = [ 8000 ];
        systemd.services.registry = {
          wantedBy = [ "multi-user.target" ];
          script = ''
            mkdir -p /tmp/models && cd /tmp/models
            touch "llama3.1:8b"
            exec ${pkgs.python3}/bin/python3 -m http.server 8000
          '';
        };
      };

    owner =
      { lib, pkgs, ... }:
      {
        imports = [
          self.nixosModules.default
          small
        ];
        hostwright = {
          enable = true;
          profile = "xeon-cpu";
          healthGate = true;
          # In this release a model is created with its threads.
          models = lib.mkForce [ "llama3.1:8b" ];
          warmup = {
            enable = true;
            models = [ "llama3.1:8b-tuned" ];
          };
          service.user = "llm";
          ollama.modelsDir = "/srv/models";
          inherit (stub pkgs "0.24.0") package settings;
        };
        specialisation.newer.configuration.hostwright = {
          package = lib.mkForce (stub pkgs "0.32.15").package;
          settings.STUB_VERSION = lib.mkForce "0.32.15";
          warmup.models = lib.mkForce [ "llama3.1:8b" ];
        };
      };

    silent =
      { lib, pkgs, ... }:
      {
        imports = [
          self.nixosModules.default
          small
        ];
        hostwright = {
          enable = true;
          profile = "xeon-cpu";
          healthGate = true;
          models = lib.mkForce [ ];
          warmup = {
            enable = false;
            models = lib.mkForce [ ];
          };
          inherit (stub pkgs "0.32.15") package;
          settings = {
            STUB_VERSION = "0.32.15";
            STUB_SILENT = "1";
          };
        };
      };
  };

  testScript = ''
    def shown(node, *names):
        return node.succeed(f"systemctl show ollama.service -p {','.join(names)}")

    start_all()

    with subtest("the profile is what runs"):
        machine.wait_for_unit("ollama.service")
        machine.wait_for_open_port(11434)
        machine.succeed("curl --fail --silent http://127.0.0.1:11434/api/version")
        limits = shown(machine, "MemoryMax", "CPUQuotaPerSecUSec")
        assert "MemoryMax=1073741824\n" in limits, limits
        assert "CPUQuotaPerSecUSec=2s\n" in limits, limits
        told = shown(machine, "Environment")
        variables = told.removeprefix("Environment=").split()
        for wanted in ("LLAMA_ARG_THREADS=2", "OLLAMA_CONTEXT_LENGTH=8192", "OLLAMA_KV_CACHE_TYPE=q8_0"):
            assert wanted in variables, told
        server = machine.succeed("systemctl show ollama.service -p MainPID --value").strip()
        machine.succeed(f"grep --null-data --line-regexp LLAMA_ARG_THREADS=2 /proc/{server}/environ")

    with subtest("a drop-in of the operator wins"):
        folder = "/run/systemd/system/ollama.service.d"
        machine.succeed(f"mkdir -p {folder} && printf '[Service]\\nMemoryMax=768M\\n' > {folder}/90-own.conf")
        machine.succeed("systemctl daemon-reload && systemctl restart ollama.service")
        assert "MemoryMax=805306368\n" in shown(machine, "MemoryMax")
        assert "CPUQuotaPerSecUSec=2s\n" in shown(machine, "CPUQuotaPerSecUSec")

    with subtest("the directory of the models has its owner"):
        registry.wait_for_open_port(8000)
        owner.wait_for_unit("ollama.service")
        assert owner.succeed("stat --format=%U:%a /srv/models").strip() == "llm:750"

    with subtest("models are pulled, created and loaded"):
        owner.wait_until_succeeds("test -e /srv/models/llama3.1:8b", timeout=120)
        owner.wait_until_succeeds("journalctl -u ollama.service | grep 'loaded llama3.1:8b-tuned'", timeout=120)

    with subtest("another release takes over, and keeps the models"):
        before = owner.succeed("systemctl show ollama.service -p MainPID --value")
        owner.succeed("/run/current-system/specialisation/newer/bin/switch-to-configuration test")
        owner.wait_for_unit("ollama.service")
        assert before != owner.succeed("systemctl show ollama.service -p MainPID --value")
        assert "0.32.15" in owner.succeed("curl --fail --silent http://127.0.0.1:11434/")
        owner.succeed("test -e /srv/models/llama3.1:8b")
        assert "LLAMA_ARG_THREADS=" in shown(owner, "Environment")

    with subtest("a server that never answers has not started"):
        silent.wait_until_succeeds("systemctl show ollama.service -p Result | grep -v success", timeout=300)
        silent.fail("systemctl is-active --quiet ollama.service")
  '';
}
