"""vLLM: what it is told, what it is refused on, and that every option is one of the release."""

from __future__ import annotations

import dataclasses
import importlib
import json
import os
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from generator.catalogue.catalogue import load_catalogue
from generator.errors import ProfileError
from generator.pipeline import plan_of
from generator.plan import Argument, Plan
from generator.profiles.load import read_document
from generator.targets import load_target
from tests.commands import called, run

FACTS = load_catalogue().at("vllm")
GPU = 'host.gpus=[{ name = "A100", memory = "80GiB", compute_capability = "8.0" }]'
TWO = 'host.gpus=[{ name = "A", memory = "80GiB", compute_capability = "8.0" }, '
TWO += '{ name = "B", memory = "80GiB", compute_capability = "8.0" }]'
DISCRETE = ("host.unified_memory=false", "ollama.kv_cache_type=f16")


def plan(*sets: str, profile: str = "dgx-spark") -> Plan:
    return plan_of(read_document(profile, ("engine=vllm", *sets)))


def told(*sets: str) -> dict[str, str]:
    return {one.name: one.value for one in plan(*sets).service.arguments}


def refused(*sets: str, profile: str = "dgx-spark") -> str:
    with pytest.raises(ProfileError) as caught:
        plan(*sets, profile=profile)
    return "\n".join(f"{p.where}: {p.message} -> {p.hint}" for p in caught.value.problems)


def test_what_the_profile_means_becomes_arguments() -> None:
    assert told() == {
        "meta-llama/Llama-3.1-8B-Instruct": "",
        "--served-model-name": "llama3.1:8b",
        "--max-model-len": "8192",
        "--max-num-seqs": "4",
        "--gpu-memory-utilization": "0.87",  # 119 GiB without the 14.9 that are the system's
        "--host": "127.0.0.1",
        "--port": "11434",
    }


def test_a_card_of_its_own_is_taken_as_vllm_does() -> None:
    assert "--gpu-memory-utilization" not in told(GPU, "host.unified_memory=false")
    kept = told(GPU, "host.unified_memory=false", "ollama.gpu_overhead=16GiB")
    assert kept["--gpu-memory-utilization"] == "0.8"
    said = told(GPU, "host.unified_memory=false", "vllm.gpu_memory_utilization=0.5")
    assert said["--gpu-memory-utilization"] == "0.5"


def test_two_cards_hold_a_model_together_where_they_are_asked_to() -> None:
    one = plan(TWO, "host.unified_memory=false")
    assert "--tensor-parallel-size" not in {each.name for each in one.service.arguments}
    assert "HW672" in {finding.rule for finding in one.findings}
    assert told(TWO, "ollama.sched_spread=true")["--tensor-parallel-size"] == "2"
    assert told(TWO, "vllm.tensor_parallel=2")["--tensor-parallel-size"] == "2"
    assert "4 cards are asked for, and there are 2" in refused(TWO, "vllm.tensor_parallel=4")


def test_the_cache_has_as_many_bits() -> None:
    assert (
        told("ollama.kv_cache_type=q8_0", "ollama.flash_attention=true")["--kv-cache-dtype"]
        == "fp8"
    )
    assert "--kv-cache-dtype" not in told("ollama.kv_cache_type=f16")
    lost = plan("ollama.kv_cache_type=q4_0", "ollama.flash_attention=true")
    assert "no cache of q4_0" in " ".join(f.message for f in lost.findings)


def test_tools_and_embeddings_and_revisions() -> None:
    found = told("vllm.tool_parser=llama3_json", "vllm.revision=abc")
    assert found["--tool-call-parser"] == "llama3_json"
    assert {"--enable-auto-tool-choice", "--revision"} <= {*found}
    pooled = 'models=[{ name = "nomic-embed-text", hf = "nomic-ai/x", role = "embedding" }]'
    assert told(pooled)["--runner"] == "pooling"
    assert not {"--tool-call-parser", "--enable-auto-tool-choice"} & {
        *told(pooled, "vllm.tool_parser=hermes")
    }
    left = plan(pooled, "vllm.tool_parser=hermes").findings
    assert "vllm.tool_parser" in {one.where for one in left}


