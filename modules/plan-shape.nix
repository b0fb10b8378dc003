# The shape of a Plan, as far as these modules read it: what is wrong with some data, in words.
{ lib }:
let
  inherit (import ./shapes.nix { inherit lib; })
    any
    bool
    each
    int
    known
    lever
    named
    orNull
    record
    text
    ;
in
record {
  source = text;
  release = text;
  era_since = text;
  era_until = text;
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
    allow = each text;
    modules = each text;
    wait = orNull (record { argv = each text; });
    driver = orNull (record {
      open = bool;
      branch = text;
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
    kind = text;
    models = each text;
    timeout_seconds = int;
  });
  service = record {
    binary = text;
    user = text;
    group = text;
    home = text;
    restart = text;
    restart_seconds = int;
    restart_reason = text;
    after = each text;
  };
} ""
