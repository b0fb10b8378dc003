"""A cache before the servers: its files, as the programs that read them take them."""

from __future__ import annotations

import re
import socket
import subprocess
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from generator.catalogue.catalogue import load_catalogue
from generator.catalogue.records import LitellmKey
from generator.errors import ProfileError, RenderError
from generator.formats.redis import to_redis
from generator.formats.text import Commented
from generator.targets import all_files, load_target
from tests.consumers import compose, quadlet, systemd
from tests.consumers.nix import evaluate
from tests.host import UNITS, put
from tests.plans import plan, rules
from tests.tools import require

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MODELS = [
    {"name": "qwen3:14b", "parameters": {"num_ctx": 4096}, "serve_as": "coder:latest"},
    {"name": "qwen3:8b", "role": "research"},
    {"name": "qwen3:4b", "role": "fallback"},
    {"name": "nomic-embed-text", "role": "embedding"},
]
SEMANTIC = {"model": "nomic-embed-text", "qdrant": "http://127.0.0.1:6333"}
ACCEPTED = {"ignore": [{"rule": "HW623", "reason": "answers are checked by hand"}]}


FRONT = {"auth": "bearer", "auth_file": "/etc/hostwright/front.keys"}


def profile(**cache: object) -> dict[str, Any]:
    return {"models": MODELS, "cache": cache}


def files(target: str, data: dict[str, Any]) -> dict[str, str]:
    return {file.path: file.text for file in load_target(target).render(plan(data))}


def config(data: dict[str, Any], target: str = "systemd") -> Any:
    path = {"compose": "cache/litellm.yaml"}.get(target, "etc/hostwright/litellm.yaml")
    return yaml.safe_load(files(target, data)[path])


# ── LiteLLM ───────────────────────────────────────────────────────────────────────────────────


def test_each_model_has_its_name_its_provider_and_its_server() -> None:
    found = config(profile())["model_list"]
    assert [(one["model_name"], one["litellm_params"]["model"]) for one in found] == [
        ("coder:latest", "ollama_chat/coder:latest"),
        ("qwen3:8b", "ollama_chat/qwen3:8b"),
        ("qwen3:4b", "ollama_chat/qwen3:4b"),
        ("nomic-embed-text", "ollama/nomic-embed-text"),
    ]
    assert {one["litellm_params"]["api_base"] for one in found} == {"http://127.0.0.1:11434"}
    assert [one["model_info"]["mode"] for one in found] == ["chat", "chat", "chat", "embedding"]


def test_an_answer_is_kept_for_an_hour_and_another_model_is_asked_where_one_fails() -> None:
    found = config(profile())
    assert found["litellm_settings"] == {
        "telemetry": False,
        "fallbacks": [{"coder:latest": ["qwen3:4b"]}],
        "cache": True,
        "cache_params": {
            "type": "redis",
            "host": "127.0.0.1",
            "port": 6380,
            "mode": "default_on",
            "namespace": "test",
            "ttl": 3600,
            "supported_call_types": ["acompletion", "aembedding"],
        },
    }
    assert found["general_settings"] == {"master_key": "os.environ/LITELLM_MASTER_KEY"}


def test_containers_of_compose_reach_each_other_by_name() -> None:
    found = config({**profile(), "container": {"name": "llm"}}, "compose")
    assert found["model_list"][0]["litellm_params"]["api_base"] == "http://llm:11434"
    params = found["litellm_settings"]["cache_params"]
    assert (params["host"], params["port"]) == ("llm-redis", 6379)


def test_it_asks_through_the_front_with_a_key_of_its_own() -> None:
    data = {
        "models": [{"name": "a:1b"}, {"name": "b:1b"}],
        "instances": [{"name": "one", "models": ["a:1b"]}, {"name": "two", "models": ["b:1b"]}],
        "front": FRONT,
        "cache": {},
    }
    key = "os.environ/HOSTWRIGHT_FRONT_KEY"
    for target, where in (("systemd", "127.0.0.1:11433"), ("compose", "front:11433")):
        found = [one["litellm_params"] for one in config(data, target)["model_list"]]
        assert [(one["api_base"], one["api_key"]) for one in found] == [
            (f"http://{where}/a-1b", key),
            (f"http://{where}/b-1b", key),
        ]


@pytest.mark.parametrize(
    "front",
    [
        {**FRONT, "auth": "basic"},
        {**FRONT, "certificate": "/etc/front.pem", "certificate_key": "/etc/front.key"},
    ],
)
def test_what_it_cannot_show_a_front_has_it_ask_the_servers(front: dict[str, object]) -> None:
    data = {**profile(), "front": front}
    found = config(data)["model_list"]
    assert {one["litellm_params"]["api_base"] for one in found} == {"http://127.0.0.1:11434"}
    assert "HW624" in rules(plan(data))