@pytest.mark.parametrize("release", ["0.20", "0.27.1", "0.33"])
def test_every_option_is_one_of_the_release_and_takes_its_value(release: str) -> None:
    asked = ("vllm.tool_parser=hermes", "vllm.revision=x", "ollama.kv_cache_type=q8_0",
             "ollama.flash_attention=true", TWO, "vllm.tensor_parallel=2",
             "ollama.prompt_cache=8GiB",
             "host.unified_memory=false", "vllm.gpu_memory_utilization=0.8",
             f"vllm.version={release}")  # fmt: skip
    service = plan(*asked).service
    options = load_catalogue().told("vllm", service.release).serve_options
    repository, *others = service.arguments
    assert not repository.value
    for one in others:
        known = options[one.name]
        assert bool(one.value) == (known.takes != "nothing")
        assert not known.words or one.value in known.words
        assert known.takes != "number" or one.value.isdecimal()
        assert known.takes != "share" or 0 < float(one.value) <= 1
    assert {one.name for one in others} | {"--runner"} == {*options}


def test_what_means_nothing_there_is_said_with_its_reason() -> None:
    found = plan().service.omissions
    assert {one.what for one in found} == {
        "ollama.keep_alive", "ollama.max_loaded_models", "ollama.flash_attention"
    }  # fmt: skip
    assert {f.where for f in plan().findings if f.rule == "HW670"} == {o.what for o in found}
    strict = called("show", "dgx-spark", "--set", "engine=vllm", "--strict")
    assert strict.returncode == 2
    assert "ollama.keep_alive" in strict.stderr


@pytest.mark.parametrize(
    ("sets", "why"),
    [
        (("ollama.acceleration=rocm",), "not by rocm"),
        ((GPU.replace('"8.0"', '"7.0"'),), "cannot compute on A100 (7.0)"),
        ((GPU.replace(', compute_capability = "8.0"', "").replace("A100", "Zz"),), "is not known"),
        (("models=[]",), "the profile has none"),
        (('models=[{ name = "a" }]',), "nothing says which repository"),
        (('models=[{ name = "a", hf = "o/a" }, { name = "b", hf = "o/b" }]',), "these are 2"),
        (("container.user=1000:1000", "container.home_dir=/srv/hf"), "runs as root"),
        (('vllm.version="0.5"',), "the oldest release that Hostwright knows is `0.20.0`"),
        (('vllm.version="0.26.7"',), "is not a release of vLLM -> the newest of 0.26 is `0.26.0`"),
    ],
)
def test_what_cannot_be_is_refused_with_what_would(sets: tuple[str, ...], why: str) -> None:
    assert why in refused(*sets)


def test_old_cards_and_processors_are_refused_with_what_would_be_needed() -> None:
    old = refused(profile="dual-pascal")
    assert "Quadro P4000 (6.1) and NVIDIA GeForce GTX 1060 6GB (6.1)" in old
    assert "compiled for compute capability 7.5" in old
    assert "put in a card like" in old
    processor = refused(profile="xeon-cpu")
    assert "needs avx512f to compute on a processor, and this processor has avx2" in processor
    assert "stay with Ollama" in processor
    done = called("xeon-cpu", "-t", "compose", "--set", "engine=vllm")
    assert (done.returncode, done.stdout) == (2, "")


def test_a_processor_with_avx512_has_an_image_of_its_own() -> None:
    cpu = "host.cpu={ model = 'X', cores = 32, features = ['avx512f'] }"
    model = 'models=[{ name = "a", hf = "o/a" }]'
    service = plan(cpu, model, "ollama.llm_library=cpu", profile="xeon-cpu").service
    assert service.container.image == "vllm/vllm-openai-cpu:v0.33.0-x86_64"


