"""What becomes of each setting of a unit: a key, another key, or a line in the list of the rest."""

from pathlib import Path

import pytest

from generator.errors import HostwrightError, ProfileError
from generator.importing.importing import ImportRequest, imported
from tests.importing.texts import OVERRIDE, idle, lost, of, of_drop_in, profile, put, unwrapped

ENV = "etc/ollama/secret.env"
UNIT = "etc/systemd/system/ollama.service"


def test_each_variable_becomes_the_key_that_stands_for_it(tmp_path: Path) -> None:
    found = of_drop_in(
        tmp_path,
        'Environment="OLLAMA_HOST=0.0.0.0:8080" "OLLAMA_NUM_PARALLEL=4"',
        "Environment=OLLAMA_FLASH_ATTENTION=true",
        "Environment=OLLAMA_ORIGINS=https://a.lan,http://b.lan",
        "Environment=CUDA_VISIBLE_DEVICES=1",
        "Environment=HTTPS_PROXY=http://proxy.lan:3128",
    )
    told = profile(found)
    assert told["ollama"] == {
        "host": "0.0.0.0",  # noqa: S104 -- what the file says
        "port": 8080,
        "num_parallel": 4,
        "flash_attention": True,
        "origins": ["https://a.lan", "http://b.lan"],
        "acceleration": "cuda",
        "env": {"HTTPS_PROXY": "http://proxy.lan:3128"},
    }
    assert told["gpu"] == {"visible_devices": ["1"]}
    assert lost(found) == {}


def test_each_value_has_its_line_above_it(tmp_path: Path) -> None:
    found = of_drop_in(tmp_path, "Environment=OLLAMA_NUM_PARALLEL=4", "MemoryMax=8G")
    assert f"from {tmp_path / OVERRIDE}:2 num_parallel = 4 " in unwrapped(found)
    assert f'from {tmp_path / OVERRIDE}:3 memory_max = "8G" ' in unwrapped(found)


def test_a_dead_name_becomes_the_key_that_works(tmp_path: Path) -> None:
    found = of_drop_in(
        tmp_path,
        "Environment=OLLAMA_NUM_THREADS=12",
        "Environment=OLLAMA_NUM_CTX=8192",
        "Environment=OLLAMA_MEMORY_LIMIT=16G",
        "Environment=OLLAMA_GPU_LAYERS=999",
        "Environment=OLLAMA_LOG_LEVEL=debug",
        "Environment=OLLAMA_NUM_GPU=1",
        "Environment=CUDA_VISIBLE_DEVICES=0",
    )
    told = profile(found)
    assert told["threads"] == {"count": 12}
    assert told["ollama"]["context_length"] == 8192
    assert told["resources"] == {"memory_max": "16G"}
    assert told["gpu"]["layers"] == "fit"
    assert f"{OVERRIDE}:2, OLLAMA_NUM_THREADS: no release reads it (HW101)" in unwrapped(found)
    # It has no lever, and it may be a number of GPUs: neither is lost, for neither acts.
    assert idle(found) == {"OLLAMA_LOG_LEVEL": "HW101", "OLLAMA_NUM_GPU": "HW101"}
    assert lost(found) == {}


def test_what_is_read_beats_a_dead_name_for_the_same(tmp_path: Path) -> None:
    found = of_drop_in(
        tmp_path, "Environment=OLLAMA_MAX_MODELS=5", "Environment=OLLAMA_MAX_LOADED_MODELS=2"
    )
    assert profile(found)["ollama"] == {"max_loaded_models": 2}
    assert idle(found) == {"OLLAMA_MAX_MODELS": "HW101"}


def test_what_no_key_says_is_listed_with_its_reason(tmp_path: Path) -> None:
    found = of_drop_in(
        tmp_path,
        "ProtectHome=yes",
        "ExecStart=",
        "ExecStart=/usr/local/bin/ollama serve --verbose",
        "MemoryHigh=75%",
        "Environment=OLLAMA_DEBUG=2",
        "RestartSec=1min 30s",
    )
    assert lost(found) == {
        "ProtectHome": "no key of a profile says it",
        "ExecStart": "no key of a profile says it",
        "ExecStart=": "it takes away what the unit says, which is not among the files",
        "memory_high": "`75%` is not a size",
        "OLLAMA_DEBUG": "`2` is a level of its own, and the key `debug` has on and off",
    }
    assert profile(found)["service"] == {"restart_seconds": 90}
    line = f"- {tmp_path / OVERRIDE}:2: ProtectHome=yes: no key of a profile says it"
    assert line in unwrapped(found)


def test_a_share_of_the_memory_needs_the_machine(tmp_path: Path) -> None:
    found = of_drop_in(tmp_path, "MemoryHigh=75%", host={"memory": "64GiB"})
    assert profile(found)["resources"] == {"memory_high": "48G"}
    assert [(one.name, one.value) for one in found.added] == [
        ("MemoryMax", "56G"),
        ("MemorySwapMax", "0"),
    ]


