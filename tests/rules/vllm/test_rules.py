"""HW673 to HW679: what operators write for vLLM, file by file."""

from __future__ import annotations

import pytest

from generator.check.gather import CheckRequest, check

GPU = (
    "    deploy: {resources: {reservations: {devices: [{driver: nvidia, count: 2, "
    "capabilities: [gpu]}]}}}\n"
)
IMAGE = "vllm/vllm-openai:v0.33.0"


def compose(command: str, *, ports: str = "127.0.0.1:8000:8000", more: str = GPU) -> str:
    return (
        f"services:\n  vllm:\n    image: {IMAGE}\n    restart: always\n{more}"
        f'    ports: ["{ports}"]\n    command: org/name {command}\n'
    )


def said(text: str, name: str = "compose.yaml") -> set[str]:
    report = check(CheckRequest(paths=("-",), stdin=text.encode(), stdin_name=name))
    assert report.not_judged == ()
    return {one.finding.rule for one in report.findings}


LLAMA = "meta-llama/Llama-3.3-70B-Instruct"
CASES: dict[str, tuple[str, str]] = {
    "HW328": (
        compose("--quantization awq").replace("org/name", LLAMA),
        compose("--quantization awq").replace("org/name", "Qwen/Qwen2.5-7B-Instruct-AWQ"),
    ),
    "HW673": (compose("--swap-space 8"), compose("--max-model-len 8192 --no-enable-chunked")),
    "HW674": (compose("--gpu-memory-utilization 90"), compose("--gpu-memory-utilization=0.9")),
    "HW675": (compose("-tp 2"), compose("-tp 2", more=f"{GPU}    shm_size: 4gb\n")),
    "HW676": (compose("", ports="8000:8000"), compose("--api-key $KEY", ports="8000:8000")),
    "HW677": (compose("--api-key sk-abc"), compose("--api-key ${KEY}")),
    "HW678": (compose("-tp 4"), compose("-tp 4 --distributed-executor-backend ray")),
    "HW680": (
        compose("").replace("org/name", "python3 -m vllm.entrypoints.openai.api_server"),
        compose("").replace("org/name", "sh/name --port 8000"),
    ),
    "HW679": (compose("", more=""), compose("", more="    runtime: nvidia\n")),
}


@pytest.mark.parametrize("rule", CASES)
def test_it_catches_one_and_leaves_the_other_alone(rule: str) -> None:
    caught, left = CASES[rule]
    assert rule in said(caught)
    assert rule not in said(left)


def test_what_is_right_has_nothing_said_of_it() -> None:
    more = f'{GPU}    ipc: host\n    volumes: ["./hub:/root/.cache/huggingface"]\n'
    assert said(compose("-tp 2 --gpu-memory-utilization 0.9", more=more)) == set()


@pytest.mark.parametrize(
    "words",
    [
        "--max_model_len 8192",  # It takes `_` for `-` …
        "--compilation-config.mode 3",  # … a key of a value in JSON behind a dot …
        "--no-enable-prefix-caching",  # … a switch that says no …
        "--max-num-se 4",  # … the beginning of a name …
        "-O3 -tp 1",  # … and short names.
        "-- --what-is-behind",
    ],
)
def test_a_name_may_be_written_in_several_ways(words: str) -> None:
    assert "HW673" not in said(compose(words))


@pytest.mark.parametrize(
    ("tag", "told"),
    [
        ("v0.33.0", True),
        ("v0.20.0-x86_64", True),
        ("v0.9.2", False),  # older than all that is known
        ("v0.99.0", False),
        ("latest", True),  # as it is fetched today
        ("nightly", True),
    ],
)
def test_options_are_judged_where_the_tag_names_a_release(tag: str, told: bool) -> None:
    text = compose("--num-scheduler-steps 8").replace("v0.33.0", tag)
    assert ("HW673" in said(text)) == told


def test_an_option_that_nobody_knows_may_be_of_the_newest_image() -> None:
    assert "HW673" not in said(compose("--brand-new 8").replace("v0.33.0", "latest"))


@pytest.mark.parametrize("name", ["--max-modellen", "--gpu-memory-utilisation", "--Max-Num-Seqs"])
def test_a_slip_is_told_of_any_release(name: str) -> None:
    assert "HW673" in said(compose(f"{name} 1").replace("v0.33.0", "latest"))


@pytest.mark.parametrize(
    "share", ["0", "-0.5", "1", "1.0", "1.01", "nan", "ninety", "1e400", "'90%'"]
)
def test_a_share_is_above_nothing_and_at_most_all(share: str) -> None:
    assert "HW674" in said(compose(f"--gpu-memory-utilization {share}"))


