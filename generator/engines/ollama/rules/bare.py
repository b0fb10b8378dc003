"""HW695: a program that an image has without what loads models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.rules.rule import Hit, Hits, Rule
from generator.view import ALONE_IN_IMAGE

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.view import View


@Rule(
    id="HW695",
    severity="error",
    title="a program without what loads models",
    why="Since 0.30 `ollama` loads no model itself: it starts `llama-server`, which lies in "
    "`lib/ollama` with the libraries for CPUs and GPUs, and looks for that beside its own "
    "directory, `/usr/local/lib/ollama` for `/usr/local/bin/ollama`. Without it the server starts, "
    "lists and pulls, and every request that needs a model fails.",
    bad="COPY --from=ollama/ollama:0.32.15 /bin/ollama /usr/local/bin/ollama",
    good="COPY --from=ollama/ollama:0.32.15 /usr/bin/ollama /usr/local/bin/ollama\n"
    "COPY --from=ollama/ollama:0.32.15 /usr/lib/ollama /usr/local/lib/ollama",
    releases="0.30.0 and later",
    source="ml/path.go@v0.32.15:44-95; llm/llama_binary.go@v0.32.15; Dockerfile@v0.32.15:296-320",
)
def without_libraries(view: View, _: Facts) -> Hits:
    for line in view.lines_in(ALONE_IN_IMAGE):
        apart = f"`{line.name}` is where `lib/ollama` is copied to" if line.name else ""
        yield Hit(
            message=f"{apart}, and the program looks in `{line.value}`: no model is loaded"
            if apart
            else f"the program is copied without `lib/ollama`, which it looks for in "
            f"`{line.value}`: the server starts, and no model is loaded",
            place=line.place,
            fix=f"copy `/usr/lib/ollama` of the same image to `{line.value}`",
        )
