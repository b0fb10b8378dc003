{
  inputs = {
    # What system-manager itself is made with; the host's own Ollama runs.
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";
    system-manager = {
      url = "github:numtide/system-manager";
      inputs.nixpkgs.follows = "nixpkgs";
    };
    hostwright.url = "github:hostwright/hostwright";
  };

  outputs =
    { system-manager, hostwright, ... }:
    {
      systemConfigs.spark = system-manager.lib.makeSystemConfig {
        modules = [
          hostwright.systemManagerModules.default
          {
            nixpkgs.hostPlatform = "aarch64-linux";
            hostwright = {
              enable = true;
              profile = "dgx-spark";
              checkPlan = hostwright.packages.aarch64-linux.gen;
              resources.memoryMax = "96G";
              settings.OLLAMA_KEEP_ALIVE = "24h";
            };
          }
        ];
      };
    };
}
