"""No text hangs a check: what is recognised, read and judged takes time in proportion to its size.

CPU time of texts of one shape, four times as long each: work by the square takes sixteen times.
"""

import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from generator.catalogue.catalogue import load_catalogue
from generator.check.silence import silenced
from generator.readers import KINDS
from generator.readers.base import Context, Source
from generator.readers.discover import Found
from generator.readers.groups import Group
from generator.readers.nixos.evaluate import switches
from generator.readers.seen import views
from generator.readers.signs import OWN, kind_of, signs_of
from generator.rules.registry import judge
from tests.commands import called
from tests.effort import cpu_seconds

LENGTH, FEW, TIMES, TRIES = 1000, 250, 4, 4
STEEP = 10
"""How much longer four times the text may take."""
SMALL, MOST = 0.1, 30
"""CPU seconds: what is never too much, and what ends a measurement."""
UNITS = (
    *("\n", "\r", "\t", " ", "{", "{\n", "}", "[", "]", "(", '"', "'", "\\", "\\\n", "#\n"),
    *("# a-a-a-", "$", "${", "${A:-", "$$", ":", "a:", ": ", "---\n", "- ", "a", "a b ", "0,"),
    *("=", "A=1\n", "Ab=\n", "x\t", "a:\t1\n", "  a: b\n", "&a ", "? ", "%", "a.", "a/", "a-", ";"),
    *(
        "\ufeff",
        "\u2028",
        "\u00a0",
        "ollama ",
        "ollama:\n",
        "ollama:\n\n",
        "services ",
        "extraEnv:\n",
    ),
    *("OLLAMA_", "OLLAMA_A=", "export A=", "[Service]\n", "Environment=", "Environment=A=1\n"),
    *("# hostwright: ignore HW101 ", "HW101,", "a=config.a;", ".enable", "serviceConfig "),
    *("FROM a\n", "ENV A=$A$A\n", "RUN a \\\n", "<<A ", "COPY --from=a b c\n", "FROM a AS a\n"),
    *("schema_version", '"schema_version"', "ollama pull ", "/api/pull ", "sh -c '", "for a in "),
    *("docker compose ", "docker compose -f a \\\n", "A=b ", "<plist "),
)
SERVICE = "services:\n  ollama:\n    image: ollama/ollama:0.32.15\n"
# What makes a text one of a kind, up to the place at which the rest stands.
HEADS: dict[str, tuple[str, ...]] = {
    "plan": ("", '{"schema_version": 2, "name": '),
    "systemd": ("", "[Service]\n", "[Service]\nEnvironment=OLLAMA_A=", "[Service]\nExecStart="),
    "quadlet": (
        "[Container]\nImage=ollama/ollama\n",
        "[Container]\nImage=ollama\nPodmanArgs=",
        "[Container]\nImage=ollama/ollama\nVolume=a:",
        "[Container]\nImage=ollama/ollama\nPublishPort=",
        "[Container]\nImage=ollama/ollama\nHealthCmd=ollama list ",
    ),
    "compose": ("", SERVICE, f"{SERVICE}    command: ", f"{SERVICE}    environment:\n      - A="),
    "dockerfile": (
        "",
        "FROM ollama/ollama\nENV OLLAMA_A=",
        "FROM ollama/ollama\nRUN ",
        "FROM ollama/ollama\nENTRYPOINT [",
        "ARG A=1\nFROM ollama/ollama:$A\nENV A=$A$A A=",
    ),
    "terraform": (
        "",
        'resource "docker_container" "a" {\n  image = "ollama/ollama"\n  env = [',
        'resource "docker_container" "a" {\n  image = "ollama/ollama"\n  env = ["A=',
        'resource "aws_instance" "a" {\n  user_data = <<EOT\n#!/bin/sh\nollama serve\n',
    ),
    "modelfile": ("FROM a\n", 'FROM a\nSYSTEM """', "FROM a\nPARAMETER num_ctx "),
    "helm": ("ollama:\n", "ollama:\n  gpu:\n    enabled: "),
    "environment": ("", "A=", 'export A="', "#!/bin/sh\n"),
    "haproxy": ("", "backend a\n  server a ollama:11434 ", "listen a\n  server a ollama:11434\n"),
    "nginx": (
        "",
        "server {\nproxy_pass http://ollama:11434;\n",
        "server { a ",
        "upstream ollama {\n",
    ),
    "caddy": ("", ":80 {\nreverse_proxy ollama:11434 {\n", ":80 {\nreverse_proxy ollama:11434 "),
    "litellm": ("", "model_list:\n- litellm_params: {model: ollama/a, api_base: 'a"),
    "prometheus": ("", "groups:\n- rules:\n  - alert: ollama\n    expr: ollama_a{"),
    "nomad": (
        "",
        'job "a" {\ntask "a" {\ndriver = "docker"\nconfig {\nimage = "ollama/ollama"\n',
        'job "a" {\ngroup "a" {\ntask "a" {\ndriver = "exec"\nconfig {\ncommand = "ollama serve ',
    ),
    "cloud": (
        "",
        "Resources:\n  A:\n    Type: AWS::ECS::TaskDefinition\n    Properties:\n",
        '{"containerDefinitions": [{"image": "ollama/ollama", "environment": [',
    ),
    "pm2": (
        "",
        "module.exports = {apps: [{script: 'ollama', args: 'serve ",
        "module.exports = {apps: [{script: 'ollama', args: 'serve', env: {",
    ),
    "devcontainer": (
        "",
        '{"runArgs": [',
        '{"postStartCommand": "ollama serve & ',
        '{"features": {"a/ollama:1": {"pull": "',
    ),
    "recipes": (
        "",
        "tasks:\n  a:\n    cmds:\n      - ollama serve ",
        "vars:\n  A: '{{.A | default ",
        "tasks:\n  a:\n    cmds:\n      - '{{.A ",
    ),
    "supervisord": (
        "[program:ollama]\n",
        "[program:ollama]\nenvironment=OLLAMA_A=",
        "[program:ollama]\ncommand=ollama pull ",
    ),
    "nixos": ("", "{ services.ollama = "),
}
NAMES = {
    "systemd": "ollama.service",
    "recipes": "Taskfile.yml",
    "pm2": "ecosystem.config.js",
    "quadlet": "ollama.container",
    "plan": "plan.json",
}
CONTEXT = Context(load_catalogue())