@pytest.mark.parametrize("share", ["0.99", "1e-1", "0.92", "${SHARE}"])
def test_what_is_one_is_left_alone(share: str) -> None:
    assert "HW674" not in said(compose(f"--gpu-memory-utilization {share}"))


UNIT = "[Service]\nRestart=always\nExecStart=/opt/vllm/bin/{}\n"
MODULE = "python3 -m vllm.entrypoints.openai.api_server --model org/name"


@pytest.mark.parametrize(
    ("words", "open_"),
    [
        ("vllm serve org/name --host 0.0.0.0", True),
        ("vllm serve org/name", True),
        ("vllm serve org/name --host 127.0.0.1", False),
        ("vllm serve org/name --uds /run/vllm.sock", False),
        (MODULE, True),
        (f"{MODULE} --host=::1", False),
    ],
)
def test_a_unit_listens_everywhere_unless_told(words: str, open_: bool) -> None:
    assert said(UNIT.format(words), "vllm.service") >= ({"HW676"} if open_ else set())
    assert ("HW676" in said(UNIT.format(words), "vllm.service")) == open_


QUADLET = f"[Container]\nImage=docker.io/{IMAGE}\n{{}}\n[Service]\nRestart=always\n"


def test_quadlets() -> None:
    whole = "AddDevice=nvidia.com/gpu=all\nExec=org/name -tp 2\nShmSize=4g"
    assert not {one for one in said(QUADLET.format(whole), "v.container") if one > "HW670"}
    found = said(
        QUADLET.format("PublishPort=8000:8000\nExec=org/name -tp 2 --tsk x"), "v.container"
    )
    assert {"HW673", "HW675", "HW676", "HW679"} <= found
    host = whole.replace("ShmSize=4g", "PodmanArgs=--ipc=host")
    assert "HW675" not in said(QUADLET.format(host), "v.container")


POD = f"""apiVersion: apps/v1
kind: Deployment
metadata: {{name: vllm}}
spec:
  selector: {{matchLabels: {{app: vllm}}}}
  template:
    metadata: {{labels: {{app: vllm}}}}
    spec:
      containers:
        - name: vllm
          image: {IMAGE}
          args: [org/name, --tensor-parallel-size, "4", --swap-space, "8"]
          resources: {{limits: {{nvidia.com/gpu: 2}}}}
"""


def test_pods() -> None:
    assert {"HW673", "HW675", "HW678"} <= said(POD, "vllm.yaml")
    assert "HW675" not in said(
        POD.replace("containers:", "hostIPC: true\n      containers:"), "v.yaml"
    )
    started = POD.replace("args: [org", "command: [vllm, serve]\n          args: [org")
    assert {"HW673", "HW675", "HW678"} <= said(started, "vllm.yaml")


def test_a_token_in_the_clear_and_options_of_docker_behind_the_image() -> None:
    text = compose("") + "    environment: {HF_TOKEN: hf_abcdefghijklmnop}\n"
    assert "HW406" in said(text)
    assert "HW556" not in said(compose("").replace("org/name", "--model org/name"))


def test_a_release_of_ollama_that_is_named_is_not_that_of_vllm() -> None:
    text = compose("--swap-space 8").encode()
    for version in ("0.9", "0.32.15"):
        report = check(
            CheckRequest(paths=("-",), stdin=text, stdin_name="compose.yaml", version=version)
        )
        assert "HW673" in {one.finding.rule for one in report.findings}


def test_both_engines_of_a_file_are_judged() -> None:
    text = compose("--swap-space 8") + (
        "  ollama:\n    image: ollama/ollama:0.32.15\n    restart: always\n"
        "    environment: {OLLAMA_NUM_THREADS: 8}\n"
    )
    assert "HW673" in said(text)
    assert any(one.startswith("HW1") for one in said(text))


def ids(text: str, name: str) -> set[str]:
    """Return what is said of a file that starts vLLM, its own rules alone."""
    report = check(CheckRequest(paths=("-",), stdin=text.encode(), stdin_name=name))
    return {one.finding.rule for one in report.findings if one.finding.rule > "HW670"}


