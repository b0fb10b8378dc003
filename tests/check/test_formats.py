"""A fault of a container is told in every format in which people write it."""

import json
import shlex
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.check.told import report

IMAGE = "ollama/ollama:0.32.15"
Files = dict[str, str]


@dataclass(frozen=True)
class Box:
    """What a container says beside its image; the rest of it is as it should be."""

    entry: Sequence[str] = ()
    command: Sequence[str] = ()
    probe: Sequence[str] = ("ollama", "list")
    barred: bool = False
    name: str = "OLLAMA_NUM_PARALLEL"
    value: str = "2"

    @property
    def volume(self) -> str:
        return "models:/root/.ollama:ro" if self.barred else "models:/root/.ollama"


def lines(*told: str | None, indent: int) -> str:
    return "".join(f"{' ' * indent}{line}\n" for line in told if line)


def listed(key: str, words: Sequence[str]) -> str | None:
    return f"{key}{json.dumps(list(words))}" if words else None


def shell(words: Sequence[str]) -> str:
    return " ".join(f"'{word}'" for word in words)


def compose(box: Box) -> Files:
    told = lines(
        f"image: {IMAGE}",
        "restart: always",
        'ports: ["127.0.0.1:11434:11434"]',
        f"volumes: [{box.volume}]",
        f'environment: {{{box.name}: "{box.value}"}}',
        f"healthcheck: {{test: {json.dumps(['CMD', *box.probe])}}}",
        listed("entrypoint: ", box.entry),
        listed("command: ", box.command),
        indent=4,
    )
    return {"compose.yaml": f"services:\n  ollama:\n{told}volumes: {{models: {{}}}}\n"}


def command_line(client: str) -> Callable[[Box], Files]:
    def written(box: Box) -> Files:
        entry = f"--entrypoint '{box.entry[0]}' " if box.entry else ""
        words = shell([*box.entry[1:], *box.command])
        return {
            "run.sh": f"#!/bin/sh\n{client} run -d --restart always -p 127.0.0.1:11434:11434 "
            f"-v {box.volume} -e {box.name}='{box.value}' --health-cmd "
            f"{shell([' '.join(box.probe)])} {entry}{IMAGE} {words}\n"
        }

    return written


def script_of_windows(name: str, sign: str) -> Callable[[Box], Files]:
    def written(box: Box) -> Files:
        (text,) = command_line("docker")(box).values()
        plain = text.removeprefix("#!/bin/sh\n").replace(" -v ", f" {sign}\n  -v ")
        return {name: plain if sign == "`" else plain.replace("'", '"')}

    return written


def words_of_a_task(box: Box) -> Files:
    (text,) = command_line("docker")(box).values()
    told = shlex.split(text.removeprefix("#!/bin/sh\n"))
    head = "- hosts: all\n  tasks:\n    - ansible.builtin.command:\n        argv:\n"
    return {"site.yml": head + lines(*(f"- {json.dumps(word)}" for word in told), indent=10)}


def quadlet(box: Box) -> Files:
    told = lines(
        f"Image=docker.io/{IMAGE}",
        "PublishPort=127.0.0.1:11434:11434",
        f"Volume={box.volume}",
        f"Environment={box.name}={box.value}",
        f"HealthCmd={' '.join(box.probe)}",
        f"Entrypoint={json.dumps(list(box.entry))}" if box.entry else None,
        "Exec=" + " ".join(f'"{word}"' for word in box.command) if box.command else None,
        indent=0,
    )
    service = "[Service]\nRestart=always\n[Install]\nWantedBy=default.target\n"
    return {"ollama.container": f"[Container]\n{told}{service}"}


