"""ARCHITECTURE.md: it names every room, and each thing that it says may be added is added here.

To a copy of the house, by what the document says and no more; then `gen` is asked.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_layers import ALLOWED

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
PROMISES = re.findall(
    r"(?s)^- \*\*(.+?)\*\*: (.+?)(?=^- |\Z|^## )", TEXT.partition("## Add something\n")[2], re.M
)


def test_every_room_of_the_map_is_named() -> None:
    apart = {"engines.one": "engines.<name>"}
    apart |= {f"engines.{room}": f"engines.<name>.{room}" for room in ("rules", "scheduler")}
    rooms = {apart.get(name, name) for name in ALLOWED}
    table = TEXT.partition("## Rooms\n")[2].partition("\n## ")[0]
    named = set(re.findall(r"^\| `([\w./<>]+)` \|", table, re.M))
    assert {name.rstrip("/").removesuffix(".py").replace("/", ".") for name in named} >= rooms
    for name in named:
        assert "<" in name or (ROOT / "generator" / name).exists(), name


OF_A_ROOM = {
    *("detect/test_garbage.py", "detect/test_machines.py", "detect/test_monotone.py"),
    *("cli/test_several_servers.py", "engines/test_llama_cpp.py"),
    *("engines/test_taskmaster.py", "fit/test_accuracy.py"),
    *("fit/test_architectures.py", "fit/test_monotone.py", "readers/test_linear.py"),
    *("rules/test_all.py", "scheduler/test_monotone.py"),
}


def test_a_file_of_tests_has_the_name_of_what_it_is_about() -> None:
    modules = {path for folder in ("generator", "tools") for path in (ROOT / folder).rglob("*.py")}
    names = {path.stem for path in modules} | {path.parent.name for path in modules}
    tests = ROOT / "tests"
    apart = {
        path.relative_to(tests).as_posix()
        for path in tests.rglob("test_*.py")
        if path.parent != tests and path.parent.name not in {"consumers", "nix"}
        if not _beginnings(path.stem.removeprefix("test_")) & names
    }
    assert apart == OF_A_ROOM


def _beginnings(stem: str) -> set[str]:
    words = stem.split("_")
    return {"_".join(words[:end]) for end in range(1, len(words) + 1)}


@pytest.mark.parametrize(("what", "text"), PROMISES, ids=[what for what, _ in PROMISES])
def test_every_promise_names_the_test_that_keeps_it(what: str, text: str) -> None:
    (path, name), *more = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", text)
    assert not more
    assert f"\ndef {name}(" in (ROOT / path).read_text(encoding="utf-8")


class House:
    """A copy of what `gen` is made of."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("generator", "profiles", "templates", "tools", "modules/plans"):
            shutil.copytree(ROOT / name, folder / name)
        (folder / "docs").mkdir()
        for name in ("README.md", "docs/targets.md"):
            shutil.copy(ROOT / name, folder / name)

    def write(self, path: str, text: str) -> None:
        """Add a file."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def line(self, path: str, before: str, text: str) -> None:
        """Add lines before one that is there once."""
        file = self.folder / path
        head, found, tail = file.read_text(encoding="utf-8").partition(f"\n{before}")
        assert found, path
        file.write_text(f"{head}\n{text}{found}{tail}", encoding="utf-8")

    def run(self, *args: str, fails: int = 0) -> str:
        """Return what a module of this copy prints; `generator` is `gen`. It may find something."""
        done = subprocess.run(
            [sys.executable, "-m", *args],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == fails or (done.returncode == 1 and not fails), done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        return done.stdout + done.stderr

    def gen(self, *args: str, fails: int = 0) -> str:
        return self.run("generator", *args, fails=fails)

    def make_golden(self, *names: str) -> None:
        self.run("tools.generate", *names)

    def text(self, path: str) -> str:
        return (self.folder / path).read_text(encoding="utf-8")


@pytest.fixture(name="house")
def _house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_a_target(house: House) -> None:
    house.write(
        "generator/targets/toy.py",
        '"""Target `toy`."""\n'
        "from generator.targets.base import File\n"
        "LEFT_OUT = ()\n"
        "def render(plan): return (File('host.toy', f'{plan.name}\\n'),)\n"
        "def install_note(plan, files): return ()\n",
    )
    house.line(
        "generator/targets/__init__.py",
        '    "quadlet": ',
        '    "toy": Entry("a toy", "bundle"),\n',
    )
    spelling = '\n[[spelling]]\ntarget = "toy"\nvariable = "`set {name}`"\nlimit = "-"\n'
    data = "generator/catalogue/data/keys.toml"
    house.write(data, house.text(data) + spelling)
    house.make_golden("catalogue", "tables")
    assert house.gen("xeon-cpu", "-t", "toy") == "xeon-cpu\n"
    assert '"toy"' in house.gen("schema", "--fleet")
    assert "set OLLAMA_KEEP_ALIVE" in house.gen("explain", "ollama.keep_alive")
    assert "| `toy` | a toy |" in house.text("README.md")


def test_an_engine(house: House) -> None:
    """Most tables are of one engine: here the facts of another take its place."""
    folder = "generator/engines/toy"
    house.write(
        f"{folder}/engine.py",
        "from generator.engines.base import Asked, Decided, Server\n"
        "from generator.engines.toy.scheduler import ToyAsk\n"
        "from generator.plan import PROGRAM, Health, Step\n"
        "SERVER = Server(\n"
        "    product='Toy', log_line='', models_below='', installed_models='',\n"
        "    unit='toy.service', command=(PROGRAM, 'play'), program='toy',\n"
        "    user='toy', home='/var/lib/toy',\n"
        "    address='TOY_HOST', health=Health(step=Step(argv=(PROGRAM, 'ask')),\n"
        "    interval_seconds=1, timeout_seconds=1, retries=1, start_seconds=1,\n"
        "    startup_seconds=1, reason='Asks.'),\n"
        ")\n"
        "def asked(profile):\n"
        "    return Asked(version=None, acceleration='cpu', host=profile.toy.host, port=8000,\n"
        "                 open_firewall=False, models_dir='', locked='')\n"
        "def decide(case):\n"
        "    return Decided(environment=(), omissions=(), models=(), jobs=(), offered=(),\n"
        "                   findings=(), problems=())\n"
        "def ask_of(view, facts):\n"
        "    return ToyAsk(facts=facts, product='Toy', context=8192, slots=1, on_cpu=True)\n",
    )
    house.write(
        f"{folder}/scheduler.py",
        "from generator.errors import HostwrightError\n"
        "from generator.fit.ask import Ask\n"
        "from generator.fit.layout import placed\n"
        "from generator.fit.shape import Load\n"
        "class ToyAsk(Ask):\n"
        "    def tuned(self, parameters): return self\n"
        "    def load_of(self, shape, free): return Load(context=self.context, slots=self.slots)\n"
        "    def place(self, footprint, free): return placed(footprint.shape, (), 'a toy')\n"
        "    def evicts(self, footprint, placement, free): return False\n"
        "    def shape_at(self, url, model): raise HostwrightError('a toy has no server')\n"
        "    def loaded_at(self, url): return ()\n",
    )
    house.write(
        f"{folder}/signs.py",
        "from generator.engines.signs import Signs\n"
        "NONE = '(?!)'\n"
        "SIGNS = Signs(name='toy', command=('toy', 'play'), prefixes=('TOY_',),\n"
        "    address='TOY_HOST', mentioned='toy', asks=NONE, client=NONE, api_call=NONE,\n"
        "    builds='toy', verbs=frozenset(), valued=frozenset(), chart_keys=frozenset(),\n"
        "    nixos_variables={}, nixos_overwritten=frozenset(), nixos_address=('::1', 8000))\n",
    )
    house.write(f"{folder}/__init__.py", "")
    house.write(f"{folder}/rules/__init__.py", "")
    registry = "generator/engines/__init__.py"
    house.line(registry, "}\n", '    "toy": "a toy",')
    schema = "generator/profiles/schema.py"
    toy = 'class Toy(Table):\n    """A toy."""\n\n    host: fields.Address = "::1"\n\n\n'
    house.line(schema, "class Profile(Table)", toy)
    house.line(schema, "    resources: Resources =", "    toy: Toy = Toy.model_construct()\n")
    data = "generator/catalogue/data/releases.toml"
    house.write(data, house.text(data).replace('engine = "ollama"', 'engine = "toy"'))
    house.make_golden("catalogue")
    house.write("mine.toml", 'schema_version = 1\nname = "mine"\n[toy]\nhost = "127.0.0.2"\n')
    made = house.gen("./mine.toml", "-t", "systemd", "-t", "compose", "-t", "quadlet")
    assert "etc/systemd/system/toy.service.d/" in made
    assert '"127.0.0.2:8000:' in made
    told = house.gen("fit", "./mine.toml", "-m", "llama3.1:8b", "--set", "host.memory=32GiB")
    assert "8192 tokens, f16 cache, with flash attention, batch 512" in told
    assert re.search(r"\nToy [\d.]+ computes on the CPU: a toy\.\n", told)
    assert "HW401" in house.gen("explain", "HW401")
    assert "schema_version = 1" in house.gen("detect", "-o", "-")
    house.write("h.toml", '[host]\nmemory = "32GiB"\n')
    house.write("toy.service", "[Service]\nExecStart=/usr/bin/toy play\n")
    house.write("x.service", "[Service]\nExecStart=/usr/bin/ollama serve\n")
    assert "1 file: 1 warning" in house.gen("check", "--host", "h.toml", "toy.service")
    other = house.gen("check", "--host", "h.toml", "x.service", fails=2)
    assert "not judged: there are no facts of ollama here, only of toy" in other
    assert "no facts of ollama here, only of toy" in house.gen("xeon-cpu", fails=3)
    refused = house.gen("./mine.toml", "-t", "nixos", fails=2)
    assert "this profile is for Toy" in refused
    assert "use another target" in refused


def test_a_profile(house: House) -> None:
    text = house.text("profiles/xeon-cpu.toml")
    house.write("profiles/toy.toml", text.replace('name = "xeon-cpu"', 'name = "toy"'))
    assert "\ntoy " in house.gen("list")
    assert "services.ollama" in house.gen("toy")
    house.make_golden("plans")
    assert '"name": "toy"' in house.text("modules/plans/toy.json")


FACT = """
[[variable]]
name = "OLLAMA_TOY"
kind = "bool"
scope = "server"
since = "0.0.19"
defaults = [{ since = "0.0.19", value = "false" }]
on_invalid = "true"
effect = "Plays."
source = "envconfig/config.go@v0.32.15:1"
"""


def add_fact(house: House) -> None:
    data = "generator/catalogue/data/ollama.toml"
    house.write(data, house.text(data) + FACT)
    house.make_golden("catalogue")


def test_a_fact(house: House) -> None:
    add_fact(house)
    assert "Plays." in house.gen("explain", "OLLAMA_TOY")
    house.write("ollama.conf", "[Service]\nEnvironment=OLLAMA_TOYS=1\n")
    assert "OLLAMA_TOY" in house.gen("check", "ollama.conf").replace("OLLAMA_TOYS", "")


@pytest.mark.parametrize("folder", ["generator/rules", "generator/engines/ollama/rules"])
def test_a_rule(folder: str, house: House) -> None:
    house.write(
        f"{folder}/toy.py",
        "from generator.rules.rule import Hit, Rule\n"
        "@Rule(id='HW699', severity='warning', title='a toy', why='Toys break.',\n"
        "      bad='a', good='b', source='a box')\n"
        "def toy(view, facts):\n"
        "    yield Hit(message='this is a toy', place=view.place)\n",
    )
    house.write("ollama.conf", "[Service]\nEnvironment=OLLAMA_DEBUG=1\n")
    assert "HW699" in house.gen("check", "ollama.conf")
    assert "HW699" in house.gen("check", "xeon-cpu")
    house.make_golden("rules")
    assert "Toys break." in house.gen("explain", "HW699")


def test_a_profile_key(house: House) -> None:
    add_fact(house)
    house.line(
        "generator/profiles/schema.py",
        "    env: dict[fields.Variable, fields.EnvValue]",
        '    toy: bool | None = None\n    """Whether there is a toy."""\n',
    )
    house.line(
        "generator/engines/ollama/variables.py",
        '    "debug": ',
        '    "toy": ("OLLAMA_TOY", "Plays."),\n',
    )
    assert "OLLAMA_TOY=1" in house.gen("xeon-cpu", "-t", "systemd", "--set", "ollama.toy=true")
    assert "Whether there is a toy." in house.gen("schema", "--markdown")
    house.make_golden("schemas")
    assert "Whether there is a toy." in house.gen("explain", "ollama.toy")


def test_a_command(house: House) -> None:
    house.write(
        "generator/cli/toy_command.py",
        "import click\n"
        "@click.command(name='toy')\n"
        "def command():\n"
        "    '''Play.'''\n"
        "    click.echo('played')\n",
    )
    house.line("generator/cli/__init__.py", '        "list": ', '        "toy": "Play.",\n')
    assert re.search(r"\n  toy +Play\.\n", house.gen("--help"))
    assert house.gen("toy") == "played\n"
