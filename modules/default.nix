# An Ollama server tuned by a Hostwright profile: `hostwright = { enable = true; profile = "…"; }`.
{
  imports = [
    ./options.nix
    ./plan.nix
    ./server.nix
    ./jobs.nix
    ./nvidia.nix
    ./resume.nix
  ];
}
