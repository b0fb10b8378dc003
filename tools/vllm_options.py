"""Print the names that the parser of an installed vLLM takes, for its table in the Catalogue.

Run it with a Python that has vLLM: `PYTHON tools/vllm_options.py`. Those that say no, with `--no-`
before them, are left out where the rest of the name is taken as well.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any, Final

_MODULES: Final = (
    "vllm.entrypoints.common.cli_args",  # from 0.33.0 on
    "vllm.entrypoints.launchers.cli_args",  # 0.32.0
    "vllm.entrypoints.openai.cli_args",  # 0.20.0
)


def parser() -> Any:  # noqa: ANN401 -- vLLM is not installed where types are checked
    """Return the parser of `vllm serve`, which has moved with releases."""
    made = importlib.import_module("vllm.utils.argparse_utils").FlexibleArgumentParser
    for name in _MODULES:
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError:
            continue
        return module.make_arg_parser(made(prog="vllm serve"))
    raise SystemExit("this release has its parser elsewhere: see vllm/entrypoints")


def names() -> list[str]:
    """Return the long names."""
    every = {one for action in parser()._actions for one in action.option_strings}  # noqa: SLF001
    return sorted(n for n in every if n.startswith("--") and not _denies(n, every))


def _denies(name: str, every: set[str]) -> bool:
    return name.startswith("--no-") and f"--{name.removeprefix('--no-')}" in every


if __name__ == "__main__":
    sys.stdout.write("\n".join(names()) + "\n")
