# After a suspend the server would find no GPU: reload NVIDIA's memory module around it. A service
# for NixOS and for system-manager, which has the programs that it calls on its path already.
{
  cfg,
  lib,
  utils,
}:
let
  server = "ollama.service";
  shell =
    script:
    utils.escapeSystemdExecArgs [
      "/bin/sh"
      "-c"
      script
    ];
  # Remembers over a suspend whether the server ran, so that one that was stopped stays stopped.
  beforeSleep = "if systemctl --quiet is-active ${server}; then touch /run/ollama-resume; systemctl stop ${server}; fi";
  afterSleep = "modprobe --remove nvidia_uvm; modprobe nvidia_uvm; if [ -e /run/ollama-resume ]; then rm /run/ollama-resume; systemctl --no-block start ${server}; fi";
in
lib.optionalAttrs cfg.resumeFix {
  ollama-resume = {
    description = "Reload the NVIDIA memory module around a suspend";
    before = [ "sleep.target" ];
    wantedBy = [ "sleep.target" ];
    unitConfig.StopWhenUnneeded = true;
    serviceConfig = {
      Type = "oneshot";
      RemainAfterExit = true;
      ExecStart = [ (shell beforeSleep) ];
      ExecStop = [ (shell afterSleep) ];
    };
  };
}
