"""What a role of Ansible tells in a variable is judged once, where the role hands it on."""

from pathlib import Path

import pytest

from tests.texts import Text, checked

DEFAULTS = "ollama_host: 0.0.0.0\nollama_keep_alive: 7d\nollama_models:\n  - qwen3:8b\n"
ROLE = {"roles/o/defaults/main.yml": DEFAULTS}
UNIT = "[Service]\nExecStart=/usr/local/bin/ollama serve\nUser=ollama\nRestart=always\n"
TEMPLATE = 'Environment="OLLAMA_HOST={{ ollama_host }}:11434"\n'
OTHER = "# not {{ ollama_host }}\nEnvironment=OLLAMA_HOST=::1\n"
TASK = (
    "- community.docker.docker_container:\n    name: ollama\n    image: ollama/ollama:0.32.15\n"
    "    restart_policy: always\n    volumes: [ollama:/root/.ollama]\n"
    '    env: {OLLAMA_HOST: "{{ ollama_host }}"}\n'
)


def places(folder: Path, files: Text, rule: str) -> list[str]:
    found = [p for p in checked(folder, files).findings if p.finding.rule == rule]
    return [str(Path(p.place.file).relative_to(folder)) for p in found]


@pytest.mark.parametrize(
    ("files", "rule", "where"),
    [
        (
            {**ROLE, "roles/o/templates/ollama.service.j2": UNIT + TEMPLATE},
            "HW401",
            ["roles/o/templates/ollama.service.j2"],
        ),
        (
            {
                "group_vars/all.yml": DEFAULTS,
                "roles/o/templates/ollama.service.j2": UNIT + TEMPLATE,
            },
            "HW401",
            ["roles/o/templates/ollama.service.j2"],
        ),
        # To a container all its addresses are those of the container.
        ({**ROLE, "roles/o/tasks/main.yml": TASK}, "HW401", []),
        # Another role has a value of its own.
        (
            {**ROLE, "roles/p/templates/ollama.service.j2": UNIT + TEMPLATE},
            "HW401",
            ["roles/o/defaults/main.yml"],
        ),
        # What the template has is no value of the role's.
        (
            {**ROLE, "roles/o/templates/ollama.service.j2": f"{UNIT}{OTHER}"},
            "HW401",
            ["roles/o/defaults/main.yml"],
        ),
    ],
)
def test_it_is_told_where_the_role_writes_it(
    files: Text, rule: str, where: list[str], tmp_path: Path
) -> None:
    assert places(tmp_path, files, rule) == where
