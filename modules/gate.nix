# A start of the server that is one only once it answers, and that then says which settings have no
# effect, for something else than this configuration has set them.
{
  config,
  lib,
  pkgs,
  utils,
}:
waits:
let
  inherit (config.hostwright) planned;
  inherit (planned.health) gate;
  hw = import ./lib.nix { inherit lib; };
  program = lib.getExe config.services.ollama.package;
  placed = map (word: if word == "/.program" then program else word);
  comparison = pkgs.writeShellScript "hostwright-verify" (builtins.readFile ./verify.sh);
in
{
  # What the comparison calls, and no unit has by itself.
  path = [ pkgs.gawk ];
  serviceConfig = {
    ExecStartPost = [
      (hw.command { inherit pkgs utils; } planned.name (placed gate.argv))
      # Its lines are for the journal. A host may want it so: that is no failure.
      "-${comparison} ollama.service"
    ];
    TimeoutStartSec = lib.mkDefault (lib.foldl' (all: step: all + step.seconds) gate.seconds waits);
  };
}
