"""Services and drop-ins: as operators write them, as we print them, as systemd orders them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generator.catalogue.catalogue import load_catalogue
from generator.errors import ProfileError
from generator.host import Host
from generator.readers.base import Context, Source
from generator.readers.systemd import one_system
from generator.readers.systemd.merged import merged
from generator.readers.systemd.read import read
from generator.targets import load_target
from generator.view import Place, View
from tests.consumers import systemd
from tests.plans import ALONE, RELEASES, environment, shipped
from tests.tools import require

ETC = "/etc/systemd/system"
RUN = "/run/systemd/system"
LIB = "/usr/lib/systemd/system"
SERVE = "[Service]\nExecStart=/usr/local/bin/ollama serve\n"


def views(*files: tuple[str, str], **told: object) -> tuple[View, ...]:
    context = Context(load_catalogue(), **told)  # type: ignore[arg-type]
    return read([Source(path, text) for path, text in files], context)


def view(*files: tuple[str, str], **told: object) -> View:
    (found,) = views(*files, **told)
    return found


def values(seen: View, reach: str = "server") -> dict[str, str]:
    return {v.name: v.value for v in seen.variables if v.reach == reach}


def limits(seen: View) -> dict[str, int | str | None]:
    return {bound.name: bound.value for bound in seen.bounds}


# ── as operators write them ───────────────────────────────────────────────────────────────────

GPU = """\
[Service]
# Expose selected GPUs to Ollama (order matters for multi-GPU splits)
Environment=CUDA_VISIBLE_DEVICES=0,1
# Make device order stable (matches nvidia-smi numbering)
Environment=CUDA_DEVICE_ORDER=PCI_BUS_ID
# Force the CUDA (cuBLAS) backend
Environment=OLLAMA_LLM_LIBRARY=cuda
Environment=OLLAMA_NO_CUDA=0
Environment=OLLAMA_NUM_GPU_LAYERS=999
Environment=OLLAMA_SCHED_SPREAD=true
"""
PERFORMANCE = """\
[Service]
Environment="OLLAMA_FLASH_ATTENTION=1"
Environment="OLLAMA_KEEP_ALIVE=1h"
"""
LIMITED = """\
[Service]
CPUQuota=2000%
CPUWeight=100
MemoryMax=20G
MemoryHigh=80%
MemorySwapMax=0
AllowedCPUs=0-3
AllowedCPUs=8-11
NUMAPolicy=bind
NUMAMask=0
IOWeight=50
Nice=-5
TasksMax=infinity
LimitMEMLOCK=infinity
OOMScoreAdjust=-500
"""


def test_the_drop_ins_of_a_host_with_two_gpus() -> None:
    seen = view(
        (f"{ETC}/ollama.service.d/performance.conf", PERFORMANCE),
        (f"{ETC}/ollama.service.d/10-gpu.conf", GPU),
    )
    assert (seen.phrases.kind, seen.name, seen.release_told) == ("systemd", "ollama.service", False)
    assert list(values(seen).items()) == [
        ("CUDA_VISIBLE_DEVICES", "0,1"),
        ("CUDA_DEVICE_ORDER", "PCI_BUS_ID"),
        ("OLLAMA_LLM_LIBRARY", "cuda"),
        ("OLLAMA_NO_CUDA", "0"),
        ("OLLAMA_NUM_GPU_LAYERS", "999"),
        ("OLLAMA_SCHED_SPREAD", "true"),
        ("OLLAMA_FLASH_ATTENTION", "1"),
        ("OLLAMA_KEEP_ALIVE", "1h"),
    ]
    library = seen.variable("OLLAMA_LLM_LIBRARY")
    assert library is not None
    assert library.place == Place(f"{ETC}/ollama.service.d/10-gpu.conf", 7, "Environment")
    assert library.written == "cuda"


def test_only_a_file_with_the_command_makes_the_service() -> None:
    made = view((f"{ETC}/ollama.service", SERVE))
    assert made.starts == Place(f"{ETC}/ollama.service", 2, "ExecStart")
    assert view((f"{ETC}/ollama.service.d/a.conf", "[Service]\nNice=1\n")).starts is None


def test_limits_have_the_units_of_a_plan() -> None:
    assert limits(view(("limits.conf", LIMITED))) == {
        "cpu_quota": 2000,
        "cpu_weight": 100,
        "memory_max": 21474836480,
        "memory_high": "80%",
        "memory_swap_max": 0,
        "allowed_cpus": "0-3,8-11",
        "numa_policy": "bind",
        "numa_mask": "0",
        "io_weight": 50,
        "nice": -5,
        "tasks_max": None,
        "limit_memlock": None,
        "oom_score_adjust": -500,
    }


def test_a_share_of_memory_counts_where_the_host_is_known() -> None:
    seen = view(("limits.conf", LIMITED), host=Host(memory=100))
    assert limits(seen)["memory_high"] == 80


def test_a_limit_is_written_on_its_line() -> None:
    bound = view(("limits.conf", LIMITED)).bound("memory_max")
    assert bound is not None
    assert (bound.written, bound.place) == ("20G", Place("limits.conf", 4, "MemoryMax"))


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("MemoryMax=20G\nMemoryMax=lots\n", {"memory_max": 21474836480}),
        ("MemoryMax=20G\nMemoryMax=\n", {}),
        ("MemoryMax=20G\nMemoryMax=infinity\n", {"memory_max": None}),
        ("AllowedCPUs=0-3\nAllowedCPUs=\nAllowedCPUs=4\n", {"allowed_cpus": "4"}),
        ("AllowedCPUs=9-1\nNUMAMask=0-8192\n", {}),
        ("AllowedCPUs=9-1,0-3 8191\n", {"allowed_cpus": "9-1,0-3 8191"}),
        ("CPUQuota=20\nMemoryMax=20GiB\nNice=99\nTasksMax=x\n", {}),
        ("LimitMEMLOCK=8G\nLimitMEMLOCK=\n", {"limit_memlock": 8589934592}),
        ("TasksMax=50%\nCPUWeight=idle\n", {"tasks_max": "50%", "cpu_weight": "idle"}),
    ],
)
def test_what_systemd_ignores_or_resets_is_no_limit(
    text: str, left: dict[str, int | str | None]
) -> None:
    assert limits(view(("a.conf", f"[Service]\n{text}"))) == left


def test_limits_outside_service_are_only_lines() -> None:
    seen = view(("a.conf", "CPUQuota=50%\n[Unit]\nMemoryMax=1G\nEnvironment=A=b\n"))
    assert (seen.bounds, seen.variables) == ((), ())
    assert [(line.section, line.name) for line in seen.lines] == [
        ("", "CPUQuota"),
        ("Unit", ""),
        ("Unit", "MemoryMax"),
        ("Unit", "Environment"),
    ]


def test_all_bad_files_are_told_at_once() -> None:
    with pytest.raises(ProfileError) as caught:
        views(("a.conf", "[Service\n"), ("b.conf", "key: value\n"), ("c.conf", SERVE))
    assert [problem.source for problem in caught.value.problems] == ["a.conf", "b.conf"]


# ── order ─────────────────────────────────────────────────────────────────────────────────────


def test_etc_goes_before_run_and_lib() -> None:
    drop_in = "ollama.service.d/10-a.conf"
    seen = view(
        (f"{LIB}/{drop_in}", "[Service]\nEnvironment=A=lib\n"),
        (f"{ETC}/{drop_in}", "[Service]\nEnvironment=A=etc\n"),
        (f"{RUN}/{drop_in}", "[Service]\nEnvironment=A=run\n"),
        (f"{LIB}/ollama.service.d/05-b.conf", "[Service]\nEnvironment=B=lib\n"),
        (f"{LIB}/ollama.service", "[Service]\nEnvironment=A=unit C=unit\n"),
        (f"{ETC}/ollama.service", SERVE),
    )
    assert [(v.name, v.value) for v in seen.variables] == [("B", "lib"), ("A", "etc")]
    assert seen.place == Place(f"{ETC}/ollama.service")


def test_drop_ins_of_no_known_directory_all_count() -> None:
    seen = view(
        ("one/override.conf", "[Service]\nEnvironment=A=1\n"),
        ("two/override.conf", "[Service]\nEnvironment=B=2\n"),
    )
    assert values(seen) == {"A": "1", "B": "2"}


def test_a_drop_in_takes_back_what_the_unit_sets() -> None:
    seen = view(
        (f"{ETC}/ollama.service.d/a.conf", "[Service]\nEnvironment=\nEnvironment=B=2\n"),
        (f"{ETC}/ollama.service", f"{SERVE}Environment=A=1\n"),
    )
    assert values(seen) == {"B": "2"}


def test_instances_have_the_template_and_their_own() -> None:
    seen = views(
        (f"{ETC}/ollama@.service", f"{SERVE}Environment=CUDA_VISIBLE_DEVICES=%i\n"),
        (f"{ETC}/ollama@.service.d/a.conf", "[Service]\nMemoryMax=20G\n"),
        (f"{ETC}/ollama@0.service.d/a.conf", "[Service]\nMemoryMax=8G\n"),
        (f"{ETC}/ollama@1.service.d/b.conf", "[Service]\nNice=1\n"),
    )
    assert [(one.name, values(one), limits(one)) for one in seen] == [
        ("ollama@0.service", {"CUDA_VISIBLE_DEVICES": "0"}, {"memory_max": 8589934592}),
        ("ollama@1.service", {"CUDA_VISIBLE_DEVICES": "1"}, {"memory_max": 21474836480, "nice": 1}),
    ]


NAMES = st.lists(
    st.text("aAzZ019-_.", min_size=1, max_size=3).map(lambda stem: f"{stem}.conf"),
    unique=True,
    min_size=1,
    max_size=8,
)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(NAMES, st.integers(0, 7))
def test_drop_ins_apply_in_the_order_of_systemd(names: list[str], reset: int) -> None:
    sources = []
    with TemporaryDirectory() as directory:
        folder = Path(directory) / "ollama.service.d"
        folder.mkdir()
        for number, name in enumerate(names):
            text = f"[Service]\nEnvironment=LAST={number} N{number}={name}\n"
            text += "Environment=\nEnvironment=RESET=1\n" if number == reset else ""
            (folder / name).write_text(text, encoding="utf-8")
            sources.append((f"{ETC}/ollama.service.d/{name}", text))
        theirs = systemd.read(Path(directory), lenient=True).environment
    assert values(view((f"{ETC}/ollama.service", SERVE), *sources)) == theirs


# ── environment files ─────────────────────────────────────────────────────────────────────────


def test_an_environment_file_wins_and_has_its_own_places() -> None:
    files = {"/etc/default/ollama": "# models\nOLLAMA_MODELS='/srv/m'\nOLLAMA_HOST=::1 # no\n"}
    text = "EnvironmentFile=-/etc/default/%p\nEnvironmentFile=-/etc/none\nEnvironmentFile=rel\n"
    seen = view(("ollama.service", f"{SERVE}{text}Environment=OLLAMA_HOST=1 A=b\n"), read=files.get)
    assert values(seen) == {"OLLAMA_HOST": "::1 # no", "A": "b", "OLLAMA_MODELS": "/srv/m"}
    models = seen.variable("OLLAMA_MODELS")
    assert models is not None
    assert models.place == Place("/etc/default/ollama", 2, "OLLAMA_MODELS")
    assert models.written == "'/srv/m'"


def test_unset_environment_takes_names_and_assignments_back() -> None:
    text = f"{SERVE}Environment=A=1 B=2 C=3\nUnsetEnvironment=A B=2 C=4\n"
    assert values(view(("ollama.service", text))) == {"C": "3"}


# ── which services ────────────────────────────────────────────────────────────────────────────

NGINX = "[Service]\nExecStart=/usr/sbin/nginx\nEnvironment=A=b\n"
PULL = """\
[Unit]
After=llm.service
[Service]
Type=oneshot
Environment=OLLAMA_HOST=127.0.0.1:1234
ExecStart=/usr/bin/ollama pull llama3:8b
ExecStart=/usr/bin/ollama create -f /etc/Modelfile tuned ; /usr/bin/ollama run llama3:8b hi
"""


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("nginx.service", NGINX, False),
        ("llm.service", SERVE, True),
        ("llm.service", "[Service]\nExecStart=-/bin/sh -c 'sleep 5; exec ollama serve'\n", True),
        ("llm.service", "[Service]\nExecStart=/usr/bin/env A=b /opt/ollama serve\n", True),
        ("ollama.service", "[Service]\nExecStart=/opt/start-ollama\n", True),
        ("ollama-resume.service", "[Service]\nExecStart=/bin/systemctl stop ollama\n", False),
        ("ollama-cuda.service.d/a.conf", "[Service]\nEnvironment=A=b\n", True),
        ("nginx.service.d/a.conf", "[Service]\nEnvironment=A=b\n", False),
    ],
)
def test_only_services_that_run_ollama_are_seen(name: str, text: str, *, found: bool) -> None:
    assert bool(views((f"{ETC}/{name}", text))) is found


def test_jobs_tell_the_models_of_their_server() -> None:
    other, server = views(("ollama.service", SERVE), ("llm.service", SERVE), ("pull.service", PULL))
    assert other.models == ()
    assert [(used.name, used.warmed) for used in server.models] == [
        ("llama3:8b", True),
        ("tuned", False),
    ]
    assert server.models[1].place == Place("pull.service", 7, "ExecStart")
    assert server.variables == ()


def test_a_job_alone_is_a_view_of_a_client() -> None:
    seen = view(("pull.service", PULL))
    assert values(seen, "client") == {"OLLAMA_HOST": "127.0.0.1:1234"}
    assert [used.name for used in seen.models] == ["llama3:8b", "tuned"]


@pytest.mark.parametrize(
    ("command", "models"),
    [
        ("/bin/sh -c 'for m in a:1 b:2; do ollama pull $$m; done'", ["a:1", "b:2"]),
        ('/bin/bash -c "until ollama list; do sleep 1; done && ollama pull a"', ["a"]),
        ("/usr/bin/docker exec ollama ollama pull a", ["a"]),
        ("/bin/sh -c 'ollama pull ${MODEL}'", []),
        ("/usr/bin/ollama list", []),
        ("/bin/sh -c 'ollama pull \"a'", []),
    ],
)
def test_models_are_found_in_scripts_too(command: str, models: list[str]) -> None:
    seen = view(("ollama.service", f"{SERVE}ExecStartPost={command}\n"))
    assert [used.name for used in seen.models] == models


# ── containers that a unit runs ───────────────────────────────────────────────────────────────

DOCKER = """\
[Unit]
After=docker.service
[Service]
Environment=HSA_OVERRIDE_GFX_VERSION=10.3.0
CPUQuota=200%
Restart=always
ExecStartPre=-/usr/bin/docker rm -f ollama
ExecStart=/usr/bin/docker run --rm --name %p -it --gpus '"device=0,1"' \\
  -v ollama:/root/.ollama -p127.0.0.1:11434:11434 \\
  -e OLLAMA_KEEP_ALIVE=24h --env "OLLAMA_HOST=0.0.0.0" -e HSA_OVERRIDE_GFX_VERSION -e NONE \\
  --env-file /etc/ollama.env --memory=20g --memory-swap 24g --cpus 4.5 --ulimit memlock=-1:-1 \\
  --net=host --privileged --user 0 --health-cmd "curl -f localhost:11434" \\
  ollama/ollama:0.9.2-rocm