def test_without_a_machine_the_profile_says_what_is_missing(tmp_path: Path) -> None:
    found = of_drop_in(tmp_path, "Nice=5")
    assert "# Missing: [host]" in found.text
    assert "Missing:" not in of_drop_in(tmp_path, "Nice=5", host={"memory": "8GiB"}).text


def test_a_secret_is_not_copied(tmp_path: Path) -> None:
    found = of_drop_in(tmp_path, "Environment=HF_TOKEN=hf_abcdefgh")
    assert lost(found) == {"HF_TOKEN": "it holds a secret, and a profile is no place for one"}
    assert "hf_abcdefgh" not in found.text
    assert "hf_abcdefgh" not in repr(found)


def test_a_file_that_holds_a_secret_is_named(tmp_path: Path) -> None:
    found = of(
        tmp_path,
        {
            f"{UNIT}.d/override.conf": "[Service]\nEnvironmentFile=/etc/ollama/secret.env\n",
            ENV: "HF_TOKEN=hf_abcdefgh\nOLLAMA_NUM_PARALLEL=2\n",
        },
    )
    assert profile(found)["service"] == {"environment_files": ["/etc/ollama/secret.env"]}
    assert profile(found)["ollama"] == {"num_parallel": 2}
    assert lost(found) == {}
    assert "hf_abcdefgh" not in repr(found)


def test_a_file_without_a_secret_is_taken_over(tmp_path: Path) -> None:
    found = of(
        tmp_path,
        {
            f"{UNIT}.d/override.conf": "[Service]\nEnvironmentFile=/etc/ollama/secret.env\n",
            ENV: "OLLAMA_NUM_PARALLEL=2\n",
        },
    )
    assert profile(found)["ollama"] == {"num_parallel": 2}
    assert "service" not in profile(found)


def test_a_unit_stays_and_keeps_what_no_key_says(tmp_path: Path) -> None:
    unit = (
        "[Unit]\nDescription=Ollama Service\nAfter=network-online.target\n\n[Service]\n"
        "ExecStart=/opt/ollama/bin/ollama serve\nUser=llm\nRestart=always\n"
        'Environment="PATH=/usr/bin:/bin"\n\n[Install]\nWantedBy=default.target\n'
    )
    found = of(tmp_path, {UNIT: unit})
    assert profile(found)["service"] == {
        "binary": "/opt/ollama/bin/ollama",
        "user": "llm",
        "restart": "always",
    }
    assert {*idle(found)} == {"Description", "After", "WantedBy"}
    assert lost(found) == {}
    assert found.retire == ()


def test_jobs_and_modelfiles_become_models(tmp_path: Path) -> None:
    found = of(
        tmp_path,
        {
            UNIT: "[Service]\nExecStart=/usr/local/bin/ollama serve\n",
            "etc/systemd/system/ollama-models.service": (
                "[Unit]\nAfter=ollama.service\n[Service]\nType=oneshot\n"
                "ExecStart=/usr/local/bin/ollama pull qwen3:8b\n"
                "ExecStart=/usr/local/bin/ollama create coder -f /etc/ollama/Modelfile\n"
            ),
            "etc/ollama/Modelfile": "FROM qwen2.5-coder:7b\nPARAMETER num_ctx 16384\n",
        },
    )
    assert profile(found)["models"] == [
        {"name": "qwen3:8b"},
        {
            "name": "qwen2.5-coder:7b",
            "serve_as": "coder",
            "parameters": {"num_ctx": 16384},
        },
    ]


def test_one_of_several_services_is_chosen(tmp_path: Path) -> None:
    texts = {
        "etc/systemd/system/ollama.service": "[Service]\nExecStart=/usr/bin/ollama serve\n",
        "etc/systemd/system/ollama-two.service": (
            "[Service]\nExecStart=/usr/bin/ollama serve\nEnvironment=OLLAMA_HOST=:11435\n"
        ),
    }
    with pytest.raises(HostwrightError, match=r"2 services: `ollama.service`") as told:
        of(tmp_path, texts)
    assert told.value.hint == "choose one by --service NAME"
    found = of(tmp_path, texts, service="ollama-two")
    assert profile(found)["ollama"] == {"host": "::", "port": 11435}
    with pytest.raises(HostwrightError, match="there is no service `x`"):
        of(tmp_path, texts, service="x")


def test_a_file_of_variables_alone_is_a_service(tmp_path: Path) -> None:
    found = of(tmp_path, {"ollama.env": "OLLAMA_KEEP_ALIVE=1h\nOLLAMA_MAX_QUEUE=64\n"})
    assert profile(found)["ollama"] == {"keep_alive": "1h", "max_queue": 64}


