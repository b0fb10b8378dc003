"""What `gen bench` sees of a real Ollama: a cold load and warm ones, one slot and four."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.cli.test_output_schemas import validated
from tests.commands import called
from tests.engines.programs import ASKS_OLLAMA, ollama
from tests.engines.tiny import write

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = ASKS_OLLAMA
FEW = ("--concurrency", "1,4", "--requests", "8", "--prompt-tokens", "64", "--output-tokens", "64")


def measured(home: Path, slots: int) -> dict[str, Any]:
    """Measure a server with a model whose letters vary: Ollama ends an answer of equal ones."""
    write(home / "tiny.gguf")
    (home / "Modelfile").write_text(
        f"FROM {home}/tiny.gguf\nPARAMETER num_ctx 1024\nPARAMETER top_k 10\n"
    )
    given = {"OLLAMA_NUM_PARALLEL": str(slots), "LLAMA_ARG_THREADS": "1", "OLLAMA_NO_CLOUD": "1"}
    with ollama(home, given) as server:
        done = server.run("create", "tiny", "-f", str(home / "Modelfile"))
        assert done.returncode == 0, done.stderr
        bench = ("bench", "-m", "tiny", "--url", f"http://{server.address}", "--timeout", "2m")
        return validated("bench", called(*bench, *FEW, "--json").stdout)


def test_one_slot_and_four(tmp_path: Path) -> None:
    queues = []
    for slots in (1, 4):
        home = tmp_path / str(slots)
        home.mkdir()
        found = measured(home, slots)
        assert [each["failed"] for each in found["summaries"]] == [0, 0]
        splits = [each["split"] for each in found["summaries"]]
        assert found["warmup"]["load"] > 10 * splits[0]["load"]
        for each in splits:
            parts = sum(each[name] for name in ("queue", "load", "prefill", "decode"))
            # Answers of a tenth of a second, on a machine that has other work.
            assert 0.75 < parts / each["latency"] <= 1
        queues.append(splits[1]["queue"] / splits[1]["latency"])
    assert queues[0] > 0.5
    assert queues[1] < 0.3


def test_cold_starts_and_what_the_server_used(tmp_path: Path) -> None:
    write(tmp_path / "tiny.gguf")
    (tmp_path / "Modelfile").write_text(f"FROM {tmp_path}/tiny.gguf\nPARAMETER top_k 10\n")
    with ollama(tmp_path, {"LLAMA_ARG_THREADS": "1", "OLLAMA_NO_CLOUD": "1"}) as server:
        made = server.run("create", "tiny", "-f", str(tmp_path / "Modelfile"))
        assert made.returncode == 0, made.stderr
        bench = ("bench", "-m", "tiny", "--url", f"http://{server.address}", "--timeout", "2m")
        few = ("--concurrency", "1", "--requests", "4", "--cold", "2")
        found = validated("bench", called(*bench, *few, "--json").stdout)
    dropped, kept, warm = found["starts"]
    # Of a file system in memory there is nothing that could be dropped, and the table says so.
    assert dropped["held"] <= 5 or dropped["why"]
    assert kept["held"] > 90
    slowest = max(each["load"] for each in warm["samples"])
    assert slowest < min(each["load"] for each in kept["samples"])
    used = found["levels"][0]["usage"]
    assert used["threads"] == 1
    assert used["cpu"] > 0
    assert used["memory"] > 2**20


def test_vectors(tmp_path: Path) -> None:
    """A model that pools is one that embeds, and Ollama says so."""
    write(tmp_path / "tiny.gguf", pooling=True)
    (tmp_path / "Modelfile").write_text(f"FROM {tmp_path}/tiny.gguf\n")
    with ollama(tmp_path, {"LLAMA_ARG_THREADS": "1", "OLLAMA_NO_CLOUD": "1"}) as server:
        made = server.run("create", "tiny", "-f", str(tmp_path / "Modelfile"))
        assert made.returncode == 0, made.stderr
        bench = ("bench", "-m", "tiny", "--url", f"http://{server.address}", "--timeout", "2m")
        few = ("--concurrency", "2", "--requests", "4", "--texts", "3", "--json")
        found = validated("bench", called(*bench, *few).stdout)
    (told,) = found["summaries"]
    assert (found["workload"]["task"], told["failed"]) == ("embed", 0)
    assert {each["vectors"] for each in found["levels"][0]["samples"]} == {3}
