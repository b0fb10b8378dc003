"""HW322, HW413 to HW419, HW640, and what rules say of an image that a Dockerfile makes."""

import time
from pathlib import Path

import pytest

from generator.engines.ollama.rules.builds import needs_a_server
from generator.engines.ollama.rules.ends import ends_before
from generator.rules.rule import Rule
from generator.view import Container, Line, Place
from tests.texts import Cases, Text, messages, sides, told
from tests.views import found, view

BASE = "FROM ollama/ollama:0.32.15\n"


def image(*lines: str, base: str = BASE) -> Text:
    return {"Dockerfile": base + "".join(f"{line}\n" for line in lines)}


INSTALLED = "FROM ubuntu:24.04\nRUN curl -fsSL https://ollama.com/install.sh | sh\n"
PIP = "RUN apt-get update && apt-get install -y python3 python3-pip\n"
BARE = "FROM ubuntu:24.04\n"
ENABLED = "#!/bin/sh\ncp ${{1}} {}\nsystemctl enable --now ollama\n"
POD = (
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: ollama}}\nspec:\n"
    "  selector: {{matchLabels: {{app: a}}}}\n  template:\n    metadata: {{labels: {{app: a}}}}\n"
    "    spec:\n      containers:\n      - name: ollama\n        image: python:3.12-slim\n"
    '        command: ["/bin/bash", "-c"]\n        args:\n        - |\n'
    "          apt-get install -y {}\n"
    "          curl -fsSL https://ollama.com/install.sh | sh\n          exec ollama serve\n"
)


def pod(programs: str) -> Text:
    return {"ollama.yaml": POD.format(programs)}


