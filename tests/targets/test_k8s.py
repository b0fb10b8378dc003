"""What only manifests have: claims, probes, scripts of a pod, GPUs, Secrets, names."""

import os
import re
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from generator.api import Question
from generator.cli.fit_command import assess_plan
from generator.errors import ProfileError, RenderError
from generator.plan import Plan
from generator.profiles.document import Document
from generator.profiles.validate import validate
from generator.targets import all_files, limitations, load_target
from tests.consumers import front, kubernetes
from tests.consumers.targets import written
from tests.plans import plan
from tests.tools import require

GIB = 2**30
CARD = {"name": "NVIDIA GeForce RTX 3090", "memory": "24GiB", "compute_capability": "8.6"}
RADEON = {"name": "Radeon RX 7900 XTX", "memory": "24GiB"}
CASES: dict[str, dict[str, Any]] = {
    "bare": {},
    "models of one's own": {
        "models": [{"name": "llama3.1:8b", "preload": True, "parameters": {"top_k": 30}}],
        "warmup": {"timeout": "77s"},
    },
    "several": {"k8s": {"replicas": 3, "namespace": "llm", "storage_class": "fast"}},
    "cards": {"host": {"system": "x86_64-linux", "gpus": [CARD, CARD]}},
    "claims": {"host": {"gpus": [CARD]}, "k8s": {"gpu": "dra"}},
    "a slice": {"host": {"gpus": [CARD]}, "k8s": {"gpu_resource": "nvidia.com/mig-1g.10gb"}},
    "of AMD": {"host": {"gpus": [RADEON]}},
    "secrets": {
        "service": {
            "environment_files": ["/run/a.env", "/run/b.env"],
            "credentials": {
                "id_ed25519": {"path": "/k", "encrypted": True},
                "SSL_CERT_FILE": {"path": "/c"},
            },
        }
    },
    "built": {"host": {"system": "x86_64-linux"}, "ollama": {"build": {"blas": "openblas"}}},
    "instances": {
        "host": {"gpus": [CARD, CARD]},
        "models": [{"name": "a:1b"}, {"name": "b:1b", "preload": True}],
        "instances": [
            {"name": "chat", "gpus": ["0"], "models": ["a:1b"]},
            {"name": "code", "gpus": ["1"], "models": ["b:1b"]},
        ],
    },
    "front": {"front": {}, "k8s": {"replicas": 3}, "ollama": {"num_parallel": 2}},
    "watched and scaled": {
        "front": {},
        "monitor": {"enable": True},
        "ollama": {"num_parallel": 4},
        "k8s": {"replicas": 2},
        "scale": {"max_replicas": 5, "prometheus": "http://prom.lan:9090"},
    },
    "front with keys": {
        "front": {"auth": "bearer", "auth_file": "/etc/k", "host": "192.0.2.1", "port": 443},
    },
    "open": {
        "ollama": {"host": "0.0.0.0"},  # noqa: S104 -- in a profile
        "check": {"ignore": [{"rule": "HW401", "reason": "the network is ours"}]},
    },
}


def objects(decided: Plan, folder: Path) -> list[dict[str, Any]]:
    return kubernetes.objects(written("k8s", decided, folder))


def pod_of(data: dict[str, Any], folder: Path) -> dict[str, Any]:
    found = kubernetes.one(objects(plan(data), folder), "StatefulSet")
    pod: dict[str, Any] = found["spec"]["template"]["spec"]
    return pod


@pytest.mark.parametrize("name", CASES)
def test_three_releases_of_kubernetes_accept_it(name: str, tmp_path: Path) -> None:
    found = objects(plan(CASES[name]), tmp_path)
    assert kubernetes.verify(found) == []
    assert len(found) >= 5


@pytest.mark.parametrize(
    ("kind", "path", "value", "fault"),
    [
        ("StatefulSet", ("spec", "replica"), 1, "'replica' was unexpected"),
        ("StatefulSet", ("spec", "replicas"), "two", "'two' is not of type"),
        ("StatefulSet", ("spec", "serviceName"), "other", "no Service of that serviceName"),
        ("StatefulSet", ("spec", "selector", "matchLabels", "a"), "b", "does not match"),
        ("PodDisruptionBudget", ("spec", "maxAvailable"), 1, "'maxAvailable' was unexpected"),
        ("NetworkPolicy", ("spec", "podSelector"), "all", "'all' is not of type"),
        ("Service", ("apiVersion",), "v2", "schema"),
    ],
)
def test_what_is_wrong_is_refused(
    kind: str, path: tuple[str, ...], value: object, fault: str, tmp_path: Path
) -> None:
    found = objects(plan({}), tmp_path)
    place: Any = next(each for each in found if each["kind"] == kind)
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    assert fault in "\n".join(kubernetes.verify(found))