@contextmanager
def bounded() -> Iterator[None]:
    """End what takes longer than any margin; a regular expression as well."""

    def stop(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, MOST)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def seconds(work: Callable[[str], object], text: str) -> float:
    """Return the CPU time of a run."""
    return cpu_seconds(lambda: work(text))[1]


def steeper(work: Callable[[str], object], short: str, long: str) -> float:
    """Return the CPU time of `long` if it is more than it should be, also when run again; or 0."""
    taken, once = float("inf"), 0.0
    for _ in range(TRIES):
        taken = min(taken, seconds(work, long))
        if taken <= SMALL:
            return 0
        once = max(once, seconds(work, short))
        if taken <= STEEP * once:
            return 0
    return taken


def steep(work: Callable[[str], object], head: str) -> list[str]:
    """Return the texts behind `head` that take more than they should."""
    found = []
    for unit in UNITS:
        short, long = (f"{head}{unit * (n // len(unit))}x\n" for n in (LENGTH, LENGTH * TIMES))
        try:
            with bounded():
                if taken := steeper(work, short, long):
                    found.append(f"{unit!r}: {taken:.2f} s")
        except TimeoutError:
            found.append(f"{unit!r}: no end")
    return found


def recognised(text: str) -> None:
    kind_of(Source("notes", text))
    for kind in (*OWN, *KINDS):
        signs = signs_of(kind)
        re.search(signs.hinted, text)
        signs.by_content(text)
        signs.ours(Source("notes", text))
        signs.orders(Source("notes", text))
        signs.orders(Source("notes.md", text))


def judged(kind: str, text: str) -> None:
    source = Source(NAMES.get(kind, kind), text)
    seen = views(Found(groups=(Group(kind, (source,)),)), CONTEXT)
    found = [one for view in seen.views for one in judge(view, CONTEXT.facts(view))]
    silenced(found, {source.path: text})


HEADS_OF_SIGNS = ("", "ollama:", "ollama ", "services ", "{", "schema_version", "extraEnv:\n")


@pytest.mark.parametrize("head", HEADS_OF_SIGNS)
def test_a_text_is_recognised_in_proportion_to_its_size(head: str) -> None:
    assert steep(recognised, head) == []


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_is_read_in_proportion_to_its_size(kind: str) -> None:
    # Nix bounds itself; its texts are only searched here.
    work: Callable[[str], object] = switches if kind == "nixos" else lambda text: judged(kind, text)
    for head in HEADS.get(kind, ("",)):
        assert steep(work, head) == []