INSTALLED_ALONE: Text = {"Dockerfile": INSTALLED}
# rule: (caught, left alone)
CASES: Cases = {
    "HW322": (
        (
            image("RUN ollama serve & sleep 5; ollama pull qwen3:8b || true"),
            {"get.sh": "#!/bin/sh\nollama pull qwen3:8b 2>/dev/null || :\n"},
        ),
        (
            {"get.sh": "#!/bin/sh\nollama pull qwen3:8b || exit 1\n"},
            {"get.sh": "#!/bin/sh\n# ollama pull qwen3:8b || true\nollama list || true\n"},
        ),
    ),
    "HW640": (
        (
            image("RUN ollama pull qwen3:8b"),
            image("RUN apt-get update && ollama pull qwen3:8b"),
            image("RUN --mount=type=cache,target=/x /bin/ollama create mine -f /Modelfile"),
            image("RUN ollama serve && ollama pull qwen3:8b"),
            image("RUN ollama serve"),
            image("RUN ollama serve & sleep 5; ollama pull qwen3:8b; wait"),
            image("RUN ollama serve > /log 2>&1 & \\\n  sleep 5 && ollama pull qwen3:8b && wait"),
            image("RUN ollama serve & P=$! && sleep 5 && ollama pull qwen3:8b && wait $P"),
            image("RUN ollama pull qwen3:8b 2>&1", base=INSTALLED),
            image('RUN ["/bin/bash", "-c", "ollama pull qwen3:8b"]'),
            image("RUN bash -c 'ollama pull qwen3:8b'"),
            image("RUN <<EOF", "set -e", "ollama pull qwen3:8b", "EOF"),
            image("RUN bash <<'EOF'", "ollama serve &", "sleep 5", "ollama pull a", "wait", "EOF"),
            {
                **image("COPY get.sh /get.sh", "RUN chmod +x /get.sh && /get.sh"),
                "get.sh": "#!/bin/sh\nollama pull qwen3:8b\n",
            },
            image("RUN ollama serve & P=$! && sleep 5 && ollama pull a && kill $P || true"),
            image("RUN ollama serve & sleep 5; { ollama pull a; ollama pull b; } || true"),
            image("RUN ollama serve & sleep 5 && (ollama pull a && ollama pull b) || true"),
            image(
                "RUN ollama serve & P=$! && until ollama list; do sleep 1; done && "
                'ollama pull a && { [ -z "${B}" ] || ollama pull "${B}"; } && '
                "kill $P && wait $P 2>/dev/null || true"
            ),
        ),
        (
            image("RUN ollama serve & P=$! && sleep 5 && ollama pull a && (kill $P || true)"),
            image("RUN ollama serve & P=$! && sleep 5 && ollama pull a; kill $P || true"),
            image("RUN ollama serve & sleep 5; ollama pull a; { sleep 1; kill $!; } || true"),
            image("RUN ollama serve & sleep 5 && { ollama pull a || echo no; } && kill $! || true"),
            image("RUN ollama serve & sleep 5; ollama pull qwen3:8b"),
            image("RUN bash <<'EOF'", "ollama serve &", "sleep 5", "ollama pull qwen3:8b", "EOF"),
            image('RUN ["bash", "-c", "ollama serve & sleep 5; ollama pull qwen3:8b"]'),
            {
                **image("COPY a.sh get.sh /", "RUN chmod +x /a.sh /get.sh"),
                "get.sh": "#!/bin/sh\nollama pull qwen3:8b\n",
            },
            {
                **image("COPY get.sh /get.sh", "RUN ollama serve & sleep 5 && /get.sh"),
                "get.sh": "#!/bin/sh\nollama pull qwen3:8b\n",
            },
            image("RUN ollama serve & \\\n  # wait\n  until ollama list; do sleep 1; done; \\\n"
                  "  ollama pull qwen3:8b"),
            image("RUN ollama serve & P=$!; sleep 5; ollama pull qwen3:8b; kill $P; wait $P"),
            image("RUN ollama serve & sleep 5; ollama pull qwen3:8b & P=$!; wait $P"),
            image("RUN ollama serve & wait-for-it :11434 && ollama pull qwen3:8b"),
            image("RUN /start.sh && ollama pull qwen3:8b"),
            image("RUN OLLAMA_HOST=build:11434 ollama pull qwen3:8b"),
            image("RUN echo 'ollama serve & ollama pull qwen3:8b' > /start.sh"),
            image("RUN ollama --version"),
            image("# RUN ollama pull qwen3:8b"),
            image('CMD ["serve"]'),
        ),
    ),
    "HW413": (
        (
            INSTALLED_ALONE,
            image("RUN curl -L https://ollama.com/download/ollama-linux-amd64.tgz -o o.tgz"),
            pod("curl"),
        ),
        (
            image("RUN apt install zstd", "RUN curl https://ollama.com/install.sh | sh", base=BARE),
            image("RUN curl https://ollama.com/install.sh | OLLAMA_VERSION=0.5.7 sh", base=BARE),
            image("RUN curl https://ollama.com/install.sh | sh", base="FROM example.com/own:1\n"),
            image("RUN curl -LO https://ollama.com/download/ollama-linux-amd64.tar.zst"),
            pod("curl zstd"),
        ),
    ),
    "HW414": (
        (
            image('CMD ["sh", "-c", "ollama serve & sleep 9; tail -f /dev/null"]', "ENTRYPOINT []"),
            image("ENTRYPOINT ollama serve > /log 2>&1 & exec sleep infinity"),
            image("ENTRYPOINT ollama serve & sleep 9; exec uvicorn main:app --host 0.0.0.0"),
            image("CMD ollama serve & python3 -u src/app.py", "ENTRYPOINT []"),
            {
                **image('COPY run.sh /run.sh\nENTRYPOINT ["/run.sh"]'),
                "run.sh": "#!/bin/sh\nollama serve &\nsleep 5\nnode server.js\n",
            },
        ),
        (
            image("ENTRYPOINT ollama serve & sleep 9; ollama pull qwen3:8b; wait"),
            image("ENTRYPOINT tail -f /log & ollama serve"),
            image("ENTRYPOINT ollama serve & sleep 9; python3 train.py"),
            image("ENTRYPOINT ollama serve & uvicorn main:app & wait -n"),
            image("ENTRYPOINT ollama serve & (while kill -0 $!; do sleep 9; done) & npm start"),
        ),
    ),
    "HW415": (
        (
            image("ENTRYPOINT ollama serve & sleep 5 && ollama pull qwen3:8b & sleep 5"),
            image('CMD ["bash", "-c", "systemctl enable ollama && systemctl start ollama"]'),
            image("ENTRYPOINT service ollama start"),
        ),
        (
            image("ENTRYPOINT ollama serve & sleep 5 && ollama pull qwen3:8b"),
            image("ENTRYPOINT ollama serve & sleep 5 && ollama pull qwen3:8b & wait"),
            image("ENTRYPOINT service ollama start && tail -f /log"),
        ),
    ),
    "HW416": (
        (
            image("RUN useradd -u 1000 app"),
            image("RUN addgroup --gid 1000 app", base=INSTALLED),
        ),
        (
            image("RUN useradd -u 10001 app"),
            image("RUN userdel -r ubuntu && useradd -u 1000 app"),
            image("RUN useradd -o -u 1000 app"),
            image("RUN useradd -u 1000 app", base="FROM ollama/ollama:0.9.5\n"),
        ),
    ),
    "HW419": (
        (
            image(f"{PIP}RUN pip install requests"),
            image(f"{PIP}RUN cd /app && python3 -m pip install -r a.txt", base=INSTALLED),
            {
                **image(f'{PIP}COPY run.sh /run.sh\nENTRYPOINT ["/run.sh"]'),
                "run.sh": "#!/bin/sh\nollama serve &\npip3 install requests\nwait\n",
            },
        ),
        (
            image(f"{PIP}RUN pip install --break-system-packages requests"),
            image(f"{PIP}RUN python3 -m venv /v && /v/bin/pip install requests"),
            image(f"{PIP}ENV PIP_BREAK_SYSTEM_PACKAGES=1\nRUN pip install requests"),
            image(f"{PIP}RUN pip install requests", base="FROM ollama/ollama:0.9.5\n"),
            image("RUN pip install requests", base="FROM python:3.12\n"),
        ),
    ),
    "HW417": (
        (
            {"run.sh": "#!/bin/sh\nollama serve\nollama pull qwen3:8b\n"},
            {"run.sh": "f() {\n  ollama serve\n  ollama pull qwen3:8b\n}\nf\n"},
            {"run.sh": "if a; then\n  ollama serve\n  if b; then\n    ollama pull x\n  fi\nfi\n"},
            {"a.yaml": "#cloud-config\nruncmd:\n  - ollama serve\n  - ollama pull qwen3:8b\n"},
        ),
        (
            {"run.sh": "#!/bin/sh\nollama serve & sleep 5\nollama pull qwen3:8b\n"},
            {"run.sh": "f() {\n  ollama serve\n}\nf &\nollama pull qwen3:8b\n"},
            {"run.sh": "if a; then\n  ollama serve\nelse\n  ollama pull qwen3:8b\nfi\n"},
            {"run.sh": "case $1 in\na)\n  ollama serve\n  ;;\nb)\n  ollama pull x\n  ;;\nesac\n"},
            {"run.sh": "(\nollama serve\n) &\nollama pull qwen3:8b\n"},
            {"run.sh": "tmux new -d -s o 'ollama serve'\nsleep 3\nollama pull qwen3:8b\n"},
            {"Makefile": "a:\n\tollama serve\n\nb:\n\tollama pull qwen3:8b\n"},
            {"a.yaml": "#cloud-config\nruncmd:\n  - ollama serve &\n  - ollama pull qwen3:8b\n"},
        ),
    ),
    "HW418": (
        ({"set.sh": ENABLED.format("/etc/containers/systemd/ollama.container")},),
        ({"set.sh": ENABLED.format("/etc/systemd/system/ollama.service")},),
    ),
}  # fmt: skip
OTHERS: Cases = {
    "HW101": (
        (
            image("ENV OLLAMA_NUM_THREADS=8"),
            image("ENV OLLAMA_KEEP_ALIVE=1h \\\n    # why\n\n    OLLAMA_NUM_THREADS=8"),
            image("ENV OLLAMA_NUM_THREADS 8", base=INSTALLED),
            image("env OLLAMA_NUM_THREADS=8", base="FROM --platform=$P ollama/ollama\n"),
            image("FROM base", base=f"{BASE.strip()} AS base\nENV OLLAMA_NUM_THREADS=8\n"),
        ),
        (
            image("ENV OLLAMA_NUM_THREADS=8", base="FROM python:3.13\n"),
            image("ENV OLLAMA_MODEL=qwen3:8b", 'ENTRYPOINT ["/start.sh"]'),
            image("ENV OLLAMA_MODEL=x", "RUN ollama serve & sleep 1; ollama pull $OLLAMA_MODEL"),
            image("ARG OLLAMA_NUM_THREADS=8"),
        ),
    ),
    "HW508": (
        (
            image(base="FROM ollama/ollama\n"),
            image(base="ARG TAG=latest\nFROM docker.io/ollama/ollama:$TAG\n"),
            image("COPY --from=ollama/ollama:latest /bin/ollama /bin/ollama", base="FROM debian\n"),
        ),
        (
            image(),
            image(base="ARG TAG=0.32.15\nFROM ollama/ollama:${TAG}\n"),
            image(base="ARG TAG\nFROM ollama/ollama:$TAG\n"),
            image(base="FROM ubuntu:latest\nRUN curl -L https://ollama.com/install.sh | sh\n"),
        ),
    ),
    "HW509": (
        (
            image("HEALTHCHECK CMD curl -f http://localhost:11434/"),
            image('HEALTHCHECK --interval=5s CMD ["curl", "-f", "http://localhost:11434/"]'),
            image("HEALTHCHECK CMD ollama --version || exit 1"),
        ),
        (
            image("HEALTHCHECK CMD ollama list || exit 1"),
            image("HEALTHCHECK NONE"),
            image("RUN apt-get update && apt-get install -y curl",
                  "HEALTHCHECK CMD curl -f http://localhost:11434/"),
        ),
    ),
    "HW603": (
        (
            image('CMD ["ollama", "serve"]'),
            image("CMD ollama serve"),
            image("CMD serve"),
            image('CMD ["/start.sh"]'),
        ),
        (
            image('CMD ["serve"]'),
            image("ENTRYPOINT []", 'CMD ["/start.sh"]'),
            image('CMD ["ollama", "serve"]', "ENTRYPOINT []"),
            image('ENTRYPOINT ["/bin/sh", "-c", "ollama serve"]'),
            image('CMD ["ollama", "serve"]', base=INSTALLED),
        ),
    ),
    "HW513": ((), (image(),)),
    "HW518": ((), (image(),)),
    "HW401": ((), (image("ENV OLLAMA_HOST=0.0.0.0", "EXPOSE 11434"),)),
}  # fmt: skip


