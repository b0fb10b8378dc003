"""Builds the package `gen` as the wheel lays it out, with the Python that Nix runs this by."""

import compileall
import os
import py_compile
import shutil
import tomllib
from pathlib import Path

source, out = Path(os.environ["src"]), Path(os.environ["out"])  # noqa: SIM112 -- as Nix names them
project = tomllib.loads((source / "pyproject.toml").read_text(encoding="utf-8"))
wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
folders = {name: name for name in wheel["packages"]} | wheel["force-include"]
for origin, place in folders.items():
    shutil.copytree(source / origin, out / "lib" / place)
# Not by date: a store has none.
by_hash = py_compile.PycInvalidationMode.UNCHECKED_HASH
compileall.compile_dir(out / "lib", quiet=1, invalidation_mode=by_hash)

module, _, function = project["project"]["scripts"]["gen"].partition(":")
lines = (
    f"#!{os.environ['builder']}",  # noqa: SIM112
    "import sys",
    f'sys.path.insert(0, "{out}/lib")',
    f"from {module} import {function}",
    f"sys.exit({function}())",
    "",
)
program = out / "bin/gen"
program.parent.mkdir()
program.write_text("\n".join(lines), encoding="utf-8")
program.chmod(0o755)
