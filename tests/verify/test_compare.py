"""The Plan against what was seen: each verdict, and who is said to be at fault."""

from dataclasses import replace
from typing import Any

import pytest

from generator.engines.base import ServedModel
from generator.plan import Model, Parameter
from generator.verify.compare import Comparison, compare
from generator.verify.observed import Answers, Observed
from generator.verify.rows import Row
from generator.view import Overruled, Place
from tests.plans import shipped
from tests.verify.seen import (
    OVERRIDE,
    UNIT,
    files,
    given,
    held,
    process,
    running,
    seen,
    service,
)

NAME = "OLLAMA_NUM_PARALLEL"  # 4 in this profile
ONE = service(models=())


def compared(observed: Observed, **changes: Any) -> Comparison:
    return compare(replace(ONE, **changes), observed, running())


def row(observed: Observed, name: str = NAME) -> Row:
    return next(each for each in compared(observed).rows if each.setting == name)


def test_all_is_as_wanted() -> None:
    found = compared(seen(ONE))
    names = {each.setting for each in found.rows}
    assert {"OLLAMA_HOST", NAME, "CPUQuota", "MemoryMax", "release"} <= names
    assert {each.verdict for each in found.rows} == {"ok"}
    assert not found.fails


def test_held_alone_is_not_in_effect() -> None:
    found = compared(seen(ONE, process=None))
    assert {each.verdict for each in found.rows} == {"unknown", "ok"}
    assert row(seen(ONE, process=None)).verdict == "unknown"
    assert not found.fails


def test_a_later_line_wins() -> None:
    written = files((NAME, "4", UNIT, 7), (NAME, "2", OVERRIDE, 3))
    other = seen(ONE, written=written, held=held(ONE, **{NAME: "2"}),
                 process=process(ONE, **{NAME: "2"}))  # fmt: skip
    found = row(other)
    assert (found.verdict, found.by) == ("shadowed", f"{OVERRIDE}:3")
    assert (found.intended, found.held, found.effective) == ("4", "2", "2")
    assert found.why == f"{OVERRIDE}:3 says `2`"


def test_a_file_has_it_otherwise_and_none_as_wanted() -> None:
    found = row(seen(ONE, written=files((NAME, "2", OVERRIDE, 3))))
    assert (found.verdict, found.by) == ("drift", f"{OVERRIDE}:3")


def test_a_file_of_which_the_next_start_will_hear() -> None:
    """What is in effect now is as wanted, and will not be after a restart."""
    written = files((NAME, "4", UNIT, 7), (NAME, "2", OVERRIDE, 3))
    found = row(seen(ONE, written=written))
    assert (found.effective, found.verdict) == ("4", "shadowed")


def test_the_manager_has_not_read_its_files() -> None:
    old = replace(held(ONE, **{NAME: "1"}), stale=True)
    found = row(seen(ONE, written=files((NAME, "4", UNIT, 7)), held=old))
    assert found.verdict == "drift"
    assert "systemctl daemon-reload" in found.why


def test_nobody_has_restarted_it() -> None:
    found = row(seen(ONE, process=process(ONE, **{NAME: "1"})))
    assert (found.verdict, found.why) == ("drift", "the process was started with `1`: restart it")


def test_the_manager_does_not_have_it() -> None:
    bare = held(ONE)
    without = {name: value for name, value in bare.variables.items() if name != NAME}
    found = row(seen(ONE, held=replace(bare, variables=without)))
    assert (found.held, found.why) == ("-", "systemd does not have it")


@pytest.mark.parametrize(
    ("name", "told", "verdict"),
    [
        ("OLLAMA_FLASH_ATTENTION", "true", "ok"),
        ("OLLAMA_NUM_PARALLEL", "1", "drift"),
        ("OLLAMA_HOST", "http://127.0.0.1:11434", "ok"),
        ("OLLAMA_HOST", "http://0.0.0.0:11434", "drift"),
    ],
)
def test_what_the_server_made_of_it(name: str, told: str, verdict: str) -> None:
    found = row(seen(ONE, config={name: told}), name)
    assert (found.effective, found.verdict) == (told, verdict)
    assert not found.why or found.why.endswith(f"read it as `{told}`")


