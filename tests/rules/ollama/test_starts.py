"""HW600 to HW604, HW606 to HW608, HW620, HW630 to HW632: what keeps a unit from being a server."""

from pathlib import Path

import pytest

from tests.consumers.systemd import verify
from tests.texts import Cases, Text, messages, pod, service, sides, told, unit

QUADLET = "[Container]\nImage=docker.io/ollama/ollama:0.32.15\nVolume=o:/root/.ollama\n"
PULL = "ExecStartPre=/usr/bin/ollama pull qwen3:8b"
_STARTS = "#!/bin/sh\nsystemctl restart ollama\n"
_INSTALLS = "curl -fsSL https://ollama.com/install.sh | sh\n"
BESIDE = "    - name: models\n      image: ollama/ollama:0.32.15\n      {}\n"


def job(*lines: str) -> str:
    """Return a service of the same image that asks the server."""
    own = "".join(f"    {line}\n" for line in lines)
    image = "    image: ollama/ollama:0.32.15\n    restart: 'no'\n"
    return f"  models:\n{image}    environment: [OLLAMA_HOST=ollama:11434]\n{own}"


def built(mount: str, step: str = "RUN ollama serve & sleep 5 && ollama pull qwen3:8b") -> Text:
    """Return a service of which the Dockerfile beside it makes the image."""
    made = f"FROM ollama/ollama:0.32.15\n{step}\n"
    text = f'services:\n  ollama:\n    build: .\n    volumes: ["{mount}"]\n'
    return {"compose.yaml": text + "volumes: {models: {}}\n", "Dockerfile": made}


