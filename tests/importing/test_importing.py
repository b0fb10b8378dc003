"""What becomes of each setting of a unit: a key, another key, or a line in the list of the rest."""

from pathlib import Path

import pytest

from generator.errors import HostwrightError, ProfileError
from tests.importing.texts import OVERRIDE, idle, lost, of, of_drop_in, profile, unwrapped

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
        "memory_high": "`75%` is not a size",
        "OLLAMA_DEBUG": "`2` is a level of its own, and the key `debug` has on and off",
    }
    assert profile(found)["service"] == {"restart_seconds": 90}
    line = f"- {tmp_path / OVERRIDE}:2: ProtectHome=yes: no key of a profile says it"
    assert line in unwrapped(found)


def test_a_share_of_the_memory_needs_the_machine(tmp_path: Path) -> None:
    found = of_drop_in(tmp_path, "MemoryHigh=75%", host={"memory": "64GiB"})
    assert profile(found)["resources"] == {"memory_high": "48G"}
    assert [(one.name, one.value) for one in found.added] == [("MemoryMax", "56G")]


def test_without_a_machine_the_profile_says_what_is_missing(tmp_path: Path) -> None:
    found = of_drop_in(tmp_path, "Nice=5")
    assert "# TODO: [host]" in found.text
    assert "TODO" not in of_drop_in(tmp_path, "Nice=5", host={"memory": "8GiB"}).text


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