def deployment(box: Box, start: int = 0) -> str:
    inner = lines(
        f"image: {IMAGE}",
        listed("command: ", box.entry),
        listed("args: ", box.command),
        f'env: [{{name: {box.name}, value: "{box.value}"}}]',
        f"readinessProbe: {{exec: {{command: {json.dumps(list(box.probe))}}}}}",
        "volumeMounts: [{name: m, mountPath: /root/.ollama, "
        f"readOnly: {str(box.barred).lower()}}}]",
        indent=start + 10,
    )
    told = lines(
        "apiVersion: apps/v1",
        "kind: Deployment",
        "metadata: {name: ollama}",
        "spec:",
        "  selector: {matchLabels: {app: ollama}}",
        "  template:",
        "    metadata: {labels: {app: ollama}}",
        "    spec:",
        "      volumes: [{name: m, persistentVolumeClaim: {claimName: m}}]",
        "      containers:",
        "        - name: ollama",
        indent=start,
    )
    return told + inner


def manifest(box: Box) -> Files:
    return {"ollama.yaml": deployment(box)}


def manifest_in_a_play(box: Box) -> Files:
    task = "- hosts: all\n  tasks:\n    - kubernetes.core.k8s:\n        definition:\n"
    return {"site.yml": task + deployment(box, 10)}


def manifest_in_a_workflow(box: Box) -> Files:
    job = "on: push\njobs:\n  a:\n    runs-on: self-hosted\n    steps:\n      - run: |\n"
    apply = "          kubectl apply -f - <<'EOF'\n"
    return {".github/workflows/a.yml": f"{job}{apply}{deployment(box, 10)}          EOF\n"}


def manifest_of_a_new_machine(box: Box) -> Files:
    head = "#cloud-config\nwrite_files:\n  - path: /srv/ollama.yaml\n    content: |\n"
    return {"init.yaml": head + deployment(box, 6)}


def task(module: str, ports: str) -> Callable[[Box], Files]:
    def written(box: Box) -> Files:
        told = lines(
            "name: ollama",
            f"image: {IMAGE}",
            "restart_policy: always",
            f'{ports}: ["127.0.0.1:11434:11434"]',
            f'volumes: ["{box.volume}"]',
            f'env: {{{box.name}: "{box.value}"}}',
            f"healthcheck: {{test: {json.dumps(['CMD', *box.probe])}}}"
            if "docker" in module
            else f"healthcheck: {json.dumps(' '.join(box.probe))}",
            listed("entrypoint: ", box.entry),
            listed("command: ", box.command),
            indent=8,
        )
        return {"site.yml": f"- hosts: all\n  tasks:\n    - {module}:\n{told}"}

    return written


def nixos(box: Box) -> Files:
    words = " ".join(json.dumps(word) for word in (*box.entry[1:], *box.command))
    told = lines(
        f'image = "{IMAGE}";',
        'ports = [ "127.0.0.1:11434:11434" ];',
        f'volumes = [ "{box.volume}" ];',
        f'environment.{box.name} = "{box.value}";',
        f'extraOptions = [ "--health-cmd={" ".join(box.probe)}" ];',
        f'entrypoint = "{box.entry[0]}";' if box.entry else None,
        f"cmd = [ {words} ];" if words else None,
        indent=4,
    )
    return {
        "ollama.nix": "{ ... }:\n{\n  virtualisation.oci-containers.containers.ollama = {\n"
        f"{told}  }};\n}}\n"
    }


def app_template(box: Box) -> Files:
    told = lines(
        'image: {repository: ollama/ollama, tag: "0.32.15"}',
        listed("command: ", box.entry),
        listed("args: ", box.command),
        f'env: {{{box.name}: "{box.value}"}}',
        "probes:",
        "  readiness:",
        "    enabled: true",
        "    custom: true",
        f"    spec: {{exec: {{command: {json.dumps(list(box.probe))}}}}}",
        indent=8,
    )
    mount = f"{{path: /root/.ollama, readOnly: {str(box.barred).lower()}}}"
    mounts = f"persistence:\n  m: {{existingClaim: m, globalMounts: [{mount}]}}\n"
    boxes = "controllers:\n  ollama:\n    containers:\n      app:\n"
    head = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: ollama}\n"
    chart = "spec:\n  chartRef: {kind: OCIRepository, name: app-template}\n  values:\n"
    return {"release.yaml": head + chart + textwrap.indent(boxes + told + mounts, "    ")}