def test_kustomize_takes_all_of_it(tmp_path: Path) -> None:
    kubectl = require("kubectl")
    named = plan({**CASES["models of one's own"], "k8s": {"namespace": "llm"}})
    folder = written("k8s", named, tmp_path)
    done = subprocess.run(
        [kubectl, "kustomize", str(folder)], capture_output=True, text=True, check=True, timeout=60
    )
    kinds = sorted(line for line in done.stdout.splitlines() if line.startswith("kind: "))
    assert kinds == [
        *("kind: ConfigMap", "kind: NetworkPolicy", "kind: PodDisruptionBudget"),
        *("kind: Service", "kind: Service", "kind: StatefulSet"),
    ]


def test_a_claim_holds_the_models_and_one_of_them_again(tmp_path: Path) -> None:
    # 4.92 GB are pulled as llama3.1:8b: twice that, and a tenth, are 10.1 GiB.
    known = plan({"models": [{"name": "llama3.1:8b"}]}).service.pod
    unknown = plan({"models": [{"name": "nobody/knows:it"}]}).service.pod
    none = plan({}).service.pod
    asked = plan({"k8s": {"storage": "7GiB"}}).service.pod
    assert known and unknown and none and asked  # noqa: PT018
    sizes = [each.storage.size // GIB for each in (known, unknown, none, asked)]
    assert sizes == [15, 40, 50, 7]
    assert "The model has 5 GiB" in known.storage.reason
    assert "16 GiB or what its name says for each of unknown size" in unknown.storage.reason
    claim = kubernetes.one(objects(plan({"k8s": {"storage": "7GiB"}}), tmp_path), "StatefulSet")
    (template,) = claim["spec"]["volumeClaimTemplates"]
    assert template["spec"]["resources"]["requests"]["storage"] == "7Gi"


@pytest.mark.parametrize(
    ("name", "gibibytes"),
    [
        ("someone/large:70b", 90),  # 43 GB, as llama3.3:70b has them
        ("hf.co/someone/Large-70B-GGUF:Q8_0", 165),
        ("someone/experts:8x22b", 230),
        ("someone/small:1.5b", 40),
        ("someone/b:b", 40),
    ],
)
def test_a_claim_holds_what_a_name_says(name: str, gibibytes: int) -> None:
    pod = plan({"models": [{"name": name}]}).service.pod
    assert pod is not None
    assert pod.storage.size // GIB == gibibytes


def program(folder: Path, name: str, text: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)


def run(command: list[str], path: Path, **more: Any) -> subprocess.CompletedProcess[str]:
    env = {"PATH": f"{path}:{os.environ['PATH']}", "LOG": str(path / "log"), "HOME": str(path)}
    return subprocess.run(
        command, env=env, capture_output=True, text=True, check=False, timeout=60, **more
    )


# It serves until it is told to go on no longer, and has what was pulled.
OLLAMA = """\
case $1 in
  serve) echo "serve" >>"$LOG"; touch "$HOME/up"; exec sleep 3 >/dev/null 2>&1;;
  list) [ -e "$HOME/up" ];;
  show) grep -qx "pull $2" "$LOG";;
  pull) [ "$2" != gone:1b ] && echo "pull $2" >>"$LOG";;
  create) echo "create $2 $4" >>"$LOG";;
  run) echo "run $2" >>"$LOG"; [ "$2" != broken:1b ];;
esac
"""


def before(data: dict[str, Any], tmp_path: Path) -> tuple[int, list[str]]:
    """Run what a pod runs before its server, and return its status and what it did."""
    (box,) = pod_of(data, tmp_path / "out")["initContainers"]
    program(tmp_path, "ollama", OLLAMA)
    words = [kubernetes.expanded(word, {}) for word in (*box["command"], *box["args"])]
    done = run(words, tmp_path, start_new_session=True)
    return done.returncode, (tmp_path / "log").read_text().splitlines()


def test_models_are_pulled_once_and_created(tmp_path: Path) -> None:
    own = {"name": "a:1b", "serve_as": "mine:1b", "parameters": {"top_k": 30}}
    data = {"models": [own, {"name": "b:1b"}]}
    code, did = before(data, tmp_path)
    assert code == 0
    assert did[0] == "serve"
    assert did[1:] == ["pull a:1b", "pull b:1b", "create mine:1b /modelfiles/Modelfile.mine=1b"]


def test_a_modelfile_has_a_key_that_a_config_map_may_have(tmp_path: Path) -> None:
    own = {"name": "a:1b", "serve_as": "mine:1b", "parameters": {"top_k": 30}}
    found = objects(plan({"models": [own, {**own, "serve_as": "mine-1b"}]}), tmp_path)
    data = kubernetes.one(found, "ConfigMap")["data"]
    assert list(data) == ["1.Modelfile.mine-1b", "2.Modelfile.mine-1b"]
    assert data["1.Modelfile.mine-1b"].endswith("\nPARAMETER top_k 30\n")
    pod = kubernetes.one(found, "StatefulSet")["spec"]["template"]["spec"]
    (held,) = (volume["configMap"] for volume in pod["volumes"] if "configMap" in volume)
    assert held["items"][0] == {"key": "1.Modelfile.mine-1b", "path": "Modelfile.mine=1b"}


def test_a_model_that_cannot_be_pulled_is_tried_again(tmp_path: Path) -> None:
    code, did = before({"models": [{"name": "gone:1b"}, {"name": "b:1b"}]}, tmp_path)
    assert code == 1
    assert did == ["serve"]


@pytest.mark.parametrize(("name", "code"), [("a:1b", 0), ("broken:1b", 1)])
def test_a_pod_has_started_when_its_models_are_loaded(name: str, code: int, tmp_path: Path) -> None:
    data = {"models": [{"name": name, "preload": True}], "warmup": {"timeout": "77s"}}
    (box,) = pod_of(data, tmp_path / "out")["containers"]
    program(tmp_path, "ollama", OLLAMA)
    assert run(box["startupProbe"]["exec"]["command"], tmp_path).returncode == code
    assert (tmp_path / "log").read_text() == f"run {name}\n"
    assert box["startupProbe"]["timeoutSeconds"] == 77


def drain(port: int, tmp_path: Path) -> list[str]:
    """Return the command of a pod's hook for that port, with a clock that runs faster."""
    (box,) = pod_of({"k8s": {"longest_answer": "8s"}}, tmp_path)["containers"]
    *head, was, tries = box["lifecycle"]["preStop"]["exec"]["command"]
    assert (was, tries) == ("2CAA", "4")  # 11434, and a look every two seconds
    program(tmp_path, "sleep", 'echo "$1" >>"$LOG"; exec /bin/sleep 0.01')
    return [*head, f"{port:04X}", tries]


def slept(tmp_path: Path) -> list[str]:
    return (tmp_path / "log").read_text().split()


def test_a_pod_ends_when_nobody_is_connected_any_more(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        command = drain(port, tmp_path)
        assert run(command, tmp_path).returncode == 0
        assert slept(tmp_path) == ["5"]
        (tmp_path / "log").unlink()
        with socket.create_connection(("127.0.0.1", port)), server.accept()[0]:
            assert run(command, tmp_path).returncode == 0
        assert slept(tmp_path) == ["5", "2", "2", "2", "2"]


def test_there_is_time_for_the_longest_answer(tmp_path: Path) -> None:
    pod = pod_of({"k8s": {"longest_answer": "20m"}}, tmp_path)
    assert pod["terminationGracePeriodSeconds"] == 5 + 20 * 60 + 30


def test_a_plugin_hands_out_gpus_on_nodes_that_have_them(tmp_path: Path) -> None:
    pod = pod_of(CASES["cards"], tmp_path)
    (box,) = pod["containers"]
    assert box["resources"]["limits"] == {"nvidia.com/gpu": 2}
    node = pod["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    (term,) = node["nodeSelectorTerms"]
    assert {rule["key"]: rule["values"] for rule in term["matchExpressions"]} == {
        "kubernetes.io/arch": ["amd64"],
        "nvidia.com/gpu.product": ["NVIDIA-GeForce-RTX-3090", "GeForce-RTX-3090"],
    }
    assert pod["tolerations"][0]["key"] == "nvidia.com/gpu"


def test_a_claim_says_what_a_device_must_be(tmp_path: Path) -> None:
    found = objects(plan(CASES["claims"]), tmp_path)
    claim = kubernetes.one(found, "ResourceClaimTemplate")
    (request,) = claim["spec"]["spec"]["devices"]["requests"]
    assert request["exactly"]["deviceClassName"] == "gpu.nvidia.com"
    # 95 % of 24 GiB, and the capability of the card.
    assert [each["cel"]["expression"] for each in request["exactly"]["selectors"]] == [
        "device.capacity['gpu.nvidia.com'].memory.compareTo(quantity('23347Mi')) >= 0",
        "device.attributes['gpu.nvidia.com'].cudaComputeCapability.compareTo(semver('8.6.0')) >= 0",
    ]
    pod = kubernetes.one(found, "StatefulSet")["spec"]["template"]["spec"]
    assert pod["resourceClaims"] == [
        {"name": "gpu", "resourceClaimTemplateName": claim["metadata"]["name"]}
    ]
    assert pod["containers"][0]["resources"]["claims"] == [{"name": "gpu"}]
    assert "nvidia.com/gpu" not in str(pod["containers"][0]["resources"])


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        # By the numbers of `gen fit`: 4.3 GiB of weights, 2 GiB of cache, a batch of 512, what a
        # device takes for itself, and 1 GiB that llama.cpp leaves free.
        ("llama3.1:8b", range(7500, 8500)),
        (
            "llama3.3:70b",
            [23347],
        ),  # no card of the profile holds it: such a card, as far as it goes
        ("nobody/knows:7b", [23347]),
    ],
)
def test_a_claim_asks_for_what_its_models_need(
    name: str, asked: Sequence[int], tmp_path: Path
) -> None:
    data = {**CASES["claims"], "models": [{"name": name}], "ollama": {"context_length": 16384}}
    claim = kubernetes.one(objects(plan(data), tmp_path), "ResourceClaimTemplate")
    first, second = claim["spec"]["spec"]["devices"]["requests"][0]["exactly"]["selectors"]
    (size,) = re.findall(r"quantity\('(\d+)Mi'\)", first["cel"]["expression"])
    assert int(size) in asked
    assert "cudaComputeCapability" in second["cel"]["expression"]


def test_a_smaller_device_than_a_claim_asks_for_is_too_small() -> None:
    card = {"name": "A card", "compute_capability": "8.6"}
    told = {"models": [{"name": "llama3.1:8b"}], "ollama": {"context_length": 16384}}
    decided = plan({**told, "host": {"gpus": [CARD]}, "k8s": {"gpu": "dra"}})
    assert decided.service.pod is not None
    assert decided.service.pod.gpus is not None
    (size,) = re.findall(r"quantity\('(\d+)Mi'\)", decided.service.pod.gpus.selectors[0])
    words = []
    for mebibytes in (int(size), int(size) - 1):
        host = {"gpus": [{**card, "memory": f"{mebibytes}MiB"}]}
        found = assess_plan(plan({**told, "host": host}), Question())
        words.append(found.fits[0].placement.on_gpus > found.fits[0].shape.layers)
    assert words == [True, False]


@pytest.mark.parametrize(
    ("name", "limits"),
    [("a slice", {"nvidia.com/mig-1g.10gb": 1}), ("of AMD", {"amd.com/gpu": 1})],
)
def test_other_devices_have_other_names(name: str, limits: dict[str, int], tmp_path: Path) -> None:
    (box,) = pod_of(CASES[name], tmp_path)["containers"]
    assert box["resources"]["limits"] == limits


def test_a_slice_is_on_nodes_that_are_tainted_for_whole_gpus_too(tmp_path: Path) -> None:
    keys = [each["key"] for each in pod_of(CASES["a slice"], tmp_path)["tolerations"]]
    assert keys == ["nvidia.com/mig-1g.10gb", "nvidia.com/gpu"]


def test_another_engine_is_given_the_cards_that_it_computes_on(tmp_path: Path) -> None:
    one = {"name": "llama3.1:8b", "hf": "meta-llama/Llama-3.1-8B-Instruct"}
    data = {"engine": "vllm", "host": {"gpus": [CARD, CARD]}, "models": [one]}
    for number, more in ((1, {}), (2, {"vllm": {"tensor_parallel": 2}})):
        (box,) = pod_of({**data, **more}, tmp_path / str(number))["containers"]
        assert box["resources"]["limits"] == {"nvidia.com/gpu": number}


def test_secrets_are_referred_to_and_made_by_hand(tmp_path: Path) -> None:
    decided = plan(CASES["secrets"])
    pod = kubernetes.one(objects(decided, tmp_path), "StatefulSet")["spec"]["template"]["spec"]
    (box,) = pod["containers"]
    names = [each["secretRef"]["name"] for each in box["envFrom"]]
    assert names == ["ollama-env", "ollama-env-2"]
    mounts = {m["subPath"]: m["mountPath"] for m in box["volumeMounts"] if "subPath" in m}
    assert mounts == {
        "id_ed25519": "/home/server/.ollama/id_ed25519",
        "SSL_CERT_FILE": "/run/secrets/SSL_CERT_FILE",
    }
    assert {"name": "SSL_CERT_FILE", "value": "/run/secrets/SSL_CERT_FILE"} in box["env"]
    (readme,) = load_target("k8s").install_note(decided, ())
    assert "create secret generic ollama-env-2 --from-env-file=/run/b.env" in readme.text
    assert "--from-file=id_ed25519=/k --from-file=SSL_CERT_FILE=/c" in readme.text


def test_a_pod_may_do_nothing_that_a_restricted_one_may_not(tmp_path: Path) -> None:
    """As kubernetes.io/docs/concepts/security/pod-security-standards lists it."""
    pod = pod_of(CASES["models of one's own"], tmp_path)
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    allowed = {"configMap", "emptyDir", "persistentVolumeClaim", "secret"}
    assert {key for volume in pod["volumes"] for key in volume} - {"name"} <= allowed
    for box in (*pod["initContainers"], *pod["containers"]):
        assert box["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        }
        assert not {port.get("hostPort") for port in box.get("ports", ())} - {None}


@pytest.mark.parametrize(
    ("name", "made"),
    [("my_llm.2", "my-llm-2"), ("LLM", "llm"), ("2fast", ""), ("x" * 53, ""), ("_", "")],
)
def test_names_are_those_of_the_dns(name: str, made: str, tmp_path: Path) -> None:
    decided = plan({"container": {"name": name}})
    if not made:
        with pytest.raises(RenderError, match=r"container\.name"):
            load_target("k8s").render(decided)
        return
    found = objects(decided, tmp_path)
    assert kubernetes.verify(found) == []
    assert kubernetes.one(found, "StatefulSet")["metadata"]["name"] == made


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("namespace", "Kube_System"),
        ("storage_class", "fast!"),
        ("gpu_resource", "a b"),
        ("node_selector", {"a/b/c": "d"}),
        ("node_selector", {"a": "-"}),
        ("replicas", 0),
        ("longest_answer", "0s"),
    ],
)
def test_what_kubernetes_refuses_is_no_profile(key: str, value: object) -> None:
    data = {"schema_version": 1, "name": "test", "k8s": {key: value}}
    with pytest.raises(ProfileError) as caught:
        validate(Document("test.toml", data, {}, ""))
    (problem,) = caught.value.problems
    assert problem.where.startswith(f"k8s.{key}")


