"""HW695: a program that an image has without what loads models."""

from pathlib import Path

import pytest

from tests.texts import Cases, Text, sides, told


def image(*lines: str, base: str = "debian:12", taken: str = "ollama/ollama:0.32.15") -> Text:
    rest = "".join(f"{line}\n" for line in lines)
    return {
        "Dockerfile": f"FROM {taken} AS taken\nFROM {base}\n{rest}"
        'ENV OLLAMA_HOST=0.0.0.0\nCMD ["ollama", "serve"]\n'
    }


PROGRAM = "COPY --from=taken /bin/ollama /usr/local/bin/ollama"
# rule: (caught, left alone)
CASES: Cases = {
    "HW695": (
        (
            image(PROGRAM),
            image("COPY --from=ollama/ollama:latest /usr/bin/ollama /usr/local/bin/"),
            image(PROGRAM, "COPY --from=taken /usr/lib/ollama /usr/lib/ollama"),
            image(PROGRAM, "COPY --from=0 /lib/ollama /lib/ollama"),
            image("COPY --from=taken /usr/bin/ollama /usr/bin/ollama", "COPY app /usr/lib/app"),
        ),
        (
            image(PROGRAM, taken="ollama/ollama:0.12.3"),
            image(PROGRAM, "COPY --from=taken /usr/lib/ollama /usr/local/lib/ollama"),
            image(PROGRAM, "COPY --from=taken /usr/lib/ollama/ /usr/local/lib/ollama/"),
            image(
                "COPY --from=taken /bin/ollama /bin/ollama",
                "COPY --from=taken /usr/lib/ollama /usr/lib/ollama",
            ),
            image("COPY --from=taken /usr /usr"),
            image(PROGRAM, "COPY --from=taken /usr/lib /usr/local/lib"),
            image(PROGRAM, "RUN ln -s /opt/lib /usr/local/lib/ollama"),
            image(
                PROGRAM, "RUN apt-get install -y zstd && curl https://ollama.com/install.sh | sh"
            ),
            image(PROGRAM, base="ollama/ollama:0.32.15"),
            {"Dockerfile": f'FROM ollama/ollama AS taken\nFROM alpine\n{PROGRAM}\nCMD ["app"]\n'},
        ),
    ),
}


@pytest.mark.parametrize(("rule", "files", "caught"), sides(CASES))
def test_it_catches_some_and_leaves_others_alone(
    rule: str, files: Text, caught: bool, tmp_path: Path
) -> None:
    assert (rule in told(tmp_path, files)) is caught