FORMATS: dict[str, Callable[[Box], Files]] = {
    "compose": compose,
    "docker run": command_line("docker"),
    "podman run": command_line("podman"),
    "nerdctl run": command_line("nerdctl"),
    "PowerShell": script_of_windows("run.ps1", "`"),
    "cmd": script_of_windows("run.bat", "^"),
    "the words of a task": words_of_a_task,
    "a quadlet": quadlet,
    "a manifest": manifest,
    "a manifest in a play": manifest_in_a_play,
    "a manifest in a workflow": manifest_in_a_workflow,
    "a manifest of cloud-init": manifest_of_a_new_machine,
    "a task for Docker": task("community.docker.docker_container", "published_ports"),
    "a task for Podman": task("containers.podman.podman_container", "ports"),
    "a module of NixOS": nixos,
    "values of app-template": app_template,
}
SHELL = ("/bin/sh", "-c")
FAULTS = {
    "a variable that nobody reads": (Box(name="OLLAMA_NUM_THREADS"), "HW101"),
    "days": (Box(name="OLLAMA_KEEP_ALIVE", value="1d"), "HW109"),
    "the program twice": (Box(command=["ollama", "serve"]), "HW603"),
    "a shell behind the program": (Box(command=["sh", "-c", "ollama serve"]), "HW603"),
    "a command that there is not": (Box(command=["boot"]), "HW603"),
    "a flag that there is not": (Box(command=["serve", "--port", "80"]), "HW550"),
    "a flag in place of the command": (Box(command=["--host", "localhost"]), "HW556"),
    "a program of two words": (Box(entry=["ollama serve"]), "HW687"),
    "a shell without -c": (Box(entry=["/bin/bash"], command=["ollama serve"]), "HW687"),
    "two words behind -c": (Box(entry=[*SHELL, "ollama", "serve"]), "HW687"),
    "a pull before the server": (
        Box(entry=SHELL, command=["ollama pull qwen3:8b && ollama serve"]), "HW604",
    ),
    "a pull behind the server": (
        Box(entry=SHELL, command=["ollama serve; ollama pull qwen3:8b"]), "HW417",
    ),
    "an end with the pull": (
        Box(entry=SHELL, command=["ollama serve & sleep 5; ollama pull qwen3:8b"]), "HW415",
    ),
    "curl in a script": (
        Box(entry=SHELL, command=["ollama serve & curl localhost:11434; wait"]), "HW543",
    ),
    "curl in a check": (Box(probe=["curl", "-f", "http://localhost:11434"]), "HW509"),
    "a volume that is read-only": (Box(barred=True), "HW612"),
    "a check that there is not": (Box(probe=["ollama", "status"]), "HW509"),
}  # fmt: skip
SOUND = {
    "nothing more": Box(),
    "the command of the image": Box(command=["serve"]),
    "the program of the image": Box(entry=["/bin/ollama"], command=["serve"]),
    "a pull beside the server": Box(
        entry=SHELL,
        command=["ollama serve & until ollama list; do sleep 1; done; ollama pull qwen3:8b; wait"],
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("form", FORMATS)
def test_a_fault_is_told_in_every_format(fault: str, form: str, tmp_path: Path) -> None:
    box, rule = FAULTS[fault]
    assert rule in {p.finding.rule for p in report(tmp_path, FORMATS[form](box)).findings}


@pytest.mark.parametrize("sound", SOUND)
@pytest.mark.parametrize("form", FORMATS)
def test_what_is_sound_is_left_alone_in_every_format(sound: str, form: str, tmp_path: Path) -> None:
    seen = report(tmp_path, FORMATS[form](SOUND[sound]))
    assert seen.judged
    assert [p for p in seen.findings if p.finding.severity != "info"] == []
