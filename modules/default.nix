# An Ollama server tuned by a Hostwright profile: `hostwright = { enable = true; profile = "…"; }`.
{
  imports = [
    ./backend.nix
    ./server.nix
    ./nixos-jobs.nix
    ./nvidia.nix
    ./places.nix
  ];
  hostwright.platform = "NixOS";
}
