# An element of `hostwright.models`.
{ lib, own }:
let
  inherit (lib) mkOption types;
  parameter.options = {
    name = mkOption {
      type = own.word;
      description = "A parameter of a Modelfile.";
      example = "num_ctx";
    };
    value = mkOption {
      type = types.str;
      description = "Its value.";
      example = "8192";
    };
  };
in
{
  options = {
    name = mkOption {
      type = own.model;
      description = "Name in the registry.";
      example = "phi4";
    };
    serveAs = mkOption {
      type = types.nullOr own.model;
      default = null;
      description = "Name to create it under, with its parameters.";
      example = "phi4:tuned";
    };
    parameters = mkOption {
      type = types.listOf (types.submodule parameter);
      default = [ ];
      description = "`PARAMETER` lines of its Modelfile.";
      example = [
        {
          name = "num_ctx";
          value = "8192";
        }
      ];
    };
  };
}
