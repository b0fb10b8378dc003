# An Ollama server tuned by a Hostwright profile: `hostwright = { enable = true; profile = "…"; }`.
{
  _class = "nixos";

  imports = [
    ./nixos-jobs.nix
    ./nvidia.nix
    ./package.nix
    ./places.nix
    ./server.nix
  ];
  hostwright.platform = "NixOS";
}