"""


def test_a_unit_that_runs_docker_is_a_container() -> None:
    files = {"/etc/ollama.env": 'OLLAMA_MODELS="/m"\n#A=b\n'}
    seen = view((f"{ETC}/llm.service", DOCKER), read=files.get)
    assert (str(seen.release), seen.release_told, seen.acceleration) == ("0.9.2", True, "rocm")
    assert values(seen, "client") == {"HSA_OVERRIDE_GFX_VERSION": "10.3.0"}
    assert values(seen) == {
        "OLLAMA_MODELS": '"/m"',
        "OLLAMA_KEEP_ALIVE": "24h",
        "OLLAMA_HOST": "0.0.0.0",  # noqa: S104
        "HSA_OVERRIDE_GFX_VERSION": "10.3.0",
    }
    assert limits(seen) == {
        "memory_max": 21474836480,
        "cpu_quota": 450,
        "limit_memlock": None,
        "memory_swap_max": 4294967296,
        "memory_and_swap": 25769803776,
    }


def test_its_box_has_what_the_command_line_tells() -> None:
    box = view((f"{ETC}/llm.service", DOCKER)).container
    assert box is not None
    assert (box.image, box.tag, box.digest) == ("ollama/ollama:0.9.2-rocm", "0.9.2-rocm", False)
    assert (box.gpu_access, box.gpus, box.user, box.restart) == (
        "reservation", ("0", "1"), "0", "always",
    )  # fmt: skip
    assert [text for text, _ in box.ports] == ["127.0.0.1:11434:11434"]
    assert [text for text, _ in box.mounts] == ["ollama:/root/.ollama"]
    place = Place(f"{ETC}/llm.service", 12, "ExecStart")
    assert (box.privileged, box.host_network) == (place, place)
    assert box.healthcheck == (("CMD-SHELL", "curl -f localhost:11434"), place)


def test_a_variable_of_a_command_line_can_be_edited() -> None:
    seen = view((f"{ETC}/llm.service", DOCKER))
    host = seen.variable("OLLAMA_HOST")
    assert host is not None
    assert (host.written, host.place.line) == ("0.0.0.0", 10)  # noqa: S104


@pytest.mark.parametrize(
    ("options", "access", "gpus"),
    [
        ("docker run --gpus all", "reservation", ()),
        ("docker run --gpus=device=GPU-1", "reservation", ("GPU-1",)),
        ("podman run --gpus all", "cdi", ()),
        ("podman run --device nvidia.com/gpu=0", "cdi", ("nvidia.com/gpu=0",)),
        ("docker run --runtime nvidia", "runtime", ()),
        ("docker run --device=/dev/kfd --device /dev/dri", "devices", ()),
        ("docker --context x run -d", "", ()),
    ],
)
def test_gpus_get_in_as_the_options_say(options: str, access: str, gpus: tuple[str, ...]) -> None:
    text = f"[Service]\nExecStart=/usr/bin/{options} --privileged=false ollama/ollama\n"
    box = view(("llm.service", text)).container
    assert box is not None
    assert (box.gpu_access, box.gpus, box.privileged) == (access, gpus, None)


def test_variables_beside_a_started_container_reach_no_server() -> None:
    text = "[Service]\nExecStart=/usr/bin/docker start -a ollama\nEnvironment=OLLAMA_HOST=1\n"
    seen = view(("ollama.service", text))
    assert (values(seen), values(seen, "client")) == ({}, {"OLLAMA_HOST": "1"})


# ── as we print them ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("profile", ALONE)
def test_our_own_units_give_back_the_plan(profile: str, release: str) -> None:
    plan = shipped(profile, version=release)
    files = load_target("systemd").render(plan)
    units = [(f.path, f.text) for f in files if "/systemd/system/" in f"/{f.path}"]
    seen = view(*units)
    ours = {"OLLAMA_HOST", "OLLAMA_MODELS", "HOME"}
    assert {k: v for k, v in values(seen).items() if k not in ours} == environment(plan)
    assert limits(seen) == {
        one.name: None if one.value == "infinity" else one.value for one in plan.service.limits
    }
    assert {used.name for used in seen.models} == {
        name for unit in plan.service.jobs for name in unit.models
    }


# ── drop-ins of more than one unit ────────────────────────────────────────────────────────────

DROP_INS = (
    "etc/systemd/system/service.d/05.conf",
    "etc/systemd/system/a-b@1.service.d/10.conf",
    "etc/systemd/system/a-b@.service.d/20.conf",
    "etc/systemd/system/a-.service.d/30.conf",
    "etc/systemd/system/service.d/40.conf",
    "usr/lib/systemd/system/a-b@1.service.d/50.conf",
    # Of one name: the directory counts, then whose it is, and last come those of every service.
    "etc/systemd/system/a-b@.service.d/60.conf",
    "usr/lib/systemd/system/a-b@1.service.d/60.conf",
    "etc/systemd/system/service.d/70.conf",
    "usr/lib/systemd/system/a-b@1.service.d/70.conf",
    "etc/systemd/system/a-.service.d/80.conf",
    "run/systemd/system/a-b@.service.d/80.conf",
)


def test_drop_ins_of_every_kind_apply_as_systemd_applies_them(tmp_path: Path) -> None:
    texts = {"usr/lib/systemd/system/a-b@.service": "[Service]\nExecStart=/bin/true\nMark=\n"}
    texts |= dict.fromkeys(DROP_INS, "[Service]\nMark=\n")
    sources = []
    for name, text in texts.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        sources.append(Source(str(path), text))
    told = subprocess.run(
        [require("systemd-analyze"), "verify", f"--root={tmp_path}", "--man=no", "a-b@1.service"],
        capture_output=True,
        text=True,
        check=False,
    ).stderr
    applied = re.findall(r"^(\S+):\d+: Unknown key", told, re.MULTILINE)
    (one,) = merged(sources, ".service", "ollama.service")
    assert (one.name, list(one.files)) == ("a-b@1.service", applied)


def test_what_holds_for_every_service_holds_for_this_one() -> None:
    seen = view(
        (f"{ETC}/ollama.service", f"{SERVE}Restart=always\n"),
        (f"{ETC}/service.d/site.conf", "[Service]\nRestart=on-failure\nMemoryMax=2G\n"),
    )
    assert limits(seen) == {"memory_max": 2 * 2**30}
    assert seen.overruled == ()


def test_a_unit_of_a_user_is_another_one() -> None:
    paths = (f"{ETC}/ollama.service", "/etc/systemd/user/ollama.service")
    first, second = (one_system(PurePosixPath(path)) for path in paths)
    assert first != second


def overruled(seen: View) -> list[tuple[str, int, str, int]]:
    return [(o.place.file, o.place.line, o.by.file, o.by.line) for o in seen.overruled]


def test_a_drop_in_loses_to_the_file_that_the_unit_names() -> None:
    files = {"/etc/default/ollama": "OLLAMA_KEEP_ALIVE=1h\nOLLAMA_DEBUG=1\n"}
    unit = f"{SERVE}Environment=OLLAMA_DEBUG=0\nEnvironmentFile=/etc/default/ollama\n"
    drop_in = "[Service]\nEnvironment=OLLAMA_KEEP_ALIVE=2h\n"
    seen = view(
        (f"{ETC}/ollama.service", unit),
        (f"{ETC}/ollama.service.d/a.conf", drop_in),
        read=files.get,
    )
    assert overruled(seen) == [
        (f"{ETC}/ollama.service", 3, "/etc/default/ollama", 2),
        (f"{ETC}/ollama.service.d/a.conf", 2, "/etc/default/ollama", 1),
    ]
    assert [lost.usual for lost in seen.overruled] == [True, False]


def test_a_reset_says_who_is_to_win() -> None:
    seen = view(
        ("x/ollama.service.d/a.conf", "[Service]\nEnvironment=OLLAMA_DEBUG=0\nMemoryMax=1G\n"),
        (
            "x/ollama.service.d/b.conf",
            "[Service]\nEnvironment=\nEnvironment=OLLAMA_DEBUG=1\nMemoryMax=\nMemoryMax=2G\n",
        ),
    )
    assert seen.overruled == ()


def test_a_limit_that_systemd_cannot_read_wins_over_nothing() -> None:
    seen = view(("x/ollama.service.d/a.conf", "[Service]\nMemoryMax=1G\nMemoryMax=lots\n"))
    assert seen.overruled == ()


@pytest.mark.parametrize(
    ("unit", "at", "named"),
    [
        ("deploy/ollama.service", "deploy/ollama.env", "/etc/ollama/ollama.env"),
        ("deploy/ollama.service", "deploy/etc/ollama/ollama.env", "/etc/ollama/ollama.env"),
        ("ollama.service", "default/ollama", "/etc/default/ollama"),
        ("units/ollama.service.d/a.conf", "units/ollama.env", "/etc/ollama.env"),
        ("r/systemd/ollama.service", "r/etc/default/ollama", "/etc/default/ollama"),
        ("r/etc/systemd/system/ollama.service", "r/etc/default/ollama", "/etc/default/ollama"),
        ("/etc/systemd/system/ollama.service", "/etc/default/ollama", "/etc/default/ollama"),
    ],
)
def test_an_installed_path_means_the_file_of_the_repository(unit: str, at: str, named: str) -> None:
    files = {at: "OLLAMA_DEBUG=1\n"}
    seen = view((unit, f"{SERVE}EnvironmentFile={named}\n"), read=files.get)
    assert [(v.name, v.place.file) for v in seen.variables] == [("OLLAMA_DEBUG", at)]
    assert seen.not_judged == ()


@pytest.mark.parametrize(
    ("unit", "optional", "told"),
    [
        ("deploy/ollama.service", "", True),
        ("deploy/ollama.service", "-", True),
        (f"{ETC}/ollama.service", "-", False),
        (f"{ETC}/ollama.service", "", True),
    ],
)
def test_an_environment_file_that_is_not_at_hand_is_told(
    unit: str, optional: str, *, told: bool
) -> None:
    seen = view((unit, f"{SERVE}EnvironmentFile={optional}/etc/default/ollama\n"))
    assert [(gap.file, gap.line) for gap in seen.not_judged] == [(unit, 3)] * told


CAT = f"""\
# /etc/systemd/system/ollama.service
{SERVE}Environment=OLLAMA_KEEP_ALIVE=5m
# a remark
EnvironmentFile=/etc/ollama.env