POD = (
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: ollama}\nspec:\n  template:\n"
    "    spec:\n      containers:\n"
)
ENDLESS = "9" * 5000
# Where a number stands that something makes one of.
KEPT = """curl http://localhost:11434/api/chat -d '{{"model": "a", "keep_alive": "{0}"}}'\n"""
NUMBERS = {
    "ollama.env": (
        "OLLAMA_KEEP_ALIVE={0}d\n",
        "HSA_OVERRIDE_GFX_VERSION=10.3.{0}\nOLLAMA_DEBUG=1\n",
    ),
    "ollama.service": ("[Service]\nExecStart=/bin/ollama serve\nCPUQuota={0}%\nMemoryMax={0}G\n",),
    "ask.sh": (KEPT,),
    "a.nix": ("{{ services.ollama = {{ enable = true; port = {0}; }}; }}\n",),
    "compose.yaml": (f"{SERVICE}    cpuset: 0-{{0}}\n    mem_limit: {{0}}g\n",),
    "ollama.yaml": (
        (
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: ollama}}\nspec:\n  initContainers:\n"
            "  - {{name: a, image: ollama/ollama, command: [ollama, pull, a]}}\n  containers:\n"
            "  - {{name: b, image: ollama/ollama}}\n---\n"
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: c}}\nspec:\n"
            "  policyTypes: [Egress]\n  egress: [{{ports: [{{port: {0}}}]}}]\n"
        ),
    ),
}


@pytest.mark.parametrize(("name", "text"), [(n, t) for n, ts in NUMBERS.items() for t in ts])
def test_a_number_without_end_is_read_like_another(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text.format(ENDLESS))
    done = called("check", name, "--fix", "--diff", cwd=tmp_path)
    assert done.returncode in {0, 1, 2}, done.stderr


