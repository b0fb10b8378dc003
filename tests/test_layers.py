"""Who may import whom. Lazy and TYPE_CHECKING imports count."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from generator.engines import ENGINES

ROOT = Path(__file__).parent.parent / "generator"

# Room: (rooms it may import, third parties it may import).
ALLOWED: dict[str, tuple[set[str], set[str]]] = {
    "errors": (set(), set()),
    "units": (set(), set()),
    "meaning": (set(), set()),
    "records": (set(), set()),
    "redact": (set(), set()),
    "cache": (set(), set()),
    "pod": (set(), set()),
    "monitor": (set(), set()),
    "front": (set(), set()),
    "plan": ({"cache", "errors", "front", "host", "monitor", "pod"}, set()),
    "codec": ({"errors", "plan"}, set()),
    "reading": ({"errors"}, set()),
    "reasons": ({"codec", "plan"}, set()),
    "host": (set(), set()),
    "around": ({"view"}, set()),
    "view": ({"around", "errors", "host", "units"}, set()),
    "engines": (
        {"catalogue", "engines", "errors", "fit", "host", "live", "plan", "profiles", "view"},
        set(),
    ),
    "engines.scheduler": (
        {"catalogue", "engines.scheduler", "errors", "fit", "host", "live", "units", "view"},
        set(),
    ),
    "engines.one": (
        {
            *("catalogue", "engines", "engines.one", "engines.rules", "engines.scheduler"),
            *("errors", "fit", "formats", "host", "live", "plan", "profiles", "readers.plan"),
            *("rules", "units", "view"),
        },
        set(),
    ),
    "profiles": ({"errors", "profiles", "units"}, {"pydantic", "pydantic_core"}),
    "catalogue": ({"catalogue", "errors", "host", "units"}, set()),
    "catalogue.build": ({"catalogue", "errors", "units"}, {"pydantic"}),
    "fit": ({"catalogue", "errors", "fit", "host", "live", "units", "view"}, set()),
    "rules": (
        {"around", "catalogue", "engines", "errors", "fit", "host", "rules", "units", "view"},
        set(),
    ),
    "engines.rules": (
        {
            *("around", "catalogue", "engines.rules", "engines.scheduler", "errors", "fit", "host"),
            *("rules", "units", "view"),
        },
        set(),
    ),
    "resolve": (
        {
            *("cache", "catalogue", "engines", "errors", "fit", "front", "host", "monitor"),
            *("plan", "pod", "profiles"),
            *("readers.plan", "resolve", "resolve.monitor", "rules", "units", "view"),
        },
        set(),
    ),
    "resolve.monitor": (
        {
            *("cache", "engines", "errors", "fit", "formats", "front", "host", "meaning"),
            *("monitor", "plan", "profiles", "resolve.monitor", "units"),
        },
        set(),
    ),
    "readers.plan": (
        {
            *("codec", "engines", "errors", "formats", "host", "plan", "readers", "readers.plan"),
            *("units", "view"),
        },
        set(),
    ),
    "readers": (
        {"around", "catalogue", "engines", "errors", "host", "readers", "units", "view"},
        {"tree_sitter", "tree_sitter_hcl", "tree_sitter_nix", "yaml"},
    ),
    "explain": (
        {"catalogue", "errors", "explain", "formats", "profiles", "units"},
        set(),
    ),
    "formats": ({"errors", "formats"}, {"jinja2", "tomli_w", "tomlkit", "yaml"}),
    "targets.base": ({"errors", "plan", "units"}, set()),
    "targets.bundle": ({"formats", "plan", "targets.base"}, set()),
    "targets.cache": (
        {"cache", "formats", "plan", "targets.base", "targets.cache", "units"},
        set(),
    ),
    "targets.monitor": (
        {"formats", "monitor", "plan", "targets.base", "targets.monitor", "targets.unit"},
        set(),
    ),
    "targets.front": (
        {
            *("formats", "front", "plan", "targets.base", "targets.container", "targets.front"),
            *("targets.pod", "units"),
        },
        set(),
    ),
    "targets.refusals": ({"formats", "plan", "units"}, set()),
    "targets.container": ({"errors", "formats", "plan", "targets.base", "units"}, set()),
    "targets.docker": ({"formats", "plan", "targets.container", "units"}, set()),
    "targets.components": (
        {
            *("formats", "monitor", "plan", "pod", "targets.base", "targets.front"),
            *("targets.monitor", "targets.pod"),
        },
        set(),
    ),
    "targets.pod": (
        {"errors", "formats", "plan", "pod", "targets.base", "targets.container"},
        set(),
    ),
    "targets.kserve": (
        {"formats", "plan", "pod", "targets.container", "targets.pod"},
        set(),
    ),
    "targets.production_stack": (
        {"formats", "plan", "pod", "targets.container", "targets.pod"},
        set(),
    ),
    "targets.unit": ({"formats", "plan", "targets.base"}, set()),
    "targets": (
        {
            "codec",
            "errors",
            "formats",
            "plan",
            "pod",
            "targets.base",
            "targets.bundle",
            "targets.cache",
            "targets.container",
            "targets.components",
            "targets.docker",
            "targets.kserve",
            "targets.pod",
            "targets.production_stack",
            "targets.monitor",
            "targets.front",
            "targets.refusals",
            "targets.unit",
            "units",
        },
        set(),
    ),
    "files": ({"errors", "files", "targets.base"}, set()),
    "pipeline": (
        {
            *("bench", "catalogue", "codec", "errors", "files", "plan", "profiles", "reading"),
            "resolve",
        },
        set(),
    ),
    "check": (
        {
            *("catalogue", "check", "engines", "errors", "files", "fleet", "formats", "host"),
            *("live", "pipeline", "profiles"),
            *("readers", "resolve", "rules", "targets", "units", "view"),
        },
        set(),
    ),
    "live": ({"errors", "live", "units"}, {"psutil"}),
    "detect": (
        {"catalogue", "detect", "errors", "formats", "host", "profiles", "units"},
        {"psutil"},
    ),
    "verify": (
        {
            *("catalogue", "check", "detect", "engines", "errors", "fleet", "formats", "live"),
            *("plan", "readers", "targets", "targets.container", "targets.docker", "units"),
            *("verify", "view"),
        },
        set(),
    ),
    "importing": (
        {
            *("catalogue", "check", "engines", "errors", "formats", "host", "importing"),
            *("plan", "profiles", "readers", "resolve", "rules", "targets", "units", "view"),
        },
        set(),
    ),
    "clients": (
        {
            *("catalogue", "clients", "engines", "errors", "fit", "formats", "live", "plan"),
            *("readers.plan", "targets.base", "units"),
        },
        set(),
    ),
    "migrate": (
        {"codec", "errors", "formats", "migrate", "pipeline", "plan", "profiles"},
        set(),
    ),
    "mcp": ({"errors", "mcp", "targets"}, {"jsonschema", "mcp"}),
    "doctor": (
        {
            *("advise", "catalogue", "detect", "doctor", "engines", "errors", "formats", "live"),
            *("plan",),
            *("pipeline", "profiles", "units", "verify"),
        },
        set(),
    ),
    "advise": (
        {
            *("advise", "catalogue", "engines", "errors", "fit", "formats", "host", "meaning"),
            *("plan", "readers.plan", "units"),
        },
        set(),
    ),
    "difference": (
        {
            *("advise", "catalogue", "check", "difference", "engines", "errors", "fit"),
            *("importing", "plan", "readers", "records", "targets", "units", "verify", "view"),
        },
        set(),
    ),
    "bench": (
        {"bench", "codec", "detect", "errors", "fit", "formats", "live", "profiles", "units"},
        set(),
    ),
    "outgrow": (
        {
            *(
                "advise",
                "bench",
                "catalogue",
                "engines",
                "errors",
                "fit",
                "formats",
                "outgrow",
                "plan",
                "units",
            ),
        },
        set(),
    ),
    "warmup": (
        {"catalogue", "engines", "errors", "live", "plan", "verify", "warmup"},
        set(),
    ),
    "trial": (
        {
            *("bench", "catalogue", "detect", "engines", "errors", "files", "formats", "live"),
            *("pipeline", "plan", "profiles", "trial", "units", "verify"),
        },
        set(),
    ),
    "fleet": (
        {
            *("catalogue", "codec", "detect", "errors", "fleet", "formats", "pipeline", "plan"),
            *("profiles", "rules", "targets", "targets.base", "targets.bundle", "units"),
        },
        {"pydantic"},
    ),
}
# What every room may import.
EVERYBODY = {"meaning", "reading", "records", "redact"}
APART = {
    ("targets", "components"),
    *(("targets", name) for name in ("base", "bundle", "cache", "container", "docker")),
    *(
        ("targets", name)
        for name in ("front", "kserve", "monitor", "pod", "production_stack", "refusals", "unit")
    ),
    ("catalogue", "build"),
    ("readers", "plan"),
    ("resolve", "monitor"),
}
ANYTHING = {"api", "cli", "__init__", "__main__"}


def room(module: str) -> str:
    """`generator.targets.nixos` is in the room `targets`; any target may import the others.

    Those are what several of them share. The rules of an engine are in `engines.rules`, its
    scheduler in `engines.scheduler`, its decisions in `engines.one`. `catalogue.build` is of the
    build alone: no room may import it.
    """
    parts = module.split(".")[1:]
    top = parts[0] if parts else "__init__"
    if tuple(parts[:2]) in APART:
        return ".".join(parts[:2])
    if top == "engines" and parts[2:3] in (["rules"], ["scheduler"]):
        return f"engines.{parts[2]}"
    of_one = top == "engines" and len(parts) > 2 and parts[-1] != "signs"
    return "engines.one" if of_one else top


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(ROOT.rglob("*.py")):
        if path.is_relative_to(ROOT / "templates"):
            continue  # a program of a bundle, and no module
        parts = path.relative_to(ROOT.parent).with_suffix("").parts
        yield ".".join(part for part in parts if part != "__init__"), path


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            for alias in node.names:
                deeper = ROOT.joinpath(*(node.module or "").split(".")[1:], f"{alias.name}.py")
                ours = (node.module or "").startswith("generator")
                yield (
                    f"{node.module}.{alias.name}" if ours and deeper.exists() else node.module or ""
                )


STANDARD = {"__future__", *__import__("sys").stdlib_module_names}


@pytest.mark.parametrize(("module", "path"), list(modules()), ids=lambda v: str(v).split("/")[-1])
def test_imports_stay_within_the_map(module: str, path: Path) -> None:
    here = room(module)
    if here in ANYTHING:
        return
    rooms, parties = ALLOWED[here]
    for name in imported(path):
        top = name.split(".")[0]
        if top == "generator":
            assert room(name) in rooms | EVERYBODY, f"{module} imports {name}"
        elif top not in STANDARD:
            assert top in parties, f"{module} imports {name}"


def test_nothing_imports_the_command_line_or_the_public_api() -> None:
    doors = ("generator.cli.", "generator.api.")
    for module, path in modules():
        if room(module) not in {"cli", "__main__"}:
            within = (f"{name}." for name in imported(path))
            assert not any(name.startswith(doors) for name in within), module


def test_only_the_command_line_prints_and_exits() -> None:
    for module, path in modules():
        if room(module) in {"cli", "__main__"}:
            continue
        calls = {
            node.func.id
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert not calls & {"print", "exit", "quit"}, module


def test_targets_do_not_import_each_other() -> None:
    for module, path in modules():
        if room(module) == "targets" and module != "generator.targets":
            others = [
                n for n in imported(path) if room(n) == "targets" and n != "generator.targets"
            ]
            assert not others, f"{module} imports {others}"


def test_nobody_asks_the_catalogue_with_a_release() -> None:
    """The release is bound once, by `Catalogue.at`; afterwards there are Facts to ask."""
    for module, path in modules():
        if room(module).startswith("catalogue"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                told = [a.annotation for a in (*node.args.args, *node.args.kwonlyargs)]
                words = {ast.unparse(a).split(" ")[0].strip("\"'") for a in told if a}
                assert not {"Catalogue", "Release"} <= words, f"{module}: {node.name}"


RULES = [
    (module, path)
    for module, path in modules()
    if room(module) in {"rules", "engines.rules"} and "helpers" not in module.split(".")
]
FRAME = {"generator.rules", "generator.rules.rule", "generator.rules.registry"}


@pytest.mark.parametrize(("module", "path"), RULES, ids=lambda v: str(v).split("/")[-1])
def test_a_rule_imports_no_other_rule(module: str, path: Path) -> None:
    ours = [n for n in imported(path) if room(n) in {"rules", "engines.rules"}]
    assert not [n for n in ours if "helpers" not in n.split(".") and n not in FRAME]


def test_no_rule_asks_what_kind_of_file_it_is_about() -> None:
    readers = ROOT / "readers"
    kinds = {path.parent.name for path in readers.glob("*/read.py")} | {"profile", "origin", "kind"}
    for path in (*ROOT.glob("rules/**/*.py"), *ROOT.glob("engines/*/rules/**/*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        asked = [
            node
            for node in ast.walk(tree)
            if (isinstance(node, ast.Attribute) and node.attr == "origin")
            or (isinstance(node, ast.Attribute) and ast.unparse(node).endswith("phrases.kind"))
            or (
                isinstance(node, ast.Compare)
                and kinds & {n.value for n in ast.walk(node) if isinstance(n, ast.Constant)}
            )
        ]
        assert not asked, f"{path}:{asked[0].lineno}"


def test_the_frame_of_the_rules_names_no_engine() -> None:
    files = [ROOT / "rules" / f"{name}.py" for name in ("__init__", "rule", "registry")]
    for path in (*files, *ROOT.glob("rules/helpers/*.py"), *ROOT.glob("engines/*.py")):
        text = path.read_text(encoding="utf-8")
        named = [name for name in ENGINES if name in text.lower()]
        assert not named or path == ROOT / "engines" / "__init__.py", path


# Nothing here says what an engine is called, or what it reads; the adapter for `services.ollama` of
# NixOS alone does.
ENGINE_FREE = (
    *("plan.py", "codec.py", "host.py", "view.py", "pipeline.py", "fit", "resolve", "targets"),
    *("engines/base.py", "engines/signs.py", "readers/*.py", "readers/plan"),
    *("rules/__init__.py", "rules/registry.py", "rules/rule.py", "templates"),
)
OF_ONE_ENGINE = {"targets/helm.py", "targets/nixos.py", "targets/refusals.py"}
FLAG = "--ollama-version"
ISSUE = r"ollama#\d+"


def engine_free() -> Iterator[Path]:
    for pattern in ENGINE_FREE:
        for path in ROOT.glob(pattern):
            files = path.rglob("*") if path.is_dir() else [path]
            yield from (file for file in files if file.is_file() and file.suffix != ".pyc")


def test_what_serves_every_engine_names_none() -> None:
    files = {file.relative_to(ROOT).as_posix(): file for file in engine_free()}
    assert files.keys() >= OF_ONE_ENGINE
    for name in files.keys() - OF_ONE_ENGINE:
        text = re.sub(ISSUE, "", files[name].read_text(encoding="utf-8")).replace(FLAG, "")
        found = re.findall(r"(?i).*(?:ollama|llama_arg).*", text)
        assert not found, (name, found)


WRITES = re.compile(
    r"\.write_(?:text|bytes)\(|os\.(?:replace|rename|link)\(|mkstemp|TemporaryDirectory"
)
TEMPORARY = {"readers/nixos/evaluate.py", "verify/unpacked.py"}
"""What writes a file for a program to read, and takes it away again."""


def test_only_one_room_writes_files_that_stay() -> None:
    writing = {
        path.relative_to(ROOT).as_posix()
        for path in ROOT.rglob("*.py")
        if not path.is_relative_to(ROOT / "templates")
        and WRITES.search(path.read_text(encoding="utf-8"))
    }
    assert {name for name in writing if not name.startswith("files/")} == TEMPORARY
