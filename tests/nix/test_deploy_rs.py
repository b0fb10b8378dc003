"""Real deploy-rs deploys a fleet: a host whose server does not come up goes back to what ran.

DEPLOY_RS names a checkout of it with its programs built (`cargo build`). ssh is a stand-in that
runs what it is told here, and NixOS one whose switch does with the unit what systemd does.
"""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from generator.files.write import write
from generator.fleet.decide import decide_fleet
from generator.fleet.render import render_fleet
from tests.nix.flakes import CONFIG, HERE, put_inputs
from tests.tools import require

FLEET = """\
schema_version = 1

[inputs]
nixpkgs = "path:{folder}/nixpkgs"
colmena = "path:{folder}/colmena"
utils = "path:{folder}/utils"

[inputs.deploy-rs]
url = "path:{checkout}"
follows = {{ nixpkgs = "nixpkgs", utils = "utils", flake-compat = "nixpkgs" }}

[defaults]
profile = "xeon-cpu"
modules = ["machine.nix"]
deploy = {{ ssh_user = "root", temp_path = "{folder}/tmp", activation_timeout = 30 }}

[rollout]
canary = ["a"]

[hosts.a]
address = "localhost"
profiles.system.profile_path = "{folder}/profiles/a"
overrides.ollama.keep_alive = "{keep_alive}"

[hosts.b]
address = "localhost"
profiles.system.profile_path = "{folder}/profiles/b"
"""
UTILS = """\
{
  outputs = _: {
    lib = rec {
      defaultSystems = [ "x86_64-linux" "aarch64-linux" ];
      eachSystem =
        systems: f:
        builtins.foldl' (
          all: system:
          let
            added = key: value: all.${key} or { } // { ${system} = value; };
          in
          all // builtins.mapAttrs added (f system)
        ) { } systems;
    };
  };
}
"""
# The server is what `server` of the folder says when it starts: one that answers, one that exits,
# or one that never answers.
MACHINE = """\
{{ config, lib, inputs, ... }}:
let
  pkgs = import inputs.nixpkgs {{ inherit (config.nixpkgs) system; }};
  unit = config.systemd.services.ollama;
  script = name: text: pkgs.writeTextFile {{
    name = "ollama";
    executable = true;
    destination = "/bin/${{name}}";
    inherit text;
  }};
  ollama = script "ollama" ''
    #!/bin/sh
    answers={folder}/answers.${{config.networking.hostName}}
    case $1 in
      list) [ -e "$answers" ] ;;
      serve)
        read -r kind <{folder}/server
        case $kind in
          answers) touch "$answers" ;;
          exits) exit 1 ;;
        esac
        exec sleep 600
        ;;
    esac
  '';
in
{{
  options.nixpkgs.system = lib.mkOption {{ default = config.nixpkgs.hostPlatform; }};
  config = {{
    services.ollama.package = ollama // {{ name = "ollama"; override = _: ollama; }};
    boot.loader.systemd-boot.enable = false;
    system.build.toplevel = lib.mkForce (script "switch-to-configuration" ''
      #!/bin/sh
      exec {python} {folder}/switch.py ${{config.networking.hostName}} ${{
        pkgs.writeTextFile {{
          name = "unit.json";
          text = builtins.toJSON {{ inherit (unit) environment serviceConfig; }};
        }}
      }}
    '');
  }};
}}
"""
# As systemd does on a restart: the old process ends, a new one runs, and then ExecStartPost.
SWITCH = """\
import json, os, pathlib, shlex, signal, subprocess, sys, time
host, unit = sys.argv[1:]
folder = pathlib.Path(__file__).parent
unit = json.loads(pathlib.Path(unit).read_text())
service = unit["serviceConfig"]
pid = folder / f"pid.{host}"
if pid.exists():
    try:
        os.kill(int(pid.read_text()), signal.SIGKILL)
    except ProcessLookupError:
        pass
(folder / f"answers.{host}").unlink(missing_ok=True)
quiet = dict(stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
server = subprocess.Popen(shlex.split(service["ExecStart"]), start_new_session=True, **quiet)
pid.write_text(str(server.pid))
time.sleep(0.5)
server.poll()
(line,) = service["ExecStartPost"]
argv = shlex.split(line.replace("$$", "$").replace("%%", "%"))
environment = {**os.environ, **unit["environment"], "MAINPID": str(server.pid)}
assert service["TimeoutStartSec"] == 60
try:
    # A test has less patience.
    status = subprocess.run(argv, env=environment, timeout=3).returncode
except subprocess.TimeoutExpired:
    status = "timeout"
with (folder / "log").open("a") as log:
    print(host, os.path.realpath(os.environ["PROFILE"]), status, file=log)
sys.exit(4 if status else 0)
"""
SSH = """\
#!/bin/sh
# ssh HOST [OPTION...] COMMAND
shift
while [ "${1#-}" != "$1" ]; do shift; done
exec /bin/sh -c "$*"
"""