@pytest.mark.parametrize(
    "name", ["", "a", "a/b/c", "-a/b", "a/b c", "a/$(b)", "a/-b", "ä/b", "a/b\n"]
)
def test_a_repository_that_is_none_is_refused(name: str) -> None:
    models = f"models=[{{ name = 'a', hf = {json.dumps(name)} }}]"
    assert "models.0.hf" in refused(models)


def test_a_name_that_says_its_bits_is_asked_about() -> None:
    def rules(bits: str) -> set[str]:
        model = f'models=[{{ name = "llama3.1:8b", hf = "o/Llama-AWQ-INT4"{bits} }}]'
        return {finding.rule for finding in plan(model).findings}

    assert "HW671" in rules("")
    assert "HW671" not in rules(", hf_bits = 4")


def compose(*sets: str) -> dict[str, object]:
    done = called("dgx-spark", "-t", "compose", *(f"--set={one}" for one in ("engine=vllm", *sets)))
    assert done.returncode == 0, done.stderr
    service: dict[str, object] = yaml.safe_load(done.stdout)["services"]["vllm"]
    return service


def words(service: object) -> list[str]:
    assert isinstance(service, dict)
    found: list[str] = service["command"]
    return found


def test_compose_tells_the_image_what_the_plan_says() -> None:
    service = compose()
    assert service["image"] == "vllm/vllm-openai:v0.33.0"
    assert service["ports"] == ["127.0.0.1:11434:8000"]
    arguments = [one for one in plan().service.arguments if one.scope == "any"]
    assert words(service) == [word for one in arguments for word in one.words]
    assert not {"--host", "--port"} & {*words(service)}
    assert service["shm_size"] == "4096m"
    assert "read_only" not in service  # which nobody has tried


def test_quadlet_and_units_say_the_same_words() -> None:
    options = ("--set=engine=vllm", "--set=service.full_unit=true")
    quadlet = called("dgx-spark", "-t", "quadlet", *options).stdout
    (line,) = [line for line in quadlet.splitlines() if line.startswith("Exec=")]
    assert shlex.split(line.removeprefix("Exec=")) == words(compose())
    unit = called("dgx-spark", "-t", "systemd", *options).stdout
    (line,) = [line for line in unit.splitlines() if line.startswith("ExecStart=")]
    start = shlex.split(line.removeprefix("ExecStart="))
    assert start[:2] == ["/opt/vllm/bin/vllm", "serve"]
    assert start[2:-4] == words(compose())
    assert start[-4:] == ["--host", "127.0.0.1", "--port", "11434"]


TARGETS = ("compose", "k8s", "quadlet", "systemd")


@pytest.mark.parametrize("target", TARGETS)
def test_the_program_that_reads_it_does(target: str, tmp_path: Path) -> None:
    whole = plan("service.full_unit=true", "vllm.tool_parser=hermes")
    for file in load_target(target).render(whole):
        path = tmp_path / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text)
    reader = importlib.import_module(f"tests.consumers.targets.{target}")
    assert reader.complaints(tmp_path, whole) == []
    assert reader.read(tmp_path, whole).environment["VLLM_CACHE_ROOT"] == "/var/cache/vllm"


@pytest.mark.parametrize("target", ["nixos", "systemd"])
def test_targets_that_have_nothing_for_it_refuse(target: str) -> None:
    done = called("dgx-spark", "-t", target, "--set=engine=vllm")
    assert done.returncode == 2
    assert "target" in done.stderr


