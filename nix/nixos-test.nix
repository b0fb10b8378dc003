# Hosts of the xeon-cpu profile, smaller than the profile's, which are booted and asked by
# nixos-test.py. Ollama is real; the registry that it pulls from is a stand-in on each host.
{
  lib,
  openssl,
  ollama-cpu,
  python3,
  runCommand,
  self,
  testers,
  writeShellScriptBin,
}:
let
  # The program is the same in both releases: what changes is the Plan that goes with it.
  older = ollama-cpu // {
    version = "0.21.1";
  };
  # One that never answers.
  silent = writeShellScriptBin "ollama" ''
    [ "$1" = serve ] && exec sleep infinity
    exit 1
  '';

  python = python3.withPackages (packages: [ packages.gguf ]);
  certificate = runCommand "registry-certificate" { nativeBuildInputs = [ openssl ]; } ''
    mkdir "$out"
    openssl req -x509 -newkey rsa:2048 -noenc -days 36500 -subj /CN=registry.ollama.ai \
      -addext subjectAltName=DNS:registry.ollama.ai,DNS:localhost \
      -keyout "$out/key.pem" -out "$out/cert.pem"
  '';
in
testers.runNixOSTest {
  name = "hostwright";

  defaults = {
    imports = [ self.nixosModules.xeon-cpu ];
    virtualisation = {
      cores = 2;
      memorySize = 2048;
    };
    hostwright = {
      resources = {
        cpuQuota = "200%";
        memoryMax = "1G";
      };
      threads.count = 2;
    };

    networking.hosts."127.0.0.1" = [ "registry.ollama.ai" ];
    security.pki.certificateFiles = [ "${certificate}/cert.pem" ];
    systemd.services.registry = {
      before = [ "ollama.service" ];
      wantedBy = [ "multi-user.target" ];
      serviceConfig.ExecStart = "${python}/bin/python ${./registry.py} 127.0.0.1 443 ${certificate}/cert.pem ${certificate}/key.pem";
    };
  };

  nodes = {
    plain = { };

    overridden =
      { pkgs, ... }:
      {
        systemd.packages = [
          (pkgs.writeTextDir "lib/systemd/system/ollama.service.d/60-mine.conf" ''
            [Service]
            MemoryMax=768M
            Environment=OLLAMA_KEEP_ALIVE=24h
          '')
        ];
      };

    owned.hostwright = {
      ollama.modelsDir = "/srv/models";
      service = {
        user = "llm";
        group = "llm";
      };
    };

    upgraded = {
      hostwright = {
        package = older;
        warmup = {
          enable = true;
          models = [ "qwen2.5-coder:7b-tuned" ];
        };
      };
      specialisation.newer.configuration.hostwright = {
        package = lib.mkForce ollama-cpu;
        warmup.models = lib.mkForce [ "qwen2.5-coder:7b" ];
      };
    };

    gated = {
      hostwright.healthGate = true;
      specialisation.silent.configuration.hostwright.package = silent;
    };
  };

  testScript = builtins.readFile ./nixos-test.py;
}