# Variables of as many names, on lines of their own and all on one, and other things of one kind.
NUMBERED: dict[str, tuple[str, ...]] = {
    "a quadlet": ("quadlet", "[Container]\nImage=ollama/ollama\n", "Environment=A{}=1\n"),
    "a quadlet of typos": ("quadlet", HEADS["quadlet"][0], "Environment=OLLAMA_A{}=1\n"),
    "a line of a quadlet": ("quadlet", f"{HEADS['quadlet'][0]}Environment=", "OLLAMA_A{}=1 "),
    "a unit": ("systemd", "[Service]\n", "Environment=FOO{}=1\n"),
    "a line of a unit": ("systemd", "[Service]\nEnvironment=", "OLLAMA_A{}=1 "),
    "a file of variables": ("environment", "", "OLLAMA_A{}=1\n"),
    "a script": ("script", "ollama serve\n", "export OLLAMA_A{}=1\n"),
    "a line of a script": ("script", "docker run ", "-e OLLAMA_A{}=1 ", "ollama/ollama\n"),
    "commands of a unit": ("systemd", "[Service]\n", "Environment=A{}=1\nExecStart=/bin/a serve\n"),
    "limits of a unit": ("systemd", "[Service]\n", "StartLimitIntervalSec={}\nRestartSec=3\n"),
    "containers of a pod": ("kubernetes", f"{POD}", "        - name: ollama\n"),
    "places of nginx": (
        "nginx",
        "server {\nserver_name a.example.com;\n",
        "location /a{} {{ proxy_pass http://ollama:11434; }}\n",
        "}\n",
    ),
    "a pool of nginx": (
        "nginx",
        "upstream a {\n",
        "server ollama{}:11434;\n",
        "}\nserver { location / { proxy_pass http://a; } }\n",
    ),
    "places of a Caddyfile": (
        "caddy",
        "a.example.com {\n",
        "  reverse_proxy /a{}/* ollama:11434\n",
        "}\n",
    ),
    "sites of a Caddyfile": (
        "caddy",
        "",
        "a{}.example.com {{\n  reverse_proxy ollama:11434\n}}\n",
    ),
    "servers of HAProxy": ("haproxy", "backend a\n", "  server a{0} ollama{0}:11434\n"),
    "backends of HAProxy": (
        "haproxy",
        "frontend f\n  bind :80\n",
        "backend a{0}\n  server a{0} ollama:11434\n",
    ),
    "models of LiteLLM": (
        "litellm",
        "model_list:\n",
        "- {{model_name: a{0}, litellm_params: {{model: ollama/a{0}, api_base: 'http://a:11434'}}}}\n",
    ),
    "rules of Prometheus": (
        "prometheus",
        "groups:\n- name: ollama\n  rules:\n",
        "  - {{alert: A{0}, expr: 'rate(ollama_a{0}[5m]) > 1'}}\n",
    ),
    "services of Traefik": (
        "traefik",
        "http:\n  services:\n",
        "    a{}: {{loadBalancer: {{servers: [{{url: 'http://ollama:11434'}}]}}}}\n",
    ),
    "routers and services of Traefik": (
        "traefik",
        "http:\n  middlewares:\n",
        "    m{}: {{compress: {{}}}}\n",
        "  routers:\n",
        "    a{0}: {{service: a{0}, rule: 'Host(`a{0}.example.com`)', middlewares: [m{0}]}}\n",
        "  services:\n",
        "    a{}: {{loadBalancer: {{servers: [{{url: 'http://ollama:11434'}}]}}}}\n",
    ),
    "handlers of tasks": (
        "steps",
        "- hosts: all\n  handlers:\n",
        "  - {{name: h{}, service: {{name: ollama, state: restarted}}}}\n",
        "  tasks:\n",
        "  - {{template: {{dest: /etc/systemd/system/ollama.service}}, notify: h{}}}\n",
    ),
    "services of pods": (
        "kubernetes",
        "controllers:\n",
        "  a{}: {{containers: {{app: {{image: {{repository: ollama/ollama, tag: 0.32.15}}}}}}}}\n",
        "service:\n",
        "  a{0}: {{controller: a{0}, ports: {{http: {{port: 11434}}}}}}\n",
    ),
    "services of a compose file": (
        "compose",
        "services:\n",
        "  ollama{0}: {{image: ollama/ollama:0.32.15, volumes: ['m{0}:/root/.ollama']}}\n",
    ),
    "containers of a script": ("script", "", "docker run -d --name a{} ollama/ollama\n"),
    "pulls of a script": ("script", "ollama serve &\n", "ollama pull a{}\n"),
    "commands of an image": ("dockerfile", "FROM ollama/ollama:0.32.15\n", "RUN useradd a{}\n"),
    "a compose file": ("compose", f"{SERVICE}    environment:\n", "      OLLAMA_A{}: 1\n"),
    "tasks of Nomad": (
        "nomad",
        'job "a" {\n',
        'task "a{}" {{\ndriver = "docker"\nconfig {{\nimage = "ollama/ollama"\n}}\n}}\n',
        "}\n",
    ),
    "tasks of ECS": (
        "cloud",
        "Resources:\n",
        """  A{}:
    Type: AWS::ECS::TaskDefinition
    Properties: {{ContainerDefinitions: [{{Image: ollama/ollama}}]}}
""",
    ),
    "applications of pm2": (
        "pm2",
        "module.exports = {apps: [",
        "{{script: 'ollama', args: 'serve', env: {{OLLAMA_HOST: '127.0.0.1:{}'}}}},",
        "]}",
    ),
    "commands of a dev container": (
        "devcontainer",
        '{"postStartCommand": "ollama serve", "postCreateCommand": {',
        '"a{}": "ollama pull b", ',
        "}}",
    ),
    "tasks of a runner": ("recipes", "tasks:\n", "  a{0}: {{cmds: [ollama serve]}}\n"),
    "commands of a task": (
        "recipes",
        "tasks:\n  a:\n    cmds:\n",
        "      - ollama pull a{0}\n",
    ),
    "programs of supervisord": (
        "supervisord",
        "[supervisord]\n",
        "[program:a{0}]\ncommand=ollama serve\nenvironment=OLLAMA_HOST=127.0.0.1:{0}\n",
    ),
    "variables of Fly": (
        "fly",
        '[build]\nimage = "ollama/ollama:0.32.15"\n[env]\n',
        'OLLAMA_A{} = "1"\n',
    ),
    "words behind the pulls of a container": (
        "compose",
        f'{SERVICE}    entrypoint: [sh, -c, "ollama serve & ollama pull a & ',
        "echo a{} ",
        '\\nb"]\n',
    ),
    "servers in one line of a container": (
        "compose",
        f'{SERVICE}    entrypoint: [sh, -c, "',
        "ollama serve a{} ",
        '"]\n',
    ),
    "servers in one line of an image": (
        "dockerfile",
        "FROM ollama/ollama:0.32.15\nRUN ",
        "ollama serve a{} ",
    ),
    "variables of an image": ("dockerfile", "FROM ollama/ollama:0.32.15\nRUN a", "; A=b{}"),
    "names that an alert joins": (
        "prometheus",
        "groups:\n- name: ollama\n  rules:\n  - alert: A\n    expr: 'absent(up{a=~\"",
        f"{'|' * 20}{{}}",
        "'\n",
    ),
    "clients of the host": (
        "compose",
        "services:\n",
        (
            "  c{0}: {{image: a, volumes: ['./a:/b'],"
            " environment: {{OLLAMA_BASE_URL: 'http://host.docker.internal:11434'}}}}\n"
        ),
    ),
    "servers of a compose file that say where they listen": (
        "compose",
        "services:\n",
        "  o{0}: {{image: ollama/ollama:0.32.15, environment: {{OLLAMA_HOST: '0.0.0.0:{0}'}}}}\n",
    ),
    "routers of a compose file": (
        "compose",
        f"{SERVICE}    labels:\n",
        (
            "      traefik.http.routers.a{0}.rule: PathPrefix(`/a`)\n"
            "      traefik.http.routers.a{0}.middlewares: b{0}\n"
            "      traefik.http.middlewares.b{0}.compress.c: d\n"
        ),
    ),
    "places of nginx under no name": (
        "nginx",
        "server {\n",
        "location /a{} {{ proxy_pass http://ollama:11434; }}\n",
        "}\n",
    ),
    "servers behind the end of a block": (
        "script",
        "curl -fsSL https://ollama.com/install.sh | sh\n",
        "true {}\n",
        "fi\n",
        "  ollama serve & # {}\n",
    ),
    "services that wait for others that are not there": (
        "compose",
        "services:\n",
        "  a{0}: {{image: 'ollama/ollama:0.32.15', depends_on: [b{0}]}}\n",
    ),
    "tasks that fetch what variables name": (
        "steps",
        "- hosts: all\n  vars:\n",
        "".join(f"    {name}{{0}}: b\n" for name in "abcdefghij"),
        "  tasks:\n",
        "  - {{get_url: {{url: 'https://a/{{{{ a{} }}}}', dest: /x}}}}\n",
    ),
    "calls of a function": ("script", "f() {\n" + 'ollama pull "$1"\n' * 300 + "}\n", "f a{}\n"),
    "units of a script": (
        "script",
        "curl -fsSL https://ollama.com/install.sh | sh\n",
        (
            "cat > /etc/systemd/system/o{}.service <<E\n[Service]\n"
            "ExecStart=/usr/bin/ollama serve\nE\n"
        ),
    ),
    "tasks that may fail": (
        "steps",
        "- hosts: all\n  tasks:\n",
        (
            "  - {{shell: ollama pull a, ignore_errors: true, register: a{}}}\n"
            "  - {{shell: ls, when: b is failed}}\n"
        ),
    ),
    "models that programs ask for": (
        "kubernetes",
        (
            "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n"
            "  - {name: a, image: 'ollama/ollama:0.32.15', command: [ollama, pull, a]}\n---\n"
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n"
        ),
        "  LLM_A{0}_MODEL: a{0}:8b\n",
    ),
    "blank lines of PowerShell": ("windows", "$env:OLLAMA_HOST='a'\n", "\n" * 4, "ollama pull a\n"),
    "blanks of PowerShell": ("windows", "ollama -Args", " " * 4, "\n"),
    "servers that nothing scales": (
        "kubernetes",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ollama}\ndata:\n  a: '",
        "scaleTargetRef: name: a{} ",
        "'\n",
    ),
}


def numbered(parts: tuple[str, ...], times: int) -> str:
    """Return a text of parts, of which every other one stands there so many times."""
    tail = ("\n",) if len(parts) == 2 else ()
    return "".join(
        "".join(map(part.format, range(times))) if odd % 2 else part
        for odd, part in enumerate((*parts, *tail))
    )


@pytest.mark.parametrize("case", sorted(NUMBERED))
def test_many_variables_are_judged_in_proportion_to_their_number(case: str) -> None:
    kind, *parts = NUMBERED[case]
    few, many = (numbered((*parts,), n) for n in (FEW, FEW * TIMES))
    with bounded():
        judged(kind, numbered((*parts,), 2))  # what is read once
        assert not steeper(lambda text: judged(kind, text), few, many)
