# What options were called before they were named as the keys of a profile are.
{ lib, ... }:
let
  renamed =
    old: new:
    lib.mkRenamedOptionModule ([ "hostwright" ] ++ lib.splitString "." old) (
      [ "hostwright" ] ++ lib.splitString "." new
    );
in
{
  imports =
    lib.mapAttrsToList renamed {
      "acceleration" = "ollama.acceleration";
      "exposure.host" = "ollama.host";
      "exposure.openFirewall" = "ollama.openFirewall";
      "exposure.port" = "ollama.port";
      "group" = "service.group";
      "modelsDir" = "ollama.modelsDir";
      "resources.allowedCPUs" = "resources.allowedCpus";
      "resources.limitMEMLOCK" = "resources.limitMemlock";
      "user" = "service.user";
      "warmup.timeoutSeconds" = "warmup.timeout";
    }
    ++ [
      (lib.mkRemovedOptionModule [
        "hostwright"
        "resumeFix"
      ] "Write service.resume_fix into the profile.")
    ];
}