def test_a_server_with_the_api_of_openai_is_asked_in_it() -> None:
    card = {"name": "NVIDIA GeForce RTX 3090", "memory": "24GiB", "compute_capability": "8.6"}
    data = {
        "engine": "vllm",
        "host": {"memory": "64GiB", "gpus": [card]},
        "models": [{"name": "qwen3:8b", "hf": "Qwen/Qwen3-8B-AWQ"}],
        "cache": {},
    }
    (found,) = config(data, "compose")["model_list"]
    assert found["litellm_params"]["model"].startswith("hosted_vllm/")
    assert found["litellm_params"]["api_base"].endswith(":8000/v1")


def test_a_semantic_cache_is_asked_for_and_has_no_redis() -> None:
    data = {**profile(semantic=SEMANTIC), "check": ACCEPTED}
    assert config(data)["litellm_settings"]["cache_params"] == {
        "type": "qdrant-semantic",
        "qdrant_api_base": "http://127.0.0.1:6333",
        "qdrant_collection_name": "test-answers",
        "qdrant_semantic_cache_embedding_model": "nomic-embed-text",
        "qdrant_semantic_cache_vector_size": 768,
        "similarity_threshold": 0.92,
        "semantic_cache_scope": "end_user",
        "mode": "default_off",
        "namespace": "test",
        "ttl": 3600,
        "supported_call_types": ["acompletion", "aembedding"],
        "max_messages": 1,
    }
    assert "HW623" in rules(plan(data))
    assert not [path for path in files("systemd", data) if "redis" in path]


def keys(document: Any, path: str = "") -> Iterator[str]:
    """Yield the path of each scalar; what has free keys counts as one."""
    if isinstance(document, dict) and path != "litellm_settings.fallbacks[]":
        for key, value in document.items():
            yield from keys(value, f"{path}.{key}".lstrip("."))
    elif isinstance(document, list) and any(isinstance(one, dict) for one in document):
        for one in document:
            yield from keys(one, f"{path}[]")
    else:
        yield path.removesuffix("[]")


def test_every_key_is_one_that_litellm_is_known_to_read() -> None:
    known = {key.name for key in load_catalogue().all("litellm_key", LitellmKey)}
    alike = {**profile(semantic=SEMANTIC), "check": ACCEPTED}
    exact = {**profile(max_messages=2), "front": FRONT}
    written = {*keys(config(exact)), *keys(config(alike))}
    assert written == known


# ── what is refused ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("data", "where", "said"),
    [
        ({"cache": {}}, "cache", "is empty"),
        (profile(port=11434), "cache.port", "11434 is that of Ollama"),
        (profile(port=6380), "cache.redis_port", "6380 is that of LiteLLM"),
        (profile(host="box.lan"), "cache.host", "is a name"),
        (profile(ttl="10ms"), "cache.ttl", "no whole second"),
        (profile(semantic=SEMANTIC), "cache.semantic", "wrong answers"),
        (
            {**profile(semantic={**SEMANTIC, "model": "qwen3:8b"}), "check": ACCEPTED},
            "cache.semantic.model",
            "role `embedding`",
        ),
    ],
)
def test_what_a_cache_must_not_be(data: dict[str, Any], where: str, said: str) -> None:
    with pytest.raises(ProfileError) as caught:
        plan(data)
    (problem,) = caught.value.problems
    assert (problem.where, said in problem.message, bool(problem.hint)) == (where, True, True)


def test_an_override_has_no_room_for_it() -> None:
    with pytest.raises(RenderError, match="override") as caught:
        files("compose", {**profile(), "container": {"compose": "override"}})
    assert caught.value.where == "cache"


# ── the programs that read it ─────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("cache", [{}, {"semantic": SEMANTIC}], ids=["exact", "semantic"])
def test_systemd_takes_the_units(cache: dict[str, Any], tmp_path: Path) -> None:
    decided = plan({**profile(**cache), "check": ACCEPTED})
    made = load_target("systemd").render(decided)
    units = [f.path.rpartition("/")[2] for f in made if "/hostwright-" in f.path]
    assert len(units) == (1 if cache else 2)
    folder = put(made, tmp_path) / UNITS
    assert systemd.verify(folder, units) == []
    found = systemd.read(folder, "hostwright-litellm.service")
    assert found.environment["LITELLM_LOCAL_MODEL_COST_MAP"] == "True"
    (start,) = found.extra["exec"]["ExecStart"]
    assert start.endswith("litellm.yaml --host 127.0.0.1 --port 4000")


def test_another_configuration_is_another_unit() -> None:
    path = f"{UNITS}/hostwright-litellm.service"
    assert files("systemd", profile())[path] != files("systemd", profile(ttl="2h"))[path]