RUN = f"docker run -d {{}} {IMAGE} org/name {{}}\n"
SCRIPTS: dict[str, tuple[str, set[str]]] = {
    "a server of the machine": ("vllm serve org/name --host 0.0.0.0 --port 8000\n", {"HW676"}),
    "without an address": ("exec vllm serve org/name\n", {"HW676"}),
    "for the machine alone": ("vllm serve org/name --host 127.0.0.1\n", set()),
    "by its module": (f"nohup {MODULE} --host=0.0.0.0 &\n", {"HW676"}),
    "by a Python of its own": (
        '"$PY" -m vllm.entrypoints.openai.api_server --model a\n',
        {"HW676"},
    ),
    "in a virtual environment": ("./venv/bin/vllm serve org/name --host ::1\n", set()),
    "by the script of a shell": ('bash -c "cd /srv && vllm serve org/name -tp 2"\n', {"HW676"}),
    "with options in an array": (
        'ARGS=(--host 0.0.0.0 --gpu-memory-utilization 90)\nvllm serve "$MODEL" "${ARGS[@]}"\n',
        {"HW674", "HW676"},
    ),
    "with options that nobody knows": ('vllm serve "$MODEL" --host 0.0.0.0 "$@"\n', set()),
    "with a key": ('vllm serve "$MODEL" --host 0.0.0.0 --api-key "$KEY"\n', set()),
    "with a key of its environment": ('VLLM_API_KEY="$KEY" vllm serve org/name\n', set()),
    "with a key in the clear": ("vllm serve org/name --api-key sk-abc123def456\n", {"HW677"}),
    "with what stands in for a key": ("vllm serve org/name --api-key YOUR_API_KEY\n", set()),
    "installed and asked": (
        "pip install vllm --upgrade\nvllm serve --help\nvllm bench serve\n",
        set(),
    ),
    "looked for": ('pgrep -f "vllm serve" && echo vllm serve org/name is there\n', set()),
    "two of them": (
        "vllm serve a --host 127.0.0.1 --gpu-memory-utilization 2 &\nvllm serve b --port 8001 &\n",
        {"HW674", "HW676"},
    ),
    "a container": (RUN.format("--gpus all -p 8000:8000", "--swap-space 8"), {"HW673", "HW676"}),
    "a container for the machine": (RUN.format("--gpus all -p 127.0.0.1:8000:8000", ""), set()),
    "a container without a card": (RUN.format("-p 127.0.0.1:80:8000", ""), {"HW679"}),
    "a container that shares little": (RUN.format("--gpus all", "-tp 2"), {"HW675"}),
    "a container that shares all": (RUN.format("--gpus all --ipc=host", "-tp 2"), set()),
    "a container with a shell": (
        f'docker run --gpus all --entrypoint bash {IMAGE} -c "vllm serve a --tsk b"\n',
        {"HW673"},
    ),
    "somebody's image": ("docker run -p 8000:8000 mine vllm serve a --host 0.0.0.0\n", set()),
}


@pytest.mark.parametrize("case", SCRIPTS)
def test_scripts(case: str) -> None:
    text, told = SCRIPTS[case]
    assert ids(f"#!/bin/bash\n# It needs vllm serve.\n{text}", "serve.sh") == told


def test_makefiles_and_steps_and_guides() -> None:
    assert ids("serve:\n\t@vllm serve org/name --host 0.0.0.0\n", "Makefile") == {"HW676"}
    job = "jobs:\n  a:\n    runs-on: self-hosted\n    steps:\n      - run: |\n          {}\n"
    assert ids(job.format("vllm serve a --gpu-memory-utilization 80 &"), "ci.yml") >= {"HW674"}
    task = "- hosts: all\n  tasks:\n    - name: vLLM\n      ansible.builtin.shell: {}\n"
    assert ids(task.format("vllm serve a --host 0.0.0.0"), "play.yml") == {"HW676"}
    guide = "# Serve\n```bash\n{}\n```\n"
    assert ids(guide.format("vllm serve org/name"), "README.md") == set()
    assert ids(guide.format("vllm serve org/name --host 0.0.0.0"), "README.md") == {"HW676"}
    inside = "# Serve\n```yaml\n" + compose("--swap-space 8") + "```\n"
    assert ids(inside, "README.md") == {"HW673"}


IMAGES: dict[str, tuple[str, set[str]]] = {
    "its own program": ('CMD ["org/name", "--swap-space", "8", "-tp", "2"]', {"HW673"}),
    "named again": ('ENTRYPOINT ["vllm", "serve"]\nCMD ["a", "--tsk", "b"]', {"HW673"}),
    "by its module": (
        'ENTRYPOINT ["python3", "-m", "vllm.entrypoints.openai.api_server", "--host", "0.0.0.0"]',
        set(),
    ),
    "in a shell": ("ENTRYPOINT exec vllm serve a --gpu-memory-utilization 90", {"HW674"}),
    "another program": ('ENTRYPOINT ["python3", "handler.py"]\nCMD ["--tsk"]', set()),
}


@pytest.mark.parametrize("case", IMAGES)
def test_images(case: str) -> None:
    text, told = IMAGES[case]
    assert ids(f"FROM {IMAGE}\n{text}\n", "Dockerfile") == told


