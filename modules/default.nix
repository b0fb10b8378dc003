# An Ollama server tuned by a Hostwright profile: `hostwright = { enable = true; profile = "…"; }`.
{
  imports = [
    ./options.nix
    ./plan.nix
    ./server.nix
    ./nixos-jobs.nix
    ./nvidia.nix
  ];
}
