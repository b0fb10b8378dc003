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
  compose = {
    path = ../templates/compose;
    description = "A profile of one's own for Docker Compose, without NixOS";
  };
}
