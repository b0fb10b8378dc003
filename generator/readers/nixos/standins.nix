# `pkgs` and `config` for a module that is read without nixpkgs: enough to name things.
# What a module uses beside the options that are read is never looked at.
{ names }:
let
  inherit (builtins) filter isFunction isString;
  known = import ./lib.nix;
  unknown = name: throw "asks for something unknown, `${name}'";
  open = set: known.genAttrs names unknown // set;
  lib = open (known // known.genAttrs [ "attrsets" "lists" "modules" "strings" "trivial" ] (_: lib));
  more = filter (name: !(known ? ${name})) names;

  called = value: argument: if isFunction value then value argument else value;
  # A package is its name; the backend is an argument of it, too.
  package =
    pname: own:
    let
      self = package pname own;
      built =
        {
          acceleration ? "",
          ...
        }:
        if isString acceleration && acceleration != "" then "ollama-${acceleration}" else pname;
    in
    known.genAttrs more (name: package name { })
    // {
      inherit pname;
      name = pname;
      type = "derivation";
      outPath = "${builtins.storeDir}/00000000000000000000000000000000-${pname}";
      override = arguments: package (built (called arguments self)) own;
      __functor = self: _: self;
      overrideAttrs = f: package pname { version = (called (called f self) self).version or ""; };
    }
    // own;
  named = names: lib.genAttrs names (name: package name { });
  file = name: _: package name { };
  special = [
    "\\"
    "\""
    "$"
    "%"
  ];
  doubled = [
    "\\\\"
    "\\\""
    "$$"
    "%%"
  ];
  # As a command it is what systemd runs then: the lines, by a shell.
  script =
    name: text:
    package name {
      # No word of a module.
      "is script" = true;
      outPath = "/bin/sh -c \"${builtins.replaceStrings special doubled text}\" sh";
    };
  platform = {
    system = "x86_64-linux";
    isLinux = true;
    isDarwin = false;
    isx86_64 = true;
  };
in
{
  inherit lib open;
  pkgs =
    named (
      [
        "bash"
        "coreutils"
        "curl"
        "ollama"
        "ollama-cpu"
        "ollama-cuda"
        "ollama-rocm"
      ]
      ++ more
    )
    // {
      inherit lib;
      stdenv = platform // {
        hostPlatform = platform;
      };
      system = platform.system;
      writeText = file;
      writeShellScript = script;
      writeShellScriptBin = file;
      writeShellApplication = { name, ... }: package name { };
    };
  options.services.ollama = { };
  options.hardware.nvidia = { };
  utils.escapeSystemdExecArgs = lib.concatMapStringsSep " " builtins.toJSON;
  config = {
    boot.kernelPackages.nvidiaPackages = named [
      "beta"
      "production"
      "stable"
    ];
    services.ollama = {
      enable = true;
      package = package "ollama" { };
      host = "127.0.0.1";
      port = 11434;
      home = "/var/lib/ollama";
    };
  };
}