# rule: (caught, left alone)
CASES: Cases = {
    "HW600": (
        (
            unit("Type=forking"),
            {"ollama.service.d/a.conf": "[Service]\nType=forking\n"},
            unit("Type=oneshot"),
            unit("Type=oneshot", "ExecStart=/usr/bin/env A=b ollama serve"),
            unit("Type=oneshot", "ExecStart=/bin/sh -c 'exec ollama serve >>/var/log/o 2>&1'"),
        ),
        (
            unit("Type=simple"),
            unit("Type=exec"),
            unit("Type=forking", "ExecStart=/bin/sh -c 'ollama serve &'"),
            unit("Type=oneshot", "ExecStart=/bin/sh -c 'exec ollama serve &'"),
            unit("Type=oneshot", "ExecStart=/usr/bin/ollama pull qwen3:8b"),
        ),
    ),
    "HW630": (
        (
            unit("WatchdogSec=30"),
            {"ollama.service.d/a.conf": "[Service]\nWatchdogSec=2min\n"},
        ),
        (
            unit("WatchdogSec=0"),
            unit("Type=notify", "WatchdogSec=30"),
            unit("Type=notify-reload", "WatchdogSec=30"),
            unit("ExecStart=/usr/bin/podman run --rm ollama/ollama:0.32.15", "WatchdogSec=30"),
        ),
    ),
    "HW620": (
        (
            unit("IPAddressDeny=any", "IPAddressAllow=192.168.1.0/24"),
            unit("IPAddressDeny=any", "IPAddressAllow=::1 10.0.0.0/8"),
            unit("IPAddressDeny=127.0.0.0/8", "IPAddressAllow=link-local"),
        ),
        (
            unit("IPAddressDeny=any", "IPAddressAllow=localhost 10.0.0.0/8"),
            unit("IPAddressDeny=any", "IPAddressAllow=10.0.0.0/8", "IPAddressAllow=127.0.0.1"),
            unit("IPAddressDeny=any", "IPAddressAllow=any"),
            unit("IPAddressDeny=any"),
            unit("IPAddressDeny=203.0.113.0/24", "IPAddressAllow=10.0.0.0/8"),
            unit("IPAddressDeny=any", "IPAddressAllow=10.0.0.0/8", "Slice=lan.slice"),
        ),
    ),
    "HW632": (
        (
            unit("RestrictAddressFamilies=AF_UNIX"),
            unit("RestrictAddressFamilies=none"),
            unit("RestrictAddressFamilies=~AF_INET AF_INET6"),
            unit("RestrictAddressFamilies=~AF_INET", "RestrictAddressFamilies=~AF_INET6"),
            unit("RestrictAddressFamilies=AF_INET AF_UNIX", "RestrictAddressFamilies=~AF_INET"),
            unit("RestrictAddressFamilies=AF_UNIX AF_INET6"),
            unit("RestrictAddressFamilies=AF_INET", "Environment=OLLAMA_HOST=[::1]:11434"),
            unit("PrivateNetwork=yes"),
        ),
        (
            unit("RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6"),
            unit("RestrictAddressFamilies=AF_UNIX", "RestrictAddressFamilies=AF_INET"),
            unit("RestrictAddressFamilies=AF_UNIX", "RestrictAddressFamilies="),
            unit("RestrictAddressFamilies=~AF_PACKET"),
            unit("RestrictAddressFamilies=AF_INET6", "Environment=OLLAMA_HOST=[::1]:11434"),
            unit("RestrictAddressFamilies=AF_INET", "Environment=OLLAMA_HOST=0.0.0.0:11434"),
            unit("PrivateNetwork=no"),
            unit("PrivateNetwork=yes", "[Unit]", "JoinsNamespaceOf=proxy.service"),
            unit("RestrictAddressFamilies=AF_UNIX", "ExecStart=/usr/bin/podman run x"),
        ),
    ),
    "HW631": (
        (
            built("./models:/root/.ollama"),
            built("models:/root/.ollama"),
            built("/srv/models:/root/.ollama/models"),
            built("./data:/root/.ollama", "COPY models /root/.ollama/models"),
            built("./data:/root/.ollama", "COPY --from=x /root/.ollama /root/.ollama"),
            built("./data:/root/.ollama", "COPY --from=x /root /root"),
            built("./data:/root/.ollama", "COPY .ollama/ /root/"),
            built("./data:/root/.ollama", 'COPY ["data", "/root/.ollama/"]'),
        ),
        (
            built("./models:/data"),
            built("./models:/root/.ollama", "COPY a.txt /a.txt"),
            built("./data:/root/.ollama", "COPY pull-models.sh /pull-models.sh"),
            built("./data:/root/.ollama", "COPY small.gguf /opt/small.gguf"),
            built("models:/root/.ollama", "COPY run.sh /"),
            built("models:/root/.ollama", "COPY bin /"),
            built("models:/root/.ollama", 'COPY ["run.sh", "/root/.ollama/"]'),
            built("models:/root/.ollama", "COPY run.sh /\nRUN chmod +x /run.sh"),
            built("models:/root/.ollama", "RUN printf 'ollama serve &\\nollama pull m' > /run.sh"),
            service("volumes: [./models:/root/.ollama]"),
        ),
    ),
    "HW603": (
        (
            service("command: ollama serve"),
            service('command: ["/bin/ollama", "serve"]'),
            service('command: sh -c "ollama serve & sleep 5; ollama pull qwen3:8b; wait"'),
            pod('args: ["ollama", "serve"]'),
            service(top=job('command: sh -c "sleep 5; ollama pull qwen3:8b"')),
            service(top=job("command: ollama pull qwen3:8b")),
            pod(more=BESIDE.format('args: [sh, -c, "sleep 5; ollama pull qwen3:8b"]')),
            {"a.container": f"{QUADLET}Exec=ollama serve\n"},
            {"run.sh": "docker run -d ollama/ollama:0.32.15 ollama serve\n"},
            unit("ExecStart=/usr/bin/podman run --rm ollama/ollama:0.32.15 ollama serve"),
        ),
        (
            service("command: serve"),
            service("entrypoint: /bin/sh", 'command: -c "ollama serve"'),
            service("entrypoint: ollama", "command: serve"),
            service("command: pull qwen3:8b"),
            service(top=job("command: pull qwen3:8b")),
            service(top=job("entrypoint: sh -c", 'command: ["ollama pull qwen3:8b"]')),
            pod(more=BESIDE.format("args: [pull, qwen3:8b]")),
            pod("command: [ollama, serve]"),
            pod("command: [/bin/sh, -c]", 'args: ["ollama serve"]'),
            {"a.container": f"{QUADLET}Entrypoint=/bin/sh\nExec=-c 'ollama serve'\n"},
            {"run.sh": "docker run --entrypoint sh ollama/ollama:0.32.15 -c 'ollama serve'\n"},
            {"run.sh": "docker run -d mine/llm:1 ollama serve\n"},
        ),
    ),
    "HW604": (
        (
            unit(PULL),
            unit(PULL.replace("=", "=+", 1)),
            unit(PULL.replace("Pre", "Post")),
            {"ollama.service.d/a.conf": f"[Service]\n{PULL}\n"},
            {"run.sh": f"{_STARTS}ollama pull qwen3:8b\n"},
            {"run.sh": "#!/bin/sh\nservice ollama restart >/dev/null\n\n# A model\nollama run m\n"},
            {"run.sh": "sudo systemctl enable --now ollama && sudo ollama pull qwen3:8b\n"},
            {"Makefile": "up:\n\tsudo systemctl restart ollama\n\t@ollama pull qwen3:8b\n"},
            {"run.sh": f"#!/bin/sh\n{_INSTALLS}systemctl restart ollama\nollama pull qwen3:8b\n"},
            {
                "cloud-init.yaml": "#cloud-config\nruncmd:\n  - systemctl restart ollama\n"
                "  - ollama pull qwen3:8b\n"
            },
            {
                "main.tf": 'resource "aws_instance" "a" {\n  user_data = <<-E\n    #!/bin/bash\n'
                f"    {_INSTALLS}    systemctl start ollama\n    ollama pull qwen3:8b\n  E\n}}\n"
            },
        ),
        (
            unit(PULL.replace("Pre=", "Post=-")),
            unit("ExecStartPost=/bin/sleep 5", PULL.replace("Pre", "Post")),
            {"run.sh": "#!/bin/sh\nollama serve &\nsleep 5\nollama pull qwen3:8b\nollama serve\n"},
            {"run.sh": "#!/bin/sh\nsystemctl start ollama; sleep 3\nollama pull qwen3:8b\n"},
            {"run.sh": f"{_STARTS}until ollama list; do sleep 1; done\nollama pull qwen3:8b\n"},
            {"run.sh": f"{_STARTS}ollama pull qwen3:8b || exit 1\n"},
            {"run.sh": "#!/bin/sh\nsystemctl restart nginx\nollama pull qwen3:8b\n"},
            {"run.sh": f"#!/bin/sh\n{_INSTALLS}systemctl start ollama\nollama pull qwen3:8b\n"},
            {"run.sh": f"{_STARTS}for n in 1 2 3; do\n  ollama pull qwen3:8b && break\ndone\n"},
            {"run.sh": f"printf 'ExecStartPost=/bin/wait' > $D\n{_STARTS}ollama pull qwen3:8b\n"},
            {"run.sh": "#!/bin/sh\nollama pull qwen3:8b || true\nollama serve\n"},
            unit(PULL.replace("=", "=-", 1)),
            unit("ExecStartPre=/bin/mkdir -p /srv/ollama"),
            unit("ExecStartPre=/bin/sh -c 'ollama serve & sleep 5; ollama pull qwen3:8b'"),
            unit("ExecStartPre=/usr/bin/docker pull ollama/ollama"),
        ),
    ),
    "HW606": (
        (
            unit("User=ollama", "Environment=OLLAMA_HOST=127.0.0.1:80"),
            unit("DynamicUser=yes", "Environment=OLLAMA_HOST=:443 HOME=/var/lib/o"),
            {"ollama.service.d/a.conf": "[Service]\nEnvironment=OLLAMA_HOST=127.0.0.1:80\n"},
            {"a.nix": "{\n  services.ollama = { enable = true; port = 80; };\n}\n"},
        ),
        (
            {"ollama.service.d/a.conf": "[Service]\nEnvironment=OLLAMA_HOST=127.0.0.1:8080\n"},
            unit("User=root", "Environment=OLLAMA_HOST=127.0.0.1:80"),
            unit("User=ollama", "Environment=OLLAMA_HOST=127.0.0.1:1024"),
            unit("User=ollama", "Environment=OLLAMA_HOST=127.0.0.1"),
            unit(
                "User=ollama",
                "Environment=OLLAMA_HOST=127.0.0.1:80",
                "AmbientCapabilities=CAP_NET_BIND_SERVICE",
            ),
            service("environment: {OLLAMA_HOST: '0.0.0.0:80'}"),
        ),
    ),
    "HW607": (
        (
            unit("PrivateDevices=yes", "Environment=CUDA_VISIBLE_DEVICES=0"),
            unit("PrivateDevices=yes", "Environment=OLLAMA_LLM_LIBRARY=cuda_v13", "CPUQuota=800%"),
            unit() | {"ollama.service.d/harden.conf": "[Service]\nPrivateDevices=true\n"},
            unit("DevicePolicy=closed", "Environment=HSA_OVERRIDE_GFX_VERSION=10.3.0"),
            unit(
                "DevicePolicy=strict",
                "DeviceAllow=/dev/null rw",
                "Environment=ROCR_VISIBLE_DEVICES=0",
            ),
        ),
        (
            unit("PrivateDevices=yes", "Environment=CUDA_VISIBLE_DEVICES=-1"),
            unit("PrivateDevices=yes", "Environment=OLLAMA_LLM_LIBRARY=cpu_avx2"),
            unit("PrivateDevices=yes", "CPUQuota=800%"),
            unit("PrivateDevices=no", "Environment=CUDA_VISIBLE_DEVICES=0"),
            unit(
                "DevicePolicy=closed",
                "DeviceAllow=char-nvidia-frontend rw",
                "Environment=CUDA_VISIBLE_DEVICES=0",
            ),
        ),
    ),
    "HW608": (
        (
            unit("ExecStart=/usr/local/bin/ollama run qwen3:8b"),
            {"warm.service": "[Service]\nExecStart=/bin/ollama run qwen3:8b\nRestart=always\n"},
            {"a.conf": "[program:a]\ncommand=ollama pull qwen3:8b\nautorestart=true\n"},
        ),
        (
            unit("Type=oneshot", "ExecStart=/usr/local/bin/ollama run qwen3:8b hi"),
            {"warm.service": "[Service]\nExecStart=/bin/ollama run qwen3:8b hi\n"},
            unit(),
        ),
    ),
}


@pytest.mark.parametrize(("rule", "files", "caught"), sides(CASES))
def test_it_catches_some_and_leaves_others_alone(
    rule: str, files: Text, caught: bool, tmp_path: Path
) -> None:
    assert (rule in told(tmp_path, files)) is caught


def test_systemd_refuses_a_restart_of_what_runs_once(tmp_path: Path) -> None:
    """So that HW513 does not ask for one."""
    once = unit("Type=oneshot", "Restart=always", "ExecStart=/bin/true")
    (tmp_path / "ollama.service").write_text(once["ollama.service"])
    said = "\n".join(verify(tmp_path, ["ollama.service"]))
    assert "isn't allowed for Type=oneshot" in said
    assert "HW513" not in told(tmp_path, unit("Type=oneshot"))


def test_a_shell_becomes_the_entry_point(tmp_path: Path) -> None:
    (said,) = messages(tmp_path, service('command: sh -c "ollama serve"'), "HW603")
    assert "`entrypoint: sh`" in said
    (said,) = messages(tmp_path, pod('args: [bash, -c, "ollama serve"]'), "HW603")
    assert "`command: [bash]`" in said
