# What every part stands on: the switch, what checks the result, and whether all the parts of a
# platform are there.
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
    checkPlan = lib.mkOption {
      type = lib.types.nullOr lib.types.path;
      default = null;
      description = "`gen`, as its package or the path of the program, to check the plan and the finished unit with: an error stops the build, in the words of `gen check`. Null checks neither.";
      example = lib.literalExpression "hostwright.packages.x86_64-linux.gen";
    };
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