# /etc/systemd/system/ollama.service.d/10-a.conf
[Service]
Environment=OLLAMA_KEEP_ALIVE=24h OLLAMA_DEBUG=1

# /etc/systemd/system/ollama.service.d/override.conf
[Service]
Environment=OLLAMA_DEBUG=0
"""


def test_what_systemctl_cat_prints_is_the_files_that_it_is_of() -> None:
    """A drop-in is no second line of its unit, where both stand in one text."""
    files = {"pasted/ollama.env": "A=1\n"}
    seen = view(("pasted/ollama.service", CAT), read=files.get)
    assert (seen.name, seen.adds, seen.place.file) == (
        *("ollama.service", False),
        "pasted/ollama.service",
    )
    assert overruled(seen) == [("pasted/ollama.service", 10, "pasted/ollama.service", 14)]
    assert values(seen) == {"OLLAMA_KEEP_ALIVE": "24h", "OLLAMA_DEBUG": "0", "A": "1"}


def test_a_comment_with_a_path_is_a_comment() -> None:
    text = f"# /etc/systemd/system/ollama.service.d/a.conf\n{SERVE}Nice=1\nNice=2\n"
    assert overruled(view(("x/ollama.service", text))) == [
        ("x/ollama.service", 4, "x/ollama.service", 5)
    ]


def test_files_that_are_no_drop_ins_may_be_alternatives() -> None:
    files = [
        (f"examples/{name}.conf", "[Service]\nMemoryMax=" + name[-2:]) for name in ("a1G", "b2G")
    ]
    assert view(*files).overruled == ()


@pytest.mark.parametrize(
    ("command", "judged"),
    [
        ('/usr/bin/podman exec ollama /bin/sh -c \'"$$0" pull "$$1"\' ollama llama3:8b', True),
        ("/usr/bin/curl -fsS http://ollama:11434/api/version", True),
        ("/bin/sh -c 'systemctl stop ollama.service'", True),
        # These may start a server, of which the unit says nothing.
        ("/usr/bin/docker compose -f /opt/ollama/compose.yaml up -d", False),
        ("/bin/sh -c 'cd /opt/ollama && docker compose up -d && curl localhost'", False),
        ("/opt/start-ollama.sh", False),
    ],
)
def test_a_job_alone_is_judged(command: str, *, judged: bool) -> None:
    text = f"[Service]\nType=oneshot\nExecStart={command}\n"
    found = read([Source("job.service", text)], Context(load_catalogue()))
    assert bool(found) is judged


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("/usr/bin/env -u X OLLAMA_HOST=::1 OLLAMA_ORIGINS=a /bin/ollama serve", "::1"),
        ("/bin/sh -c 'OLLAMA_HOST=::1 exec ollama serve'", "::1"),
        ('/bin/bash -lc "export OLLAMA_HOST=::1; ollama serve"', "::1"),
        ("/bin/sh -c 'OLLAMA_HOST=::1 sleep 1; ollama serve'", ""),
        ("/bin/sh -c 'OLLAMA_HOST=::1 ollama list'", ""),
    ],
)
def test_what_the_command_sets_for_the_server_counts(command: str, told: str) -> None:
    seen = view((f"{ETC}/ollama.service", f"[Service]\nExecStart={command}\n"))
    found = seen.variable("OLLAMA_HOST")
    assert (found.value if found else "") == told
    assert found is None or found.place.line == 2


@pytest.mark.parametrize(
    ("more", "seen"),
    [
        ("Environment=IMAGES=ollama/ollama:0.32.15\n", ["ollama/ollama:0.32.15"]),
        ("Environment=IMAGES=nginx\n", []),
        ("", []),
        # A file may say another image.
        ("Environment=IMAGES=ollama/ollama:0.32.15\nEnvironmentFile=/etc/llm\n", []),
    ],
)
def test_a_command_gets_the_variables_of_its_unit(more: str, seen: list[str]) -> None:
    text = f"[Service]\n{more}ExecStart=/usr/bin/podman run -p ${{PORTS}} ${{IMAGES}}\n"
    found = views((f"{ETC}/llm.service", text))
    assert [v.container.image for v in found if v.container] == seen


@pytest.mark.parametrize(
    ("program", "release"),
    [
        ("/nix/store/qzp3n0f5zpvm6c5c6m1jxs7m4r1s9ywd-ollama-0.11.10/bin/ollama", "0.11.10"),
        ("/nix/store/qzp3n0f5zpvm6c5c6m1jxs7m4r1s9ywd-ollama-cuda-0.12.11/bin/ollama", "0.12.11"),
        ("/opt/ollama-v0.5.7/bin/ollama", "0.5.7"),
        ("/usr/local/bin/ollama", ""),
        ("/opt/ollama/bin/ollama", ""),
    ],
)
def test_the_path_of_the_program_tells_its_release(program: str, release: str) -> None:
    seen = view(("ollama.service", f"[Service]\nExecStart={program} serve\n"))
    assert (str(seen.release) if seen.release_told else "") == release


def test_a_table_of_mounts_beside_an_installed_unit_tells_what_is_behind_a_network() -> None:
    files = {"/m/etc/fstab": "# x\nnas:/x /srv/nas nfs4 defaults 0 0\n/dev/sda1 / ext4 rw 0 1\n"}
    text = "[Service]\nExecStart=/usr/bin/ollama serve\nEnvironment=OLLAMA_MODELS=/srv/nas/m\n"
    seen = view((f"/m{ETC}/ollama.service", text), read=files.get)
    assert [(v.target, v.network, v.place) for v in seen.volumes] == [
        ("/srv/nas", "nfs4", Place("/m/etc/fstab", 2))
    ]