def test_what_only_the_program_of_a_model_reads() -> None:
    loaded = process(ONE)
    idle = replace(loaded, children=())
    assert row(seen(ONE, process=loaded), "LLAMA_ARG_THREADS").verdict == "ok"
    found = row(seen(ONE, process=idle), "LLAMA_ARG_THREADS")
    assert (found.verdict, found.effective) == ("unknown", "20")
    # A model that was loaded before a restart that never came has the old one.
    (child,) = loaded.children
    old = replace(child, variables=given(ONE, LLAMA_ARG_THREADS="2"))
    found = row(seen(ONE, process=replace(loaded, children=(old,))), "LLAMA_ARG_THREADS")
    assert (found.verdict, found.effective) == ("drift", "2")


@pytest.mark.parametrize("command", ["--ollama-engine --model /blobs/x", "--mlx-engine --model x"])
def test_a_program_of_a_model_that_reads_no_variables(command: str) -> None:
    """That of releases up to 0.24, and that of models in the format of MLX."""
    loaded = process(ONE)
    (child,) = loaded.children
    other = replace(child, command=("/usr/bin/ollama", "runner", *command.split()))
    found = row(seen(ONE, process=replace(loaded, children=(other,))), "LLAMA_ARG_THREADS")
    assert (found.verdict, found.fails) == ("not read", False)
    assert found.why == "`/usr/bin/ollama runner` runs the model, and does not read it"
    # Beside one that reads them it does not count.
    both = replace(loaded, children=(other, child))
    assert row(seen(ONE, process=both), "LLAMA_ARG_THREADS").verdict == "ok"
    assert "threads" not in running().told(other.command, child.variables)


def test_an_environment_that_nobody_may_read() -> None:
    closed = replace(process(ONE), variables=None, children=())
    assert row(seen(ONE, process=closed)).verdict == "unknown"
    assert row(seen(ONE, process=closed, config={NAME: "4"})).verdict == "ok"


STRAYS = {
    "OLLAMA_NUM_PARALELL": ("4", "not read", "did you mean `OLLAMA_NUM_PARALLEL`?"),
    "OLLAMA_MLOCK": ("1", "not read", "no release reads it"),
    "OLLAMA_ORIGINS": ("*", "drift", "the profile does not have it"),
    "OLLAMA_KEEP_ALIVE": ("300s", "ok", "the default"),
    "CUDA_VISIBLE_DEVICES": ("1", "drift", "the profile does not have it"),
}


@pytest.mark.parametrize("name", STRAYS)
def test_what_nobody_wanted(name: str) -> None:
    value, verdict, why = STRAYS[name]
    written = files((name, value, OVERRIDE, 2))
    other = seen(ONE, written=written, process=process(ONE, **{name: value}))
    found = row(other, name)
    assert (found.intended, found.verdict) == ("-", verdict)
    assert why in found.why
    assert (found.by == f"{OVERRIDE}:2") == found.fails == (verdict != "ok")


def test_what_a_server_decides_by_itself_is_no_value() -> None:
    name = "OLLAMA_FLASH_ATTENTION"
    one = replace(ONE, environment=tuple(s for s in ONE.environment if s.name != name))
    for value, verdict in (("1", "drift"), ("", "ok")):
        told = seen(one, process=process(one, **{name: value}))
        found = next(r for r in compare(one, told, running()).rows if r.setting == name)
        assert found.verdict == verdict


@pytest.mark.parametrize("name", ["HOME", "PATH", "LANG", "HTTPS_PROXY"])
def test_what_is_none_of_ours(name: str) -> None:
    found = compared(seen(ONE, process=process(ONE, **{name: "x"})))
    assert name not in {each.setting for each in found.rows}


def test_a_secret_is_shown_nowhere() -> None:
    secret = replace(ONE.environment[0], name="HF_TOKEN", value="s3`cret")
    one = replace(ONE, environment=(*ONE.environment, secret))
    written = files(("HF_TOKEN", "s3`cret", UNIT, 2), ("HF_TOKEN", "0`ther", OVERRIDE, 2))
    found = compare(one, seen(one, written=written), running())
    (row_,) = (each for each in found.rows if each.setting == "HF_TOKEN")
    assert (row_.verdict, row_.intended) == ("shadowed", "***")
    assert "cret" not in repr(found)
    assert "ther" not in repr([row_.why, row_.held])


