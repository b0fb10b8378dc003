# Starting points for `nix flake init --template`.
{
  nixos = {
    path = ../templates/nixos;
    description = "A NixOS host with a Hostwright profile";
  };
  deploy-rs = {
    path = ../templates/deploy-rs;
    description = "NixOS hosts with Hostwright profiles, deployed by deploy-rs";
  };
  system-manager = {
    path = ../templates/system-manager;
    description = "A DGX Spark, or another Ubuntu or Debian host, by system-manager";
  };
  compose = {
    path = ../templates/compose;
    description = "A profile of one's own for Docker Compose, without NixOS";
  };
}