@pytest.mark.parametrize(
    ("k8s", "where"),
    [
        ({"gpu": "dra", "gpu_resource": "nvidia.com/mig-1g.10gb"}, "k8s.gpu_resource"),
        ({"gpu_resource": "gpu.nvidia.com"}, "k8s.gpu_resource"),
        ({"storage": "4GiB"}, "k8s.storage"),
    ],
)
def test_what_no_cluster_takes_is_no_plan(k8s: dict[str, str], where: str) -> None:
    data = {"host": {"gpus": [CARD]}, "models": [{"name": "llama3.1:8b"}], "k8s": k8s}
    with pytest.raises(ProfileError) as caught:
        plan(data)
    assert [problem.where for problem in caught.value.problems] == [where]


def test_every_pod_has_the_readme_of_its_files(tmp_path: Path) -> None:
    for name, data in CASES.items():
        texts = {file.path: file.text for file in all_files("k8s", plan(data))}
        assert "kubectl apply -k ." in texts["README.md"], name
        assert "{{" not in texts["README.md"]


def test_the_readme_says_where_and_in_which_container_to_look() -> None:
    one = {"name": "llama3.1:8b", "hf": "meta-llama/Llama-3.1-8B-Instruct"}
    other = {"engine": "vllm", "host": {"gpus": [CARD]}, "models": [one]}
    cases = {
        "kubectl logs ollama-0 --namespace llm -c models -f": CASES["several"]
        | {"models": [{"name": "a:1b"}]},
        "kubectl logs vllm-0 -c vllm -f": other,
        'components: ["k8s/monitoring", "k8s/scaling"]': CASES["watched and scaled"],
    }
    for text, data in cases.items():
        (readme,) = load_target("k8s").install_note(plan(data), ())
        assert text in readme.text