def test_what_an_image_brings() -> None:
    """In a container the server listens everywhere, and the published port says where that is."""
    box = replace(held(ONE, OLLAMA_HOST="0.0.0.0:11434"), by="docker")
    inside = process(ONE, OLLAMA_HOST="0.0.0.0:11434")
    found = compared(seen(ONE, held=box, process=inside))
    assert "OLLAMA_HOST" not in {each.setting for each in found.rows}
    deaf = replace(held(ONE, OLLAMA_HOST="127.0.0.1"), by="docker")
    other = row(seen(ONE, held=deaf, process=process(ONE, OLLAMA_HOST="127.0.0.1")), "OLLAMA_HOST")
    assert (other.verdict, other.intended) == ("drift", "-")


@pytest.mark.parametrize(
    ("ports", "verdict"),
    [
        (("127.0.0.1:11434:11434",), "ok"),
        (("0.0.0.0:11434:11434",), "drift"),
        (("127.0.0.1:11434:11434", "[::]:11434:11434"), "drift"),
        ((), "drift"),
    ],
)
def test_where_a_container_is_reached(ports: tuple[str, ...], verdict: str) -> None:
    box = replace(held(ONE), by="docker", published=ports)
    assert row(seen(ONE, held=box), "published").verdict == verdict


# Limits


@pytest.mark.parametrize(("bound", "verdict"), [(4096, "ok"), (None, "drift"), (77, "drift")])
def test_the_processes_of_a_container(bound: int | None, verdict: str) -> None:
    """A profile that says nothing of them has a bound where the server is in a container."""
    tasks = {"tasks_max": bound}
    box = replace(held(ONE), by="docker", limits=tasks)
    found = row(seen(ONE, held=box, process=replace(process(ONE), limits=tasks)), "TasksMax")
    assert (found.intended, found.verdict) == ("4096", verdict)
    assert "TasksMax" not in {each.setting for each in compared(seen(ONE)).rows}


@pytest.mark.parametrize(
    ("held_", "applied", "verdict", "why"),
    [
        (2000, 2000, "ok", ""),
        (2000, None, "drift", "the kernel applies no limit"),
        (2000, 400, "drift", "the kernel applies `400%`"),
        (400, 400, "drift", "systemd holds `400%`"),
        (None, None, "drift", "systemd holds `no limit`"),
    ],
)
def test_a_quota(held_: int | None, applied: int | None, verdict: str, why: str) -> None:
    manager, run = held(ONE), process(ONE)
    other = seen(
        ONE,
        held=replace(manager, limits={**manager.limits, "cpu_quota": held_}),
        process=replace(run, limits={**run.limits, "cpu_quota": applied}),
    )
    found = row(other, "CPUQuota")
    assert (found.verdict, found.why) == (verdict, why)
    assert found.intended == "2000%"


def test_a_limit_that_a_later_line_lifts() -> None:
    over = Overruled(name="CPUQuota", value="2000%", place=Place(UNIT, 5), winner="infinity",
                     by=Place(OVERRIDE, 4))  # fmt: skip
    written = files(("cpu_quota", "infinity", OVERRIDE, 4))
    found = row(seen(ONE, written=replace(written, overruled=(over,))), "CPUQuota")
    assert (found.verdict, found.by) == ("shadowed", f"{OVERRIDE}:4")
    assert found.why.endswith("says `infinity`")
    assert row(seen(ONE, written=written), "CPUQuota").verdict == "drift"


