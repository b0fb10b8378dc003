"""HW5xx: models and warm-up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.errors import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue import Catalogue
    from generator.plan import Plan
    from generator.profile import Profile


def _warmed(plan: Plan) -> tuple[str, ...]:
    """Return the models of the warm-up: the arguments behind the script and the program."""
    return tuple(m for u in plan.units if u.kind == "warmup" for s in u.steps for m in s.argv[4:])


def _value(plan: Plan, name: str) -> str | None:
    return next((s.value for s in plan.environment if s.name == name), None)


def warmup_unloaded_at_once(plan: Plan, _profile: Profile, _: Catalogue) -> Iterator[Finding]:
    """HW501: a keep-alive of zero unloads what the warm-up loaded."""
    keep_alive = _value(plan, "OLLAMA_KEEP_ALIVE")
    if _warmed(plan) and keep_alive is not None and keep_alive.rstrip("smhnuµ") in {"0", "-0"}:
        yield Finding(
            rule="HW501",
            severity="warning",
            message="a keep-alive of zero unloads each model right after the warm-up",
            where="ollama.keep_alive",
            fix="write how long models shall stay, like `24h`",
            link="envconfig/config.go@v0.32.15:126-144",
        )


def warmup_beyond_resident(plan: Plan, _profile: Profile, _: Catalogue) -> Iterator[Finding]:
    """HW502: more models warmed than may be resident evict each other."""
    resident = _value(plan, "OLLAMA_MAX_LOADED_MODELS")
    if resident is not None and len(_warmed(plan)) > int(resident):
        yield Finding(
            rule="HW502",
            severity="warning",
            message=f"the warm-up loads {len(_warmed(plan))} models, {resident} may be resident: "
            f"the first ones are evicted again",
            where="ollama.max_loaded_models",
            fix="preload fewer models, or let more be resident",
            link="server/sched.go@v0.32.15:86",
        )


def embedding_warmup(plan: Plan, _profile: Profile, _: Catalogue) -> Iterator[Finding]:
    """HW504: `ollama run` refuses an embedding model without input."""
    embeddings = {model.served for model in plan.models if model.role == "embedding"}
    for name in _warmed(plan):
        if name in embeddings:
            yield Finding(
                rule="HW504",
                severity="warning",
                message=f"`{name}` cannot be loaded ahead: `ollama run` asks for its input",
                where="models",
                fix="remove `preload` from it",
                link="cmd/cmd.go@v0.9.6, @v0.32.15",
            )