@pytest.mark.parametrize(("rule", "files", "caught"), [*sides(CASES), *sides(OTHERS)])
def test_an_image_is_judged_by_what_it_decides(
    rule: str, files: Text, caught: bool, tmp_path: Path
) -> None:
    assert (rule in told(tmp_path, files)) is caught


def test_the_entry_point_of_the_image_is_taken_away(tmp_path: Path) -> None:
    (said,) = messages(tmp_path, image("CMD ollama serve"), "HW603")
    assert "`ENTRYPOINT []`" in said


LONG = {
    ends_before: ("entrypoint", f"{'ollama serve && ' * 6000}true & ollama pull a; true"),
    needs_a_server: ("RUN", f"ollama serve & {'ollama pull a && ' * 6000}true; true"),
}


@pytest.mark.parametrize("rule", LONG, ids=("ends", "asks"))
def test_long_commands_take_no_long_time(rule: Rule) -> None:
    """From each command the rest was looked at: for 100 kB of them half a minute."""
    name, value = LONG[rule]
    place = Place("Dockerfile", 1)
    line = Line(section="", name=name, value=value, place=place)
    box = Container(image="ollama/ollama", place=place, restart="always")
    start = time.process_time()
    found(rule, view(lines=(line,), container=box))
    assert time.process_time() - start < 4