def test_shells_in_containers() -> None:
    told = f"services:\n  a:\n    image: {IMAGE}\n{GPU}    entrypoint: [bash, -c]\n    command:\n"
    assert ids(f"{told}      - |\n        exec vllm serve a --tsk b\n", "compose.yaml") == {"HW673"}
    started = POD.replace(
        'args: [org/name, --tensor-parallel-size, "4", --swap-space, "8"]',
        'command: [sh, -c, "vllm serve a --swap-space 8"]',
    )
    assert ids(started, "vllm.yaml") == {"HW673"}


def test_variables_of_a_server_are_not_those_of_ollama() -> None:
    text = "#!/bin/bash\nexport OMP_NUM_THREADS=8\nvllm serve a --host 127.0.0.1\n"
    assert said(text, "serve.sh") == set()


@pytest.mark.parametrize("tag", ["v0.32.0", "v0.33.0"])
def test_what_is_turned_on_may_be_turned_off_by_another_name_from_0_33_on(tag: str) -> None:
    text = compose("--disable-log-requests --enable-cascade-attn").replace("v0.33.0", tag)
    assert ("HW673" in said(text)) == (tag == "v0.32.0")


STACK = """servingEngineSpec:
  vllmApiKey: {key}
  modelSpec:
    - name: llama
      repository: vllm/vllm-openai
      tag: v0.33.0
      modelURL: org/name
      requestGPU: 2
      vllmConfig:
        tensorParallelSize: {cards}
        gpuMemoryUtilization: {share}
        extraArgs: ["--swap-space", "8"]
"""


def test_values_of_the_production_stack() -> None:
    wrong = STACK.format(key="abc123XYZ987", cards=4, share=90)
    assert said(wrong, "values.yaml") == {"HW406", "HW673", "HW674", "HW678"}
    right = STACK.format(key="{secretName: a, secretKey: b}", cards=2, share=0.9)
    right = right.replace('"--swap-space", "8"', '"--enable-sleep-mode"')
    assert said(right, "values.yaml") == set()
    spread = wrong.replace("      requestGPU", "      raySpec: {enabled: true}\n      requestGPU")
    assert "HW678" not in said(spread, "values.yaml")
    strange = right.replace("vllmConfig:", "vllmConfig:\n        maxModelLength: 8192")
    assert said(strange, "values.yaml") == {"HW522"}
    off = wrong.replace("      tag", "      enabled: false\n      tag")
    assert ids(off, "values.yaml") == set()


def test_a_machine_that_goes_with_its_job_is_open_to_nobody() -> None:
    job = "jobs:\n  a:\n    runs-on: {}\n    steps:\n      - run: vllm serve a &\n"
    assert ids(job.format("ubuntu-latest"), "ci.yml") == set()
    assert ids(job.format("self-hosted"), "ci.yml") == {"HW676"}
    chosen = job.format(
        "${{ matrix.os }}\n    strategy:\n      matrix:\n        os: [ubuntu-24.04]"
    )
    assert ids(chosen, "ci.yml") == set()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (
            f'FROM {IMAGE}\nCMD ["python", "-m", "vllm.entrypoints.openai.api_server"]\n',
            "Dockerfile",
        ),
        (f"docker run --gpus all {IMAGE} vllm serve org/name\n", "serve.sh"),
        (f"docker run --gpus all {IMAGE} bash -c 'vllm serve org/name'\n", "serve.sh"),
    ],
)
def test_a_program_that_is_handed_to_the_image_is_taken_for_the_model(text: str, name: str) -> None:
    assert "HW680" in ids(text, name)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (f'FROM {IMAGE}\nENTRYPOINT []\nCMD ["python3", "-m", "mine"]\n', "Dockerfile"),
        (f"docker run --gpus all --entrypoint bash {IMAGE} -c 'vllm serve a'\n", "serve.sh"),
        (POD.replace("args: [org", "command: [vllm, serve]\n          args: [org"), "pod.yaml"),
        (compose("").replace("v0.33.0", "v0.33.0-rocm").replace("openai", "openai-rocm"), "c.yaml"),
    ],
)
def test_a_program_of_its_own_entry_point_is_none(text: str, name: str) -> None:
    assert "HW680" not in ids(text, name)


SCALER = """apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {{name: s}}
spec:
  scaleTargetRef:
    kind: Deployment
    name: {name}
  minReplicaCount: 1
  triggers:
    - type: prometheus
      metadata: {{query: "sum(vllm:num_requests_waiting) or vector(0)", threshold: {value}}}
"""


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [("vllm-qwen", "4", {"HW650"}), ("vllm-qwen", '"4"', set()), ("webui", "4", set())],
)
def test_what_scales_a_server_of_another_file_is_judged(
    name: str, value: str, found: set[str]
) -> None:
    text = SCALER.format(name=name, value=value).encode()
    report = check(CheckRequest(paths=("-",), stdin=text, stdin_name="scaler.yaml"))
    assert {one.finding.rule for one in report.findings} - {"HW000"} == found