def test_all_are_those_that_have_something_for_it(tmp_path: Path) -> None:
    done = called("dgx-spark", "-t", "all", "--set=engine=vllm", "-o", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    made = {each.name for each in (tmp_path / "out").iterdir() if each.is_dir()}
    assert made == {"compose", "helm", "k8s", "plan", "quadlet"}
    for name in ("nixos", "systemd"):
        assert f"{name} has nothing for vLLM, and is left out" in " ".join(done.stderr.split())


def test_an_argument_that_stands_alone_is_one_word() -> None:
    one = Argument(name="--x", reason="", source="profile", key="engine")
    assert one.words == ("--x",)
    assert dataclasses.replace(one, value="2").words == ("--x", "2")


def test_fit_counts_the_weights_of_the_repository_in_its_share() -> None:
    def fit(*more: str) -> dict[str, object]:
        done = run("fit", "dgx-spark", "--engine", "vllm", "--json", *more)
        found: dict[str, object] = json.loads(done.stdout)["models"][0]
        return found

    whole, quarter = (
        fit(),
        fit('--set=models=[{ name = "llama3.1:8b", hf = "o/x-AWQ", hf_bits = 4 }]'),
    )
    assert (whole["quantisation"], quarter["quantisation"]) == ("F16", "Q4_0")
    room = whole["rooms"][0]  # type: ignore[index]
    # 8.03 billion weights of two bytes, but for those of the input, which the card has not.
    assert room["weights"] == pytest.approx(2 * (8.03e9 - 0.525e9), rel=0.01)
    # 32 layers, 8 heads of 128, keys and values of two bytes, for 4 × 8192 tokens.
    assert room["kv"] == 32 * 8 * 128 * 2 * 2 * 4 * 8192
    assert room["reserved"] == pytest.approx(0.13 * room["memory"], rel=0.01)
    assert whole["speed"]["unknown"]  # type: ignore[index]


def test_a_prompt_cache_that_is_taken_at_the_start_has_to_fit() -> None:
    card = '{ name = "NVIDIA L4", memory = "24GiB", compute_capability = "8.9" }'
    host = ("--set=host.memory=64GiB", f"--set=host.gpus=[{card}]")
    model = '--set=models=[{ name = "llama3.1:8b", hf = "o/x-AWQ", hf_bits = 4 }]'

    def word(cache: str) -> str:
        asked = ("--set=engine=vllm", f"--set=ollama.prompt_cache={cache}")
        done = called("fit", "container-dev", *host, model, *asked, "--json")
        found: str = json.loads(done.stdout)["models"][0]["verdict"]
        return found

    assert [word("16GiB"), word("63GiB")] == ["fits", "does not fit"]


@pytest.mark.parametrize("command", ["verify", "warmup", "doctor", "advise"])
def test_what_knows_ollama_alone_says_so(command: str) -> None:
    done = called(command, "dgx-spark", "--set=engine=vllm")
    assert done.returncode == 2
    assert "vLLM" in done.stderr


def test_clients_and_differences_are_told(tmp_path: Path) -> None:
    folder = str(tmp_path / "clients")
    assert called("clients", "dgx-spark", "--set=engine=vllm", "-o", folder).returncode == 0
    files = "".join(file.read_text() for file in Path(folder).rglob("*") if file.is_file())
    assert "OPENAI_BASE_URL" in files
    assert "--host" not in files
    assert called("diff", "dgx-spark", "dgx-spark", "--set=engine=vllm").returncode in {0, 1}


PAIR = """schema_version = 1
name = "pair"
engine = "vllm"

[host]
memory = "256GiB"
gpus = [
  { name = "A", memory = "80GiB", compute_capability = "8.0" },
  { name = "B", memory = "80GiB", compute_capability = "8.0" },
]

[ollama]
num_parallel = 16

[[models]]
name = "llama3.1:8b"
hf = "o/llama"

[[models]]
name = "nomic-embed-text"
hf = "o/nomic"
role = "embedding"

[[instances]]
name = "chat"
gpus = ["0"]
models = ["llama3.1:8b"]

[[instances]]
name = "embed"
gpus = ["1"]
models = ["nomic-embed-text"]
num_parallel = 64

[front]
kind = "haproxy"
"""


def test_several_models_are_several_servers_behind_one_front(tmp_path: Path) -> None:
    file = tmp_path / "pair.toml"
    file.write_text(PAIR)
    done = called(str(file), "-t", "compose", "-o", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    services = yaml.safe_load((tmp_path / "out/compose/compose.yaml").read_text())["services"]
    chat, embed = services["vllm-chat"], services["vllm-embed"]
    assert words(chat)[0] == "o/llama"
    assert words(chat)[-2:] == ["--max-num-seqs", "16"]
    assert {"--runner", "pooling", "64"} <= {*words(embed)}
    # Each downloads its own, to a cache that all of them write.
    assert chat["volumes"][0] == embed["volumes"][0] == "vllm:/root/.cache/huggingface"
    assert "depends_on" not in embed
    assert chat["ports"] != embed["ports"]
    proxy = (tmp_path / "out/compose/front/haproxy.cfg").read_text()
    assert "server chat vllm-chat:8000 maxconn 16" in proxy
    assert "server embed vllm-embed:8000 maxconn 64" in proxy
    assert "uri /health" in proxy


def unknown(table: dict[str, Any], path: tuple[str, ...] = ()) -> list[str]:
    """Return the keys that the schema of the chart has not, and those of another form."""
    found = []
    known = load_catalogue().at("ollama").accepted("vllm-stack").below(path)
    # Whole manifests, which are no keys of the chart.
    for key, value in table.items() if known is not None and path != ("extraObjects",) else ():
        of = known.get(key) if known else None
        form = "table" if isinstance(value, dict) else "list" if isinstance(value, list) else ""
        if of is None or (of.form and of.form != form):
            found.append(".".join((*path, key)))
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, dict):
                found += unknown(part, (*path, key))
    return found


def stack(file: Path, *sets: str) -> dict[str, Any]:
    done = called(str(file), "-t", "helm", *(f"--set={one}" for one in sets))
    assert done.returncode == 0, done.stderr
    values: dict[str, Any] = yaml.safe_load(done.stdout)
    return values


GROWN = ("scale.max_replicas=5", "scale.prometheus='http://prom.lan:9090'", "k8s.replicas=2")
MORE = ("vllm.tool_parser=hermes", "vllm.revision=v1", "container.env_files=['/etc/tokens']")


@pytest.fixture(name="pair")
def _pair(tmp_path: Path) -> Path:
    file = tmp_path / "pair.toml"
    file.write_text(PAIR)
    return file


def test_values_have_no_key_that_the_chart_ignores(pair: Path) -> None:
    values = stack(pair, *MORE)
    assert unknown(values) == []
    assert unknown(stack(pair, *MORE, *GROWN)) == []
    assert unknown({"routerSpec": {"replicas": 2}}) == ["routerSpec.replicas"]
    wrong = {"servingEngineSpec": {"modelSpec": [{"tolerations": {}, "replicas": 2}]}}
    assert unknown(wrong) == [
        "servingEngineSpec.modelSpec.tolerations", "servingEngineSpec.modelSpec.replicas"
    ]  # fmt: skip


@pytest.mark.skipif(
    "PRODUCTION_STACK" not in os.environ, reason="PRODUCTION_STACK names no checkout"
)
def test_values_are_as_the_schema_of_a_checkout_says(pair: Path) -> None:
    file = Path(os.environ["PRODUCTION_STACK"]) / "helm/values.schema.json"
    schema = json.loads(file.read_text())
    valid = Draft202012Validator(schema)
    for sets in (MORE, (*MORE, *GROWN)):
        values = stack(pair, *sets)
        assert not list(valid.iter_errors(values))
    # Why the ScaledObject is one of `extraObjects`; KEDA takes a list alone.
    values["servingEngineSpec"]["modelSpec"][0]["keda"]["triggers"] = []
    assert [one.validator for one in valid.iter_errors(values)] == ["type"]


def test_pods_are_added_by_what_the_servers_tell(pair: Path) -> None:
    values = stack(pair, *GROWN)
    engines, router = values["servingEngineSpec"], values["routerSpec"]
    assert (router["replicaCount"], router["routingLogic"]) == (1, "roundrobin")
    assert engines["serviceMonitor"] == {"enabled": True}
    for spec, scaler, slots in zip(
        engines["modelSpec"], values["extraObjects"], (16, 64), strict=True
    ):
        # What scaledobject-vllm.yaml and deployment-vllm-multi.yaml of 0.1.12 look at.
        assert (spec["keda"], spec["raySpec"]) == ({"enabled": True}, {"enabled": False})
        assert spec["pvcAccessMode"] == ["ReadWriteMany"]
        assert "replicaCount" not in spec
        wanted, name = scaler["spec"], "{{.Release.Name}}-" + spec["name"]
        target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": f"{name}-deployment-vllm"}
        assert wanted["scaleTargetRef"] == target
        assert (wanted["minReplicaCount"], wanted["maxReplicaCount"]) == (2, 5)
        told = wanted["triggers"][0]["metadata"]
        assert (told["threshold"], told["serverAddress"]) == (str(slots), "http://prom.lan:9090")
        of = f'{{namespace="{{{{.Release.Namespace}}}}",service="{name}-engine-service"}}'
        running, waiting = f"vllm:num_requests_running{of}", f"vllm:num_requests_waiting{of}"
        assert told["query"] == f"sum({running}) + sum({waiting})"


def test_as_many_pods_as_ever_need_no_keda(pair: Path) -> None:
    values = stack(pair)
    assert "extraObjects" not in values
    assert "serviceMonitor" not in values["servingEngineSpec"]
    for spec in values["servingEngineSpec"]["modelSpec"]:
        assert not {"keda", "raySpec"} & {*spec}
        assert spec["pvcAccessMode"] == ["ReadWriteOnce"]


def test_the_cache_server_of_the_chart_is_none_for_answers(pair: Path) -> None:
    done = called(str(pair), "-t", "helm", "--set=cache.key_file=/etc/litellm")
    assert done.returncode == 0, done.stderr
    told = " ".join(done.stderr.split())
    assert "HW601" in told
    assert "keeps what prompts were computed to" in told
    assert "it is for one host" not in told
    grown = called(str(pair), "-t", "helm", *(f"--set={one}" for one in GROWN))
    assert "HW601 k8s.replicas" not in grown.stderr


def test_the_readme_tells_what_has_to_be_there(pair: Path) -> None:
    out = pair.parent / "out"
    for sets, there in (((), False), (GROWN, True)):
        called(str(pair), "-t", "helm", "-o", str(out), *(f"--set={one}" for one in sets))
        assert ("KEDA" in (out / "helm/README.md").read_text()) is there


def test_the_chart_makes_the_same_command_line(pair: Path) -> None:
    """By what its template does with a `modelSpec`: deployment-vllm-multi.yaml, 0.1.12."""
    keys = {
        "maxModelLen": "--max-model-len", "tensorParallelSize": "--tensor-parallel-size",
        "maxNumSeqs": "--max-num-seqs", "gpuMemoryUtilization": "--gpu-memory-utilization",
        "runner": "--runner",
    }  # fmt: skip
    chat, embed = stack(pair, *MORE)["servingEngineSpec"]["modelSpec"]
    out = pair.parent / "out"
    called(str(pair), "-t", "compose", "-o", str(out), *(f"--set={one}" for one in MORE))
    servers = yaml.safe_load((out / "compose/compose.yaml").read_text())["services"]
    for spec in (chat, embed):
        config = spec["vllmConfig"]
        # That for shared memory; one card is what it is told of anyway.
        assert config.pop("tensorParallelSize") == 1
        made = [word for key, option in keys.items() if key in config
                for word in (option, str(config[key]))]  # fmt: skip
        made += [*config["extraArgs"], "--revision", spec["modelRevision"]]
        assert config["enablePrefixCaching"] is True
        command = servers[spec["name"]]["command"]
        assert [spec["modelURL"], *sorted(made)] == [command[0], *sorted(command[1:])]
    assert chat["envFromSecret"] == {"name": "vllm-chat-env"}
    places = {one["name"]: one["value"] for one in chat["env"]}
    assert (places["HOME"], places["VLLM_CACHE_ROOT"]) == ("/data", "/data/cache")


def test_what_it_tells_of_itself_is_scraped() -> None:
    watched = plan("monitor.enable=true", "front.kind=haproxy").monitor
    assert watched is not None
    jobs = {scrape.job: scrape for scrape in watched.scrapes}
    assert jobs["engine"].path == "/metrics"
    assert jobs["server"].endpoints[0].address.endswith("/version")
    assert {"vLLMDown", "vLLMQueueing"} <= {alert.name for alert in watched.alerts}


def test_its_plan_is_read_back_and_judged(pair: Path) -> None:
    data = json.loads(called("plan", "dgx-spark", "--set=engine=vllm").stdout)
    file = pair.parent / "plan.json"
    file.write_text(json.dumps(data))
    done = called("check", str(file))
    assert done.returncode in {0, 1}, done.stdout
    assert "1 file:" in done.stdout
    data["services"][0]["arguments"][0]["name"] = "; rm -rf /"
    file.write_text(json.dumps(data))
    assert "no option, and no name of a repository" in " ".join(
        called("check", str(file)).stdout.split()
    )


def test_a_token_belongs_into_a_file() -> None:
    done = called("dgx-spark", "-t", "compose", "--set=engine=vllm", "--set=vllm.env.HF_TOKEN=hf_1")
    assert done.returncode == 2
    assert "looks like a secret" in done.stderr


UNTOLD = """schema_version = 1
name = "untold"
engine = "vllm"
[host]
system = "x86_64-linux"
memory = "64GiB"
cpu = { cores = 16, threads = 32 }
gpus = [{ name = "RTX 3090", memory = "24GiB", compute_capability = "8.6" }]
[[models]]
"""
LLAMA = 'name = "llama3.1:8b"\nhf = "meta-llama/Llama-3.1-8B-Instruct"\n'


@pytest.mark.parametrize(
    ("model", "length"),
    [
        (LLAMA, "8192"),
        ('name = "nomic-embed-text"\nhf = "nomic-ai/x"\nrole = "embedding"\n', ""),
        ('name = "nobody/knows:1b"\nhf = "nobody/knows"\n', ""),
    ],
)
def test_a_length_that_nobody_says_is_one_for_which_there_is_room(
    model: str, length: str, tmp_path: Path
) -> None:
    """By itself vLLM takes that of the training, 131072 here, and ends where it does not fit."""
    path = tmp_path / "untold.toml"
    path.write_text(UNTOLD + model)
    service = plan_of(read_document(str(path))).service
    found = {one.name: (one.value, one.source) for one in service.arguments}
    assert found.get("--max-model-len", ("", "")) == (length, "derived" if length else "")


def test_slots_that_nobody_says_share_what_there_is(tmp_path: Path) -> None:
    path = tmp_path / "untold.toml"
    path.write_text(UNTOLD + LLAMA)
    found = called("fit", str(path))
    assert found.returncode == 0
    assert "most slots with 8192 tokens" in " ".join(found.stdout.split())


def test_files_of_it_are_judged_and_not_imported(tmp_path: Path) -> None:
    compose = tmp_path / "compose.yaml"
    compose.write_text("services: {vllm: {image: vllm/vllm-openai:v0.33.0, command: [o/a]}}\n")
    refused_ = called("import", str(compose))
    assert (refused_.returncode, refused_.stdout) == (2, "")
    assert "a server of vllm, whose files are not imported" in refused_.stderr
    both = "  ollama: {image: 'ollama/ollama:0.32.15'}\n"
    compose.write_text(f"services:\n  vllm: {{image: vllm/vllm-openai, command: [o/a]}}\n{both}")
    assert "schema_version" in called("import", str(compose), "--cores=8").stdout


def test_a_machine_with_both_is_compared_by_the_engine_of_the_profile(tmp_path: Path) -> None:
    sets = ("--set=engine=vllm",)
    out = tmp_path / "out"
    assert called("dgx-spark", *sets, "-t", "quadlet", "-o", str(out)).returncode == 0
    root = out / "quadlet"
    same = called("diff", "dgx-spark", *sets, f"--root={root}")
    assert (same.returncode, "nothing differs" in same.stderr) == (0, True)
    other = called("diff", "dgx-spark", f"--root={root}")
    assert "error: nothing is installed here that runs Ollama\n" in other.stderr


def test_a_fleet_has_it_where_a_target_has(tmp_path: Path) -> None:
    (tmp_path / "v.toml").write_text(UNTOLD + LLAMA)
    fleet = tmp_path / "fleet.toml"
    fleet.write_text('schema_version = 1\n[hosts.a]\nprofile = "./v.toml"\n')
    nixos = called("fleet", str(fleet))
    assert nixos.returncode == 2
    assert "set `services.ollama`, and this profile is for vLLM" in " ".join(nixos.stderr.split())
    fleet.write_text(f'{fleet.read_text()}target = "quadlet"\n')
    assert called("fleet", str(fleet)).returncode == 0


def test_a_plan_of_it_has_its_own_release_whatever_that_of_ollama_is(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text(called("plan", "dgx-spark", "--set", "engine=vllm").stdout)
    judged = called("check", str(path), "--ollama-version", "0.9")
    assert (judged.returncode, "1 file" in judged.stdout) == (0, True)


def test_earlier_prompts_go_to_host_memory() -> None:
    own = (GPU, "host.unified_memory=false")
    asked = plan(*own, "ollama.prompt_cache=12GiB")
    assert {one.name: one.value for one in asked.service.arguments}["--kv-offloading-size"] == "12"
    # It is a file in /dev/shm: 4 GiB for messages, and that.
    assert asked.service.container.shm_size == 16 << 30
    assert told(*own, "ollama.prompt_cache=512MiB")["--kv-offloading-size"] == "0.5"
    for sets in ((), (*own,), (*own, "ollama.prompt_cache=0")):
        assert "--kv-offloading-size" not in told(*sets)
        assert plan(*sets).service.container.shm_size == 4 << 30


@pytest.mark.parametrize(
    "sets",
    [
        ("ollama.prompt_cache=8GiB",),  # the cards have that memory
        (GPU, "host.unified_memory=false", "ollama.prompt_cache=infinity"),
        ("ollama.acceleration=cpu", "threads.count=8", "host.system=x86_64-linux",
         "ollama.prompt_cache=8GiB",
         'host.cpu={ cores = 8, features = ["avx512f"] }'),
    ],
)  # fmt: skip
def test_where_they_have_no_other_memory_it_is_said(sets: tuple[str, ...]) -> None:
    decided = plan(*sets)
    assert "--kv-offloading-size" not in {one.name for one in decided.service.arguments}
    (found,) = (one for one in decided.findings if one.where == "ollama.prompt_cache")
    assert found.rule == "HW670"


def test_what_goes_there_is_counted() -> None:
    sets = (GPU, "host.unified_memory=false", "host.memory=32GiB", "ollama.prompt_cache=27GiB")
    done = called("fit", "dgx-spark", "--engine", "vllm", *(f"--set={one}" for one in sets))
    told = "does not fit: 27.0 GiB for earlier prompts are taken at the start"
    assert (done.returncode, told in " ".join(done.stdout.split())) == (1, True)
    assert "the host has 32 GiB" in refused(*sets[:3], "ollama.prompt_cache=32GiB")
