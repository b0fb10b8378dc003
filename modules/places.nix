# Where the server keeps things and who owns them: the values in effect, whoever has set them. And
# what never reaches it, or is hidden from it.
{
  config,
  lib,
  options,
  ...
}:
let
  cfg = config.hostwright;
  hw = import ./lib.nix { inherit lib; };
  inherit (config.services) ollama;
  modelsDir = hw.modelsDir options;
  models = ollama.${modelsDir};
  # The module's own directory is made by systemd.
  directories = lib.filter (path: path != "/var/lib/ollama" && path != "/var/lib/ollama/models") (
    lib.unique [
      ollama.home
      models
    ]
  );
  nameOf =
    path:
    if path == cfg.ollama.modelsDir then
      "hostwright.ollama.modelsDir"
    else
      "services.ollama.${if path == models then modelsDir else "home"}";

  protectHome = config.systemd.services.ollama.serviceConfig.ProtectHome or false;
  isProtected = lib.elem protectHome [
    true
    "true"
    "yes"
    "on"
    "1"
    "tmpfs"
  ];
  isHidden =
    path:
    isProtected
    && lib.any (root: lib.hasPrefix root "${path}/") [
      "/home/"
      "/root/"
      "/run/user/"
    ];

  isOurs = name: cfg.settings ? ${name};
  setting =
    name: if isOurs name then "hostwright.settings" else "services.ollama.environmentVariables";
  lost = lib.filter (name: isOurs name || ollama.environmentVariables ? ${name}) (
    lib.attrNames hw.places
  );
in
{
  imports = [ ./plan.nix ];

  config = lib.mkIf (hw.isServed config) {
    systemd.tmpfiles.rules = lib.optionals (ollama.user != null) (
      map (hw.directory { inherit (ollama) user group; }) directories
    );

    assertions =
      map (path: {
        assertion = !isHidden path;
        message = "${nameOf path} is ${path}, which the unit hides from the server by ProtectHome; choose a directory elsewhere, below /srv for one.";
      }) directories
      ++ map (name: {
        assertion = false;
        message = "${setting name}.${name} never reaches the server, because NixOS writes its own over it; set ${hw.places.${name}}.";
      }) lost;
  };
}