def test_what_runs_no_server_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HostwrightError):
        of(tmp_path, {"x.service": "[Service]\nExecStart=/usr/bin/nginx\n"})
    with pytest.raises(ProfileError):
        of(tmp_path, {"x.txt": "hello\n"})


COMPOSE = """
name: stack
services:
  llm:
    image: ollama/ollama:0.32.15
    ports: ["11434:11434"]
    volumes: ["models:/root/.ollama", "./notes:/notes"]
    environment: {OLLAMA_NUM_PARALLEL: "4", OLLAMA_HOST: 0.0.0.0}
    networks: [web]
    user: "1000:1000"
    shm_size: 1g
    deploy:
      resources:
        limits: {cpus: "1.5", memory: 8G}
        reservations:
          devices: [{driver: nvidia, device_ids: ["1"], capabilities: [gpu]}]
  webui: {image: ghcr.io/open-webui/open-webui:main}
networks: {web: {external: true}}
volumes: {models: {}}
"""


def test_a_compose_file_becomes_a_container(tmp_path: Path) -> None:
    found = of(tmp_path, {"compose.yaml": COMPOSE})
    told = profile(found)
    where = {"service": "llm", "project": "stack", "volume": "stack_models", "network": "web"}
    assert told["container"] == where
    # A port that is published without an address is open to everybody.
    assert told["ollama"] == {
        "version": "0.32.15",
        "num_parallel": 4,
        "host": "0.0.0.0",  # noqa: S104 -- what the file says
        "port": 11434,
        "acceleration": "cuda",
    }
    assert told["gpu"] == {"visible_devices": ["1"]}
    # Docker lets a container have as much swap again.
    assert told["resources"] == {
        "cpu_quota": "150%",
        "memory_max": "8G",
        "memory_swap_max": "8G",
    }
    assert {*lost(found)} == {"volumes", "user", "shm_size"}
    assert {*idle(found)} == {"OLLAMA_HOST"}


@pytest.mark.parametrize(
    ("port", "host", "number"),
    [
        ("127.0.0.1:8080:11434", "127.0.0.1", 8080),
        ("[::1]:8080:11434", "::1", 8080),
        ("8080:11434/tcp", "0.0.0.0", 8080),  # noqa: S104
        ("11434", None, None),
        ("8080:80", None, None),
        ("${PORT:-8080}:11434", "0.0.0.0", 8080),  # noqa: S104
    ],
)
def test_a_published_port_is_where_the_api_listens(
    port: str, host: str | None, number: int | None, tmp_path: Path
) -> None:
    text = f'services:\n  ollama:\n    image: ollama/ollama\n    ports: ["{port}"]\n'
    found = of(tmp_path, {"compose.yaml": text})
    told = profile(found).get("ollama", {})
    assert (told.get("host"), told.get("port")) == (host, number)
    assert ("ports" in lost(found)) == (host is None)


@pytest.mark.parametrize(
    ("variable", "host", "port"),
    [
        ("OLLAMA_HOST: 127.0.0.1:8080", "127.0.0.1", 8080),
        ('OLLAMA_DEBUG: "1"', "0.0.0.0", 11434),  # noqa: S104 -- as the image has it
    ],
)
def test_on_the_network_of_the_host_the_variable_says_where(
    variable: str, host: str, port: int, tmp_path: Path
) -> None:
    text = (
        "services:\n  ollama:\n    image: ollama/ollama\n    network_mode: host\n"
        f"    environment: {{{variable}}}\n"
    )
    found = of(tmp_path, {"compose.yaml": text})
    told = profile(found)["ollama"]
    assert (told["host"], told["port"]) == (host, port)
    assert "network_mode" in lost(found)


def test_a_quadlet_of_a_user_is_rootless(tmp_path: Path) -> None:
    path = "home/kim/.config/containers/systemd/ollama.container"
    found = of(tmp_path, {path: "[Container]\nImage=docker.io/ollama/ollama:0.32.15\nUser=root\n"})
    assert profile(found)["container"]["rootless"] is True
    assert lost(found) == {}
    assert [(one.name, one.value) for one in found.added] == [("ports", "127.0.0.1:11434")]


def test_a_directory_with_models_is_kept(tmp_path: Path) -> None:
    text = (
        "services:\n  ollama:\n    image: ollama/ollama:0.32.15\n"
        '    volumes: ["./data:/root/.ollama"]\n'
    )
    found = of(tmp_path, {"compose.yaml": text})
    assert profile(found)["container"]["home_dir"] == str(tmp_path / "data")
    assert "volumes" not in lost(found)


