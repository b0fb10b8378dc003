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
  paths = import ./paths.nix { inherit lib; };
  known = lib.importJSON ./places.json;
  inherit (config.services) ollama;
  modelsDir = hw.modelsDir options;
  home = paths.normal ollama.home;
  models = paths.normal ollama.${modelsDir};
  # The module's own directory is made by systemd.
  own = "/var/lib/ollama";
  directories = lib.filter (path: path != own && path != "${own}/models") (
    lib.unique [
      home
      models
    ]
  );
  nameOf =
    path:
    if cfg.ollama.modelsDir != null && path == paths.normal cfg.ollama.modelsDir then
      "hostwright.ollama.modelsDir"
    else
      "services.ollama.${if path == models then modelsDir else "home"}";

  place = path: {
    inherit path;
    option = nameOf path;
  };

  protectHome = config.systemd.services.ollama.serviceConfig.ProtectHome or false;
  isProtected = lib.elem protectHome [
    true
    "true"
    "yes"
    "on"
    "1"
    "tmpfs"
  ];
  # What `BindPaths=` shows of the empty directories that `tmpfs` puts there.
  bound = name: hw.listed (config.systemd.services.ollama.serviceConfig.${name} or [ ]);
  isShown =
    path:
    protectHome == "tmpfs"
    && lib.any (root: root == path || paths.isBelow root path) (
      map paths.bound (bound "BindPaths" ++ bound "BindReadOnlyPaths")
    );
  isHidden =
    path:
    isProtected && !isShown path && lib.any (root: path == root || paths.isBelow root path) known.homes;

  # What has to be written, and is not told of by itself already.
  isWritten =
    path:
    nameOf path != "hostwright.ollama.modelsDir"
    && !lib.elem path known.system
    && !lib.any (root: paths.isBelow root path) (directories ++ [ own ]);

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
      paths.directories {
        homes = [ own ];
        inherit (ollama) user group;
      } directories
    );

    assertions =
      map (path: {
        assertion = !isHidden path;
        message = hw.told "hidden" (place path);
      }) directories
      ++ map (path: {
        assertion = !lib.elem path known.system;
        message = hw.told "system" (place path);
      }) directories
      ++ map (path: {
        assertion = ollama.user != null;
        message = "${nameOf path} is ${path}, where a dynamic user cannot write; name the owner in services.ollama.user.";
      }) (lib.filter isWritten directories)
      ++
        map
          (option: {
            assertion = !lib.elem ".." (lib.splitString "/" ollama.${option});
            message = hw.told "upwards" {
              option = "services.ollama.${option}";
              path = ollama.${option};
            };
          })
          [
            "home"
            modelsDir
          ]
      ++ map (name: {
        assertion = false;
        message = "${setting name}.${name} never reaches the server, because NixOS writes its own over it; set ${hw.places.${name}}.";
      }) lost;
  };
}