@pytest.mark.parametrize(
    ("applied", "verdict"),
    [
        (10**9, "ok"),
        (10**9 // 4096 * 4096, "ok"),
        (10**9 // 65536 * 65536, "ok"),
        (10**9 // 4096 * 4096 - 4096, "drift"),
        (None, "drift"),
    ],
)
def test_the_kernel_counts_memory_in_pages(applied: int | None, verdict: str) -> None:
    bounds = tuple(replace(b, value=10**9) if b.name == "memory_max" else b for b in ONE.limits)
    one, limits = replace(ONE, limits=bounds), {"memory_max": 10**9}
    other = seen(
        one,
        held=replace(held(one), limits=limits),
        process=replace(process(one), limits={"memory_max": applied}),
    )
    found = compare(one, other, running()).rows
    assert next(r for r in found if r.setting == "MemoryMax").verdict == verdict


def test_a_limit_that_the_kernel_does_not_tell() -> None:
    found = row(seen(ONE, process=replace(process(ONE), limits={})), "CPUQuota")
    assert (found.verdict, found.why) == ("unknown", "the kernel does not tell")


# What the server answers


def answers(*names: str, release: str = "0.32.15", **fields: Any) -> Answers:
    models = tuple(ServedModel(name=name, **fields) for name in names)
    return Answers(release=release, installed=models, loaded=models)


def wanted(name: str, serve_as: str = "") -> Model:
    key = "models"
    return Model(
        name=name, role="", serve_as=serve_as, parameters=(), modelfile=None, key=key
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "there", "verdict", "why"),
    [
        ("qwen3:8b", "qwen3:8b", "ok", ""),
        ("qwen3", "qwen3:latest", "ok", ""),
        ("Qwen3:8B", "qwen3:8b", "ok", ""),
        ("qwen3:8b", "qwen3:4b", "drift", "the server does not have it; pull qwen3:8b"),
        ("llama3.1:8b-instruct-q5_K_M", "llama3.1:8b-instruct-q5_K_M", "drift", "of Q4_K_M"),
    ],
)
def test_a_model(name: str, there: str, verdict: str, why: str) -> None:
    told = answers(there, quantisation="Q4_K_M")
    found = compared(seen(ONE, answers=told), models=(wanted(name),))
    (one,) = (each for each in found.rows if each.setting == f"model {name}")
    assert one.verdict == verdict
    assert why in one.why


def test_a_model_that_was_made_of_other_parameters() -> None:
    parameter = Parameter(name="num_ctx", value="4096", reason="", key="")
    made = replace(wanted("qwen3:8b", serve_as="mine"), parameters=(parameter,))
    told = answers("mine:latest", context=4096)
    for has, why in {
        (
            ("num_ctx", "2048"),
        ): "its num_ctx is 2048, not 4096: it is an older one, create it again",
        (): "its num_ctx is not set: it is an older one, create it again",
        (("num_ctx", "4096"), ("stop", "x")): "",
    }.items():
        seen_ = seen(ONE, answers=replace(told, parameters={"mine": has}))
        assert compared(seen_, models=(made,)).rows[-1].why == why
    # Never clean without judging: a capture may be without that answer.
    untold = compared(seen(ONE, answers=told), models=(made,)).rows[-1]
    assert (untold.verdict, untold.why) == ("unknown", "nobody tells what it was made with")
    other = replace(
        answers("mine:latest", context=512), parameters={"mine": (("num_ctx", "4096"),)}
    )
    found = compared(seen(ONE, answers=other), models=(made,)).rows[-1]
    assert (found.effective, found.verdict) == ("512 tokens", "drift")
    assert found.why == "its num_ctx is 4096, and a client has asked for another"


GPUS = shipped("dual-pascal").service


@pytest.mark.parametrize(
    ("devices", "on_gpus", "why"),
    [
        (("cuda", "cuda"), 5, ""),
        (("cuda", "cuda"), None, ""),
        (("cuda",), 5, "it has found 1 of 2 GPUs"),
        (("cpu",), None, "it has found no device for cuda: it computes on the CPU"),
        (("cuda", "cuda"), 0, "nothing of the models that are loaded is on a GPU"),
        ((), 0, "nothing of the models that are loaded is on a GPU"),
        ((), 5, ""),
    ],
)
def test_what_computes(devices: tuple[str, ...], on_gpus: int | None, why: str) -> None:
    told = answers() if on_gpus is None else answers("a", on_gpus=on_gpus)
    found = compare(GPUS, seen(GPUS, devices=devices, answers=told), running())
    (one,) = (each for each in found.rows if each.setting == "acceleration")
    assert (one.why, one.verdict) == (why, "drift" if why else "ok")


def test_a_gpu_that_nobody_wanted() -> None:
    assert row(seen(ONE, devices=("cpu",)), "acceleration").verdict == "ok"
    assert row(seen(ONE, devices=("cuda",)), "acceleration").verdict == "drift"


def test_the_room_for_a_model_that_is_missing() -> None:
    here = seen(ONE, room=3 * 2**30)
    assert "3 GiB are free where models go" in compared(here, models=(wanted("a:1b"),)).remarks
    assert "free" not in " ".join(compared(here).remarks)


def test_what_is_to_be_pulled_may_be_too_much() -> None:
    """By the Catalogue qwen3:8b has 5.2 GB; one of which it knows nothing counts for nothing."""
    models = (wanted("qwen3:8b"), wanted("qwen3:8b", serve_as="mine"), wanted("own:1b"))
    found = compared(seen(ONE, room=3 * 2**30), models=models)
    assert found.rows[-3].why == "the server does not have it; pull qwen3:8b, about 4.9 GiB"
    assert found.remarks[-1] == (
        "3 GiB are free where models go, less than is missing: about 4.9 GiB are to be pulled"
    )
    # The base is there: nothing is pulled for what is made of it.
    there = seen(ONE, room=0, answers=answers("qwen3:8b"))
    assert "less" not in " ".join(compared(there, models=models[1:2]).remarks)


@pytest.mark.parametrize(
    ("has", "verdict", "why"),
    [
        ("500a1f067a9f" + "0" * 52, "ok", ""),
        ("sha256:500A1F067A9F", "ok", ""),
        ("0123456789abcdef", "drift",
         "its digest is 0123456789ab, not 500a1f067a9f: the name has another model now"),
        ("", "unknown", "nobody tells the digest of qwen3:8b"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("made", ["", "mine"])
def test_a_digest(has: str, verdict: str, why: str, made: str) -> None:
    """That of a model with parameters of its own is that of the model it is made from."""
    model = replace(wanted("qwen3:8b", serve_as=made), digest="500a1f067a9f")
    base = ServedModel(name="qwen3:8b", digest=has)
    told = replace(answers(), installed=(base, ServedModel(name="mine:latest", digest="77")))
    found = compared(seen(ONE, answers=told), models=(model,)).rows[-1]
    assert (found.verdict, found.why) == (verdict, why)


def test_models_that_nobody_asked_for() -> None:
    told = replace(answers(), installed=(
        ServedModel(name="small:1b", size=1, modified="2026-01-02T03:04:05Z"),
        ServedModel(name="large:1b; reboot", size=2), ServedModel(name="mine:latest"),
        ServedModel(name="qwen3:8b"),
    ))  # fmt: skip
    found = compared(seen(ONE, answers=told), models=(wanted("qwen3:8b", serve_as="mine"),))
    assert [(e.name, e.remove) for e in found.extras] == [
        ("large:1b; reboot", "ollama rm 'large:1b; reboot'"), ("small:1b", "ollama rm small:1b"),
    ]  # fmt: skip
    assert not found.fails


@pytest.mark.parametrize(
    ("told", "verdict"), [("0.32.15", "ok"), ("0.32.4", "ok"), ("0.24.0", "drift"), ("", "unknown")]
)
def test_the_release(told: str, verdict: str) -> None:
    """A Plan holds for all releases of an era, and says nothing of a build without one."""
    assert row(seen(ONE, answers=answers(release=told)), "release").verdict == verdict


def test_a_server_that_is_silent_is_a_row_beside_the_others() -> None:
    silent = seen(ONE, answers=None, unanswered="cannot reach it")
    found = row(silent, "API")
    assert (found.verdict, found.why) == ("unknown", "cannot reach it")


def test_what_was_seen_and_is_no_setting() -> None:
    busy = replace(process(ONE), throttled=(41, 42))
    assert compared(seen(ONE, process=busy)).remarks == (
        "it waited for CPU time in 41 of 42 periods", "it runs llama-server",
    )  # fmt: skip
