# The shape of a Plan, as far as these modules read it: what is wrong with some data, in words.
{ lib }:
let
  inherit (import ./shapes.nix { inherit lib; })
    any
    bool
    choice
    count
    each
    int
    known
    lever
    named
    orEmpty
    orNull
    path
    record
    text
    unit
    version
    word
    ;
in
record {
  source = text;
  release = version;
  era_since = version;
  era_until = orEmpty version;
  system = choice [
    "aarch64-linux"
    "x86_64-linux"
  ];
  acceleration = text;
  summary = text;
  listen = record {
    host = text;
    port = int;
    open_firewall = bool;
    reason = text;
  };
  models_dir = text;
  environment = each (
    lever (record {
      name = text;
      value = text;
      group = text;
      reason = text;
      replaces = each text;
    })
  );
  omissions = each (record {
    what = text;
    reason = text;
  });
  limits = each (record {
    name = known;
    value = any [
      "int"
      "string"
    ];
    reason = text;
  });
  devices = orNull (record {
    allow = each word;
    modules = each word;
    wait = orNull (record { argv = each text; });
    driver = orNull (record {
      open = bool;
      branch = orEmpty word;
      cuda_architectures = each text;
      cuda_major = int;
    });
    reason = text;
  });
  models = named {
    serve_as = text;
    parameters = each (
      lever (record {
        name = text;
        value = text;
      })
    );
  };
  units = each (record {
    kind = choice [
      "create"
      "pull"
      "resume"
      "warmup"
    ];
    models = each text;
    timeout_seconds = count;
  });
  service = record {
    binary = path;
    user = text;
    group = text;
    home = orEmpty path;
    restart = choice [
      "always"
      "no"
      "on-abnormal"
      "on-abort"
      "on-failure"
      "on-success"
    ];
    restart_seconds = count;
    restart_reason = text;
    after = each unit;
  };
} ""
