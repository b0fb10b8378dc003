# Written by Hostwright's `gen fleet`, the same for every fleet; edit the fleet file.
# The program `deploy-waves`, with the deploy-rs of this flake.
{
  deploy-rs,
  lib,
  nixpkgs,
  rollout,
  system,
}:
let
  pkgs = nixpkgs.legacyPackages.${system};
  packages = deploy-rs.packages.${system};
  deploy = packages.deploy-rs or packages.default;
  arguments = [
    "${./deploy-waves.sh}"
    "--deploy=${deploy}/bin/deploy"
    "--waves=${./waves}"
    "--parallel=${toString rollout.parallel}"
    "--pause=${toString rollout.pause}"
  ];
in
{
  type = "app";
  meta.description = "Deploy wave after wave, and stop at the first host that is not healthy";
  program = "${pkgs.writeShellScript "deploy-waves" ''
    exec ${pkgs.runtimeShell} ${lib.escapeShellArgs arguments} "$@"
  ''}";
}
