# What a module for numtide/system-manager may rely on: the options that ours sets, with upstream's
# types. Our own words for the facts of its nix/modules/; options that we do not need are left out,
# so that setting one is an error here.
{ lib }:
{ config, ... }:
let
  inherit (lib) mkEnableOption mkOption types;
  inherit (types)
    attrsOf
    bool
    int
    lines
    listOf
    nullOr
    path
    raw
    str
    submodule
    ;
  option = type: default: mkOption { inherit type default; };
  units = import ./units.nix { inherit lib; };

  file =
    { name, ... }:
    {
      options = {
        enable = option bool true;
        target = option str name;
        text = option (nullOr lines) null;
        source = mkOption { type = path; };
        mode = option str "symlink";
        uid = option int 0;
        gid = option int 0;
        user = option str "+0";
        group = option str "+0";
        replaceExisting = option bool false;
      };
    };

  # Programs of nixpkgs come first, unless a unit forces them away.
  service =
    { config, ... }:
    {
      imports = [ units.service ];
      config = {
        path = lib.mkAfter [ "${builtins.storeDir}/00000000000000000000000000000000-coreutils" ];
        environment = lib.mkIf (config.path != [ ]) {
          PATH = lib.concatMapStringsSep ":" (package: "${package}/bin") config.path;
        };
      };
    };

  assertion =
    { name, ... }:
    {
      options = {
        enable = mkEnableOption "the assertion";
        name = option str name;
        script = mkOption { type = str; };
      };
    };

  # Its own target stands in for the one that starts everything.
  wanted = target: if target == "multi-user.target" then "system-manager.target" else target;
in
{
  options = {
    assertions = option (listOf raw) [ ];
    warnings = option (listOf str) [ ];
    nixpkgs.hostPlatform = mkOption { type = str; };
    environment.etc = option (attrsOf (submodule file)) { };
    systemd.services = option (attrsOf (submodule service)) { };
    systemd.units = option (attrsOf raw) { };
    systemd.tmpfiles.rules = option (listOf str) [ ];
    system-manager.allowAnyDistro = mkEnableOption "distributions that nobody has tried";
    system-manager.preActivationAssertions = option (attrsOf (submodule assertion)) { };
  };

  config.systemd.units = lib.mapAttrs' (name: service: {
    name = "${name}.service";
    value = {
      text = units.text name service;
      wantedBy = map wanted service.wantedBy;
    };
  }) (lib.filterAttrs (_: service: service.enable) config.systemd.services);
}
