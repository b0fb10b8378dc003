"""Variables of the server: where it keeps what it compiles, and those that the profile writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.engines.vllm.engine import CACHE
from generator.plan import Setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.engines.base import Case


def variables(case: Case) -> Iterator[Setting]:
    """Yield them; tokens are in none, but in files that the profile names."""
    own = case.profile.vllm.env
    yield Setting(
        name="VLLM_CACHE_ROOT",
        value=CACHE,
        reason="Kernels that are compiled for the model stay.",
        source="derived",
        group="server",
        key="engine",
    )
    yield Setting(
        name="USER",
        value="vllm",
        reason="Its libraries ask for a name, which a user without one in the image has not.",
        source="derived",
        group="server",
        key="engine",
    )
    ids = case.devices.ids if case.devices else ()
    if ids and case.acceleration == "cuda":
        yield Setting(
            name="CUDA_VISIBLE_DEVICES",
            value=",".join(ids),
            reason="The GPUs to use, in this order.",
            source="profile",
            group="gpu",
            key="gpu.visible_devices",
            scope="host",
        )
    if case.profile.ollama.no_cloud and "VLLM_NO_USAGE_STATS" not in own:
        yield Setting(
            name="VLLM_NO_USAGE_STATS",
            value="1",
            reason="Nothing is told of how it is used.",
            source="profile",
            group="server",
            key="ollama.no_cloud",
        )
    for name, value in own.items():
        yield Setting(
            name=name,
            value=str(value),
            reason="As the profile asks.",
            source="profile",
            group="environment",
            key=f"vllm.env.{name}",
        )