class Site:
    """A flake, the hosts that it is deployed to, and deploy-rs."""

    def __init__(self, folder: Path, checkout: Path) -> None:
        self.folder, self.checkout = folder, checkout
        put_inputs(folder, "nixpkgs", "colmena")
        shutil.copy(HERE / "builders.nix", folder / "nixpkgs/default.nix")
        programs = checkout / "target/debug"
        (folder / "nixpkgs/programs").write_text(str(programs), encoding="utf-8")
        for name in ("utils", "fleet", "profiles", "tmp", "bin"):
            (folder / name).mkdir()
        (folder / "utils/flake.nix").write_text(UTILS, encoding="utf-8")
        python = require("python3")
        machine = MACHINE.format(folder=folder, python=python)
        (folder / "fleet/machine.nix").write_text(machine, encoding="utf-8")
        (folder / "switch.py").write_text(SWITCH, encoding="utf-8")
        (folder / "bin/ssh").write_text(SSH, encoding="utf-8")
        (folder / "bin/ssh").chmod(0o755)
        self.environment = {
            "PATH": f"{folder}/bin:{programs}:{os.environ['PATH']}",
            "HOME": str(folder),
            "NIX_CONFIG": f"{CONFIG}",
        }

    def deploy(self, server: str, keep_alive: str, *command: str) -> tuple[int, str]:
        """Write the fleet again, and run a command in it while servers are of that kind."""
        (self.folder / "server").write_text(f"{server}\n", encoding="utf-8")
        text = FLEET.format(folder=self.folder, checkout=self.checkout, keep_alive=keep_alive)
        (self.folder / "fleet.toml").write_text(text, encoding="utf-8")
        made = render_fleet(decide_fleet(self.folder / "fleet.toml"))
        write(made, self.folder / "fleet", force=True)
        # A file, because what deploy-rs leaves behind on a host holds on to it for a while.
        said = self.folder / "said"
        with said.open("w") as stream:
            done = subprocess.run(
                command,
                cwd=self.folder / "fleet",
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                timeout=300,
                check=False,
            )
        return done.returncode, said.read_text(encoding="utf-8")

    def log(self) -> list[list[str]]:
        """Return host, system and status of each switch."""
        lines = (self.folder / "log").read_text(encoding="utf-8").splitlines()
        return [line.split() for line in lines]

    def system(self, host: str) -> str:
        return os.path.realpath(self.folder / f"profiles/{host}")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    checkout = os.environ.get("DEPLOY_RS", "")
    if not checkout:
        pytest.skip("not run: set DEPLOY_RS to a checkout of deploy-rs with its programs built")
    yield Site(tmp_path, Path(checkout).resolve())
    for file in tmp_path.glob("pid.*"):
        try:
            os.kill(int(file.read_text()), signal.SIGKILL)
        except ProcessLookupError:
            continue


@pytest.mark.parametrize("server", ["exits", "hangs"])
def test_a_host_whose_server_does_not_come_up_goes_back(server: str, site: Site) -> None:
    deploy = ("deploy", "--skip-checks", ".#a")
    systems = []
    for keep_alive in ("1h", "2h"):
        status, said = site.deploy("answers", keep_alive, *deploy)
        assert status == 0, said
        systems.append(site.system("a"))
    before, good = systems
    assert good != before
    status, said = site.deploy(server, "3h", *deploy)
    assert status != 0
    assert "De-activating due to error" in said, said
    assert "switching profile from version 3 to 2" in said, said
    assert site.system("a") == good
    _, _, failed, back = site.log()
    assert (failed[1] in systems, failed[2] != "0") == (False, True)
    # The switch of the system before ran again.
    assert back[1] == good


def test_waves_stop_at_it(site: Site) -> None:
    waves = ("bash", "hostwright/deploy-waves.sh")
    status, said = site.deploy("exits", "1h", *waves)
    assert status == 1, said
    assert "stopped in wave 1 of 2, not healthy: a\n" in said
    assert {host for host, *_ in site.log()} == {"a"}
    status, said = site.deploy("answers", "1h", *waves)
    assert status == 0, said
    assert [host for host, _, status in site.log() if status == "0"] == ["a", "b"]


def test_its_schema_takes_the_nodes(site: Site) -> None:
    import jsonschema

    evaluate = ("nix", "eval", "--json", ".#deploy", "--offline", "--no-write-lock-file")
    status, said = site.deploy("answers", "1h", *evaluate)
    assert status == 0, said
    schema = json.loads((site.checkout / "interface.json").read_text(encoding="utf-8"))
    found = said[said.index("{") :].partition("\n")[0]
    jsonschema.Draft201909Validator(schema).validate(json.loads(found))
