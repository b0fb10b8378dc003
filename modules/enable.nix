# What every part stands on: the switch, and whether all the parts of a platform are there.
{
  config,
  lib,
  options,
  ...
}:
let
  cfg = config.hostwright;
in
{
  options.hostwright = {
    enable = lib.mkEnableOption "an Ollama server tuned by a Hostwright profile";
    platform = lib.mkOption {
      type = lib.types.nullOr (
        lib.types.enum [
          "NixOS"
          "system-manager"
        ]
      );
      default = null;
      internal = true;
      description = "What the modules are for. The file that brings all parts sets it.";
    };
  };

  # Where nothing has assertions, the options are only being documented.
  config = lib.optionalAttrs (options ? assertions) {
    assertions = [
      {
        assertion = !cfg.enable || cfg.platform != null;
        message = "hostwright.enable: what is imported is a part of the modules, and sets up no whole server; import the directory `modules` on NixOS, and `modules/system-manager.nix` for system-manager.";
      }
    ];
  };
}
