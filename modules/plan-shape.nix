# The shape of a Plan, as far as these modules read it: what is wrong with some data, in words.
{ lib }:
let
  inherit (import ./shapes.nix { inherit lib; })
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
  header = each text;
  summary = text;
  host = record {
    system = choice [
      "aarch64-linux"
      "x86_64-linux"
    ];
  };
  services = each (record {
    release = version;
    era_since = version;
    era_until = orEmpty version;
    program = path;
    acceleration = text;
    threads = count;
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
      })
    );
    omissions = each (record {
      reason = text;
    });
    limits = each (record {
      name = known;
      directive = text;
      written = text;
      reason = text;
    });
    devices = orNull (record {
      access = each (record {
        name = word;
        value = text;
        reason = text;
      });
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
    jobs = each (record {
      kind = choice [
        "create"
        "pull"
        "resume"
        "warmup"
      ];
      models = each text;
      timeout_seconds = count;
    });
    user = text;
    group = text;
    home = orEmpty path;
    restart = record {
      policy = choice [
        "always"
        "no"
        "on-abnormal"
        "on-abort"
        "on-failure"
        "on-success"
      ];
      seconds = count;
      reason = text;
    };
    after = each unit;
    full_unit = bool;
  });
} ""