def test_each_instance_has_a_pod_with_models_of_its_own(tmp_path: Path) -> None:
    decided = plan(CASES["instances"])
    found = objects(decided, tmp_path)
    for name, model in (("chat", "a:1b"), ("code", "b:1b")):
        pod = kubernetes.one(found, "StatefulSet", f"ollama-{name}")["spec"]["template"]["spec"]
        (script,) = pod["initContainers"][0]["args"]
        pulled = [line.rpartition(" ")[2] for line in script.splitlines() if " pull " in line]
        assert pulled == [model]
        assert pod["containers"][0]["resources"]["limits"] == {"nvidia.com/gpu": 1}
        assert "GeForce-RTX-3090" in str(pod["affinity"])
        names = [variable["name"] for variable in pod["containers"][0]["env"]]
        assert "OLLAMA_NOPRUNE" not in names
    said = {finding.where for finding in limitations("k8s", decided)}
    assert "ollama.models_dir" not in said


def test_a_front_is_before_all_pods_and_they_are_behind_it(tmp_path: Path) -> None:
    found = objects(plan(CASES["front"]), tmp_path)
    (text,) = kubernetes.one(found, "ConfigMap", "test-front")["data"].values()
    told = front.complaints("haproxy", text, tmp_path, {})
    assert [line for line in told if "could not resolve" not in line] == []  # there is no cluster
    where = "ollama-pods.test.svc.cluster.local:11434"
    assert f"server-template ollama- 3 {where} maxconn 2 check" in text
    policy = kubernetes.one(found, "NetworkPolicy", "ollama")["spec"]
    pods = kubernetes.one(found, "Deployment")["spec"]["template"]["metadata"]["labels"]
    (asked,) = policy["ingress"][0]["from"]
    assert asked["podSelector"]["matchLabels"].items() <= pods.items()