def test_an_image_that_is_built_is_none_to_name(tmp_path: Path) -> None:
    text = "services:\n  llm:\n    build: .\n    environment: [OLLAMA_NUM_PARALLEL=2]\n"
    docker = "FROM ubuntu:24.04\nRUN curl -fsSL https://ollama.com/install.sh | sh\n"
    found = of(tmp_path, {"compose.yaml": text, "Dockerfile": docker}, service="llm")
    assert lost(found)["image"] == "it is built on the host"
    assert "image" not in profile(found)["container"]


def test_docker_run_in_a_script(tmp_path: Path) -> None:
    line = (
        "docker run -d --gpus=all --name llm -v models:/root/.ollama -p 127.0.0.1:8080:11434 "
        "-e OLLAMA_NUM_PARALLEL=4 --cpus 4 -m 8g --restart always --network web --shm-size 1g "
        "ollama/ollama:0.32.0\n"
    )
    found = of(tmp_path, {"run.sh": line})
    assert profile(found)["container"] == {
        "name": "llm",
        "volume": "models",
        "restart": "always",
        "network": "web",
    }
    assert lost(found) == {"--shm-size": "no key of a profile says it"}
    assert profile(found)["resources"] == {
        "cpu_quota": "400%",
        "memory_max": "8G",
        "memory_swap_max": "8G",
    }
    assert profile(found)["ollama"] == {
        "version": "0.32.0",
        "num_parallel": 4,
        "host": "127.0.0.1",
        "port": 8080,
        "acceleration": "cuda",
    }


def test_a_module_of_nixos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    text = """{ pkgs, ... }: {
  services.ollama = {
    enable = true;
    package = pkgs.ollama-cuda;
    host = "0.0.0.0";
    user = "llm";
    loadModels = [ "qwen3:8b" ];
    environmentVariables.OLLAMA_NUM_PARALLEL = "4";
  };
  systemd.services.ollama.serviceConfig.MemoryMax = "8G";
}
"""
    found = of(tmp_path, {"ollama.nix": text})
    told = profile(found)
    assert told["ollama"]["host"] == "0.0.0.0"  # noqa: S104
    assert told["ollama"]["acceleration"] == "cuda"
    assert told["ollama"]["num_parallel"] == 4
    assert told["service"] == {"user": "llm"}
    assert told["resources"] == {"memory_max": "8G", "memory_swap_max": "infinity"}
    assert told["models"] == [{"name": "qwen3:8b"}]
    assert lost(found) == {}


def test_a_manifest_and_values_of_a_chart(tmp_path: Path) -> None:
    manifest = of(
        tmp_path / "k8s",
        {
            "ollama.yaml": (
                "apiVersion: v1\nkind: Pod\nmetadata: {name: llm}\nspec:\n  containers:\n"
                "  - name: ollama\n    image: ollama/ollama:0.32.15\n    env:\n"
                '    - {name: OLLAMA_KEEP_ALIVE, value: "24h"}\n'
                "    resources: {limits: {cpu: 4, memory: 8Gi}}\n"
            )
        },
    )
    assert profile(manifest)["ollama"] == {"version": "0.32.15", "keep_alive": "24h"}
    assert profile(manifest)["resources"] == {"cpu_quota": "400%", "memory_max": "8G"}
    assert lost(manifest) == {}
    values = of(
        tmp_path / "helm",
        {
            "values.yaml": (
                "ollama:\n  gpu: {enabled: true, type: nvidia}\n  models: {pull: [qwen3:8b]}\n"
                "image: {repository: ollama/ollama, tag: 0.32.15}\nextraEnv:\n"
                '- {name: OLLAMA_NUM_PARALLEL, value: "2"}\n'
            )
        },
    )
    assert profile(values)["ollama"]["num_parallel"] == 2
    assert profile(values)["models"] == [{"name": "qwen3:8b"}]


def test_what_a_machine_runs(tmp_path: Path) -> None:
    put(
        tmp_path,
        {
            UNIT: "[Service]\nExecStart=/usr/local/bin/ollama serve\n",
            f"{UNIT}.d/override.conf": "[Service]\nEnvironment=OLLAMA_NUM_PARALLEL=3\n",
        },
    )
    found = imported(ImportRequest(root=str(tmp_path), host={"memory": "32GiB"}))
    assert profile(found)["ollama"] == {"num_parallel": 3}
    assert profile(found)["host"] == {"memory": "32GiB"}
    assert found.retire == (str(tmp_path / f"{UNIT}.d/override.conf"),)


def test_what_a_comment_silences_stays_silent(tmp_path: Path) -> None:
    found = of_drop_in(
        tmp_path,
        "# hostwright: ignore HW401 because the firewall lets only the proxy in",
        "Environment=OLLAMA_HOST=0.0.0.0",
        "# hostwright: ignore HW101 because nobody minds",
        "Environment=OLLAMA_LOG_LEVEL=debug",
    )
    reason = "the firewall lets only the proxy in"
    assert profile(found)["check"]["ignore"] == [{"rule": "HW401", "reason": reason}]
