# The jobs beside the server on NixOS, where upstream's loader pulls the models.
{
  config,
  lib,
  pkgs,
  utils,
  ...
}:
let
  cfg = config.hostwright;
  inherit (config.services) ollama;
  jobs = import ./jobs.nix {
    inherit
      cfg
      lib
      pkgs
      utils
      ;
    address = "${ollama.host}:${toString ollama.port}";
    loader = "ollama-model-loader.service";
    program = lib.getExe ollama.package;
  };
  resume = import ./resume.nix { inherit cfg lib utils; };
in
{
  imports = [ ./plan.nix ];

  config = lib.mkIf cfg.enable {
    systemd.services =
      jobs // lib.mapAttrs (_: service: service // { path = [ pkgs.kmod ]; }) resume;
  };
}