@pytest.mark.parametrize(("front_table", "seconds"), [({}, 600), ({"drain_timeout": "2m"}, 120)])
def test_a_front_goes_on_as_long_as_the_servers_behind_it(
    front_table: dict[str, Any], seconds: int, tmp_path: Path
) -> None:
    found = objects(plan({"front": front_table}), tmp_path)
    (text,) = kubernetes.one(found, "ConfigMap", "test-front")["data"].values()
    assert f"hard-stop-after {seconds}s" in text
    pod = kubernetes.one(found, "Deployment")["spec"]["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] == seconds + 10


def test_a_front_listens_above_the_ports_of_root(tmp_path: Path) -> None:
    decided = plan(CASES["front with keys"])
    found = objects(decided, tmp_path)
    (text,) = kubernetes.one(found, "ConfigMap", "test-front")["data"].values()
    assert "bind 0.0.0.0:8443\n" in text
    ports = kubernetes.one(found, "Service", "test-front")["spec"]["ports"]
    assert [port["port"] for port in ports] == [443, 8405]
    (readme,) = load_target("k8s").install_note(decided, ())
    assert (
        "create secret generic test-front --namespace test --from-file=keys=/etc/k" in readme.text
    )


def test_no_two_ports_of_a_front_are_one(tmp_path: Path) -> None:
    found = objects(plan({"front": {"port": 80, "metrics_port": 8080}}), tmp_path)
    (text,) = kubernetes.one(found, "ConfigMap", "test-front")["data"].values()
    assert [line for line in ("0.0.0.0:8080", "0.0.0.0:8081") if f"bind {line}\n" in text] == [
        "0.0.0.0:8080",
        "0.0.0.0:8081",
    ]
    (box,) = kubernetes.one(found, "Deployment")["spec"]["template"]["spec"]["containers"]
    assert [port["containerPort"] for port in box["ports"]] == [8081, 8080]


def test_pods_are_added_by_what_waits(tmp_path: Path) -> None:
    found = objects(plan(CASES["watched and scaled"]), tmp_path)
    spec = kubernetes.one(found, "ScaledObject")["spec"]
    assert (spec["minReplicaCount"], spec["maxReplicaCount"]) == (2, 5)
    (trigger,) = spec["triggers"]
    assert trigger["metadata"] == {
        "serverAddress": "http://prom.lan:9090",
        "query": 'sum(haproxy_backend_current_sessions{proxy="ollama",namespace="test",'
        'service="test-front"}) or vector(0)',
        "threshold": "4",
        "ignoreNullValues": "false",
    }
    (text,) = kubernetes.one(found, "ConfigMap", "test-front")["data"].values()
    assert "server-template ollama- 5 " in text


def test_rules_of_a_cluster_are_those_that_the_front_can_make_true(tmp_path: Path) -> None:
    found = objects(plan(CASES["watched and scaled"]), tmp_path)
    groups = kubernetes.one(found, "PrometheusRule")["spec"]["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    names = {rule.get("alert") for rule in rules}
    assert {"OllamaQueueing", "OllamaShedding", "FrontMissing"} <= names
    own = '{namespace="test",service="test-front",'
    for rule in rules:
        assert rule["expr"].count(own) == rule["expr"].count("haproxy_") > 0, rule["expr"]
    (text,) = (rule["expr"] for rule in rules if rule.get("alert") == "FrontMissing")
    assert text == f'absent(haproxy_backend_current_queue{own}proxy="ollama"}})'
    assert not [rule for rule in rules if "hostwright_" in rule["expr"]]
    monitor = kubernetes.one(found, "ServiceMonitor")["spec"]
    service = kubernetes.one(found, "Service", "test-front")
    assert monitor["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    (endpoint,) = monitor["endpoints"]
    assert endpoint["port"] in [port["name"] for port in service["spec"]["ports"]]


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("ScaledObject", {"triggers": [{"type": "prometheus", "metadata": {"threshold": 4}}]}),
        ("ScaledObject", {"triggerz": []}),
        ("PrometheusRule", {"groups": [{"name": "a", "rules": [{"alert": "b", "expr": []}]}]}),
        ("ServiceMonitor", {"endpoint": []}),
    ],
)
def test_what_an_operator_would_not_take_is_refused(
    kind: str, change: dict[str, Any], tmp_path: Path
) -> None:
    found = kubernetes.one(objects(plan(CASES["watched and scaled"]), tmp_path), kind)
    assert kubernetes.verify([found]) == []
    found["spec"] |= change
    assert kubernetes.verify([found]) != []


def test_components_change_what_is_applied(tmp_path: Path) -> None:
    kubectl = require("kubectl")
    folder = written("k8s", plan(CASES["watched and scaled"]), tmp_path)
    file = folder / "kustomization.yaml"
    file.write_text(file.read_text() + 'components: ["monitoring", "scaling"]\n')
    words = [kubectl, "kustomize", str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
    made = list(yaml.safe_load_all(done.stdout))
    assert "replicas" not in kubernetes.one(made, "StatefulSet")["spec"]
    assert {"ScaledObject", "ServiceMonitor", "PrometheusRule"} <= {each["kind"] for each in made}


@pytest.mark.parametrize(
    "data",
    [
        {"scale": {"max_replicas": 3}},
        {"scale": {"max_replicas": 1}, "front": {}, "k8s": {"replicas": 2}},
    ],
)
def test_pods_that_nothing_could_add_are_a_fault(data: dict[str, Any]) -> None:
    with pytest.raises(ProfileError) as caught:
        plan(data)
    assert caught.value.problems[0].where == "scale.max_replicas"


def test_an_instance_is_for_nodes_with_its_card(tmp_path: Path) -> None:
    other = {"name": "Tesla P4", "memory": "8GiB"}
    names = ("big", "0"), ("small", "1")
    data = {
        "host": {"gpus": [CARD, other]},
        "instances": [{"name": name, "gpus": [gpu]} for name, gpu in names],
    }
    found = objects(plan(data), tmp_path)
    for name, card, not_his in (("big", "RTX-3090", "Tesla"), ("small", "Tesla-P4", "RTX")):
        spec = kubernetes.one(found, "StatefulSet", f"ollama-{name}")["spec"]["template"]["spec"]
        assert card in str(spec["affinity"])
        assert not_his not in str(spec["affinity"])