def test_the_bundle_starts_them_and_a_bundle_without_takes_them_away() -> None:
    conf = next(f.text for f in all_files("systemd", plan(profile())) if f.path == "bundle.conf")
    for unit in ("hostwright-redis.service", "hostwright-litellm.service"):
        assert f"\njob\t{unit}\nstart\t{unit}\n" in conf
    (script,) = (f.text for f in all_files("systemd", plan({})) if f.path == "apply.sh")
    assert "$units/hostwright-$name.service" in script


@pytest.mark.parametrize("rootless", [False, True])
def test_podman_takes_the_quadlets(rootless: bool, tmp_path: Path) -> None:
    decided = plan({**profile(), "container": {"rootless": rootless}})
    put(load_target("quadlet").render(decided), tmp_path)
    home = ".config/" if rootless else "etc/"
    folder, beside = tmp_path / home / "containers/systemd", tmp_path / home / "systemd"
    beside /= "user" if rootless else "system"
    assert quadlet.verify(folder, beside, rootless=rootless) == []
    unit = "hostwright-litellm.service"
    options = dict(quadlet.read(folder, beside, unit, rootless=rootless).extra["options"])
    assert options["network"] == "host"
    assert options["v"].endswith("/hostwright/litellm.yaml:/app/config.yaml:ro,z")


def test_compose_takes_the_services(tmp_path: Path) -> None:
    key = tmp_path / "litellm.env"
    key.write_text("LITELLM_MASTER_KEY=sk-1\n")
    data = profile(key_file=str(key))
    file = put(load_target("compose").render(plan(data)), tmp_path) / "compose.yaml"
    assert compose.verify(file) == []
    found = compose.read(file, "ollama-litellm").extra["service"]
    assert found["depends_on"].keys() == {"ollama", "ollama-redis"}
    assert found["ports"][0]["host_ip"] == "127.0.0.1"
    assert compose.read(file, "ollama-redis").extra["service"]["user"] == "999:1000"


def test_nixos_has_options_for_it(tmp_path: Path) -> None:
    found = evaluate(put(load_target("nixos").render(plan(profile())), tmp_path) / "test.nix")
    assert found["litellm"]["settings"] == config(profile())
    assert found["litellm"]["environmentFile"] == "/etc/hostwright/litellm.env"
    kept = found["redis"]["servers"]["hostwright"]
    assert (kept["enable"], kept["port"], kept["save"]) == (True, 6380, [])
    assert kept["settings"] == {"maxmemory": 2**28, "maxmemory-policy": "allkeys-lru"}


# ── Redis ─────────────────────────────────────────────────────────────────────────────────────


def free_port() -> int:
    with closing(socket.socket()) as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@contextmanager
def redis(text: str, port: int, folder: Path) -> Iterator[Any]:
    """Start a real Redis with that file; yields what asks it."""
    file = folder / "redis.conf"
    file.write_text(text)
    argv = [require("redis-server"), str(file)]
    with subprocess.Popen(argv, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        lines = iter(process.stdout.readline, "")
        seen = list(_until(lines, "Ready to accept connections"))
        assert "Ready to accept" in seen[-1], seen
        try:
            with closing(socket.create_connection(("127.0.0.1", port), timeout=30)) as there:
                yield lambda *words: _asked(there, words)
        finally:
            process.terminate()


def _until(lines: Iterator[str], word: str) -> Iterator[str]:
    for line in lines:
        yield line
        if word in line:
            return


def _asked(there: socket.socket, words: tuple[str, ...]) -> list[str]:
    parts = [f"${len(word.encode())}\r\n{word}\r\n" for word in words]
    there.sendall(f"*{len(words)}\r\n{''.join(parts)}".encode())
    answer = there.recv(65536).decode()
    return re.findall(r"\$\d+\r\n(.*?)\r\n", answer, re.S) or [answer.strip()]


def test_redis_starts_with_what_is_written_for_it(tmp_path: Path) -> None:
    port = free_port()
    made = files("systemd", profile(redis_port=port, memory="64MiB", policy="allkeys-lfu"))
    with redis(made["etc/hostwright/redis.conf"], port, tmp_path) as ask:
        assert ask("CONFIG", "GET", "maxmemory") == ["maxmemory", str(64 * 2**20)]
        assert ask("CONFIG", "GET", "maxmemory-policy") == ["maxmemory-policy", "allkeys-lfu"]
        assert ask("CONFIG", "GET", "save") == ["save", ""]
        assert ask("CONFIG", "GET", "bind") == ["bind", "127.0.0.1"]


def test_redis_reads_any_word_as_it_was_meant(tmp_path: Path) -> None:
    port, word = free_port(), "a \"b' \\n #\t\n é ${x} \x7f"
    lines = [("port", Commented([port])), ("save", Commented([""]))]
    text = to_redis(["a\nrequirepass b"], [*lines, ("requirepass", Commented([word], "a\nb c"))])
    with redis(text, port, tmp_path) as ask:
        assert ask("AUTH", word) == ["+OK"]
        assert ask("CONFIG", "GET", "requirepass") == ["requirepass", word]
