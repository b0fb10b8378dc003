"""Several servers on one host: what each has, what one does for all, and what they cannot have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from generator.errors import ProfileError, RenderError
from generator.readers.plan.view import loading_view, views_of
from generator.targets import load_target
from tests.consumers import compose, nix, quadlet, systemd
from tests.plans import plan

if TYPE_CHECKING:
    from pathlib import Path

    from generator.plan import Plan, Service

GIB = 2**30
UNITS = "etc/systemd/system"
CARDS = [
    {"name": "Quadro P4000", "memory": "8GiB"},
    {"name": "NVIDIA GeForce GTX 1060 6GB", "memory": "6GiB"},
]
PAIR: dict[str, Any] = {
    "host": {"gpus": CARDS},
    "ollama": {"sched_spread": True, "models_dir": "/srv/models"},
    "models": [
        {"name": "a:1b", "preload": True},
        {"name": "b:1b", "parameters": {"temperature": 0.5}, "preload": True},
        {"name": "c:1b"},
    ],
    "service": {"resume_fix": True},
    "instances": [
        {"name": "large", "gpus": ["0"], "models": ["a:1b", "c:1b"], "num_parallel": 2},
        {"name": "small", "gpus": ["1"], "models": ["b:1b"], "context_length": 8192},
    ],
}
SOCKETS: dict[str, Any] = {
    "host": {"cpu": {"sockets": 2, "cores": 12, "threads": 24}, "memory": "36GiB"},
    "instances": [{"name": "left", "numa_node": 0}, {"name": "right", "numa_node": 1}],
}


def refused(data: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(ProfileError) as caught:
        plan(data)
    return {problem.where: problem.message for problem in caught.value.problems}


def variables(service: Service) -> dict[str, str]:
    return {setting.name: setting.value for setting in service.environment}


def limits(service: Service) -> dict[str, int | str]:
    return {limit.name: limit.value for limit in service.limits}


def reasons(service: Service) -> str:
    return " ".join(limit.reason for limit in service.limits)


def two(data: dict[str, Any]) -> tuple[Service, Service]:
    first, second = plan(data).services
    return first, second


# ── what each has ─────────────────────────────────────────────────────────────────────────────


def test_each_server_has_its_name_port_cards_and_models() -> None:
    large, small = two(PAIR)
    assert [(s.name, s.unit, s.stem) for s in (large, small)] == [
        ("large", "ollama@large.service", "ollama-large"),
        ("small", "ollama@small.service", "ollama-small"),
    ]
    assert [s.listen.address for s in (large, small)] == ["127.0.0.1:11434", "127.0.0.1:11435"]
    assert [s.container.name for s in (large, small)] == ["ollama-large", "ollama-small"]
    assert [variables(s)["CUDA_VISIBLE_DEVICES"] for s in (large, small)] == ["0", "1"]
    assert variables(large)["OLLAMA_NUM_PARALLEL"] == "2"
    assert "OLLAMA_NUM_PARALLEL" not in variables(small)
    assert variables(small)["OLLAMA_CONTEXT_LENGTH"] == "8192"
    assert [m.served for m in large.models] == ["a:1b", "c:1b"]
    assert [m.served for m in small.models] == ["b:1b-tuned"]


def test_a_port_that_one_names_is_no_other_servers() -> None:
    named = [{"name": "x", "gpus": ["0"]}, {"name": "y", "gpus": ["1"], "port": 11434}]
    assert [s.listen.port for s in two(PAIR | {"instances": named})] == [11435, 11434]


def test_keys_lead_back_to_the_instance_and_to_the_model() -> None:
    large, small = two(PAIR)
    keys = {s.name: s.key for s in small.environment}
    assert keys["OLLAMA_CONTEXT_LENGTH"] == "instances.1.context_length"
    assert keys["CUDA_VISIBLE_DEVICES"] == "instances.1.gpus"
    assert [m.key for m in (*large.models, *small.models)] == ["models.0", "models.2", "models.1"]


def test_one_card_alone_spreads_nothing_and_says_so() -> None:
    for service in two(PAIR):
        assert "OLLAMA_SCHED_SPREAD" not in variables(service)
        assert any("sched_spread" in omission.reason for omission in service.omissions)


def test_a_server_without_cards_computes_on_the_cpu() -> None:
    chosen = [{"name": "cards", "gpus": ["0", "1"]}, {"name": "cpu", "gpus": []}]
    cards, cpu = two(PAIR | {"instances": chosen})
    assert (cards.acceleration, cpu.acceleration, cpu.devices) == ("cuda", "cpu", None)
    assert variables(cards)["OLLAMA_SCHED_SPREAD"] == "1"
    assert variables(cpu)["CUDA_VISIBLE_DEVICES"] == "-1"


def test_one_instance_is_the_server_of_ever() -> None:
    one = {key: value for key, value in PAIR.items() if key != "instances"}
    alone = plan(one | {"instances": [{"name": "x", "num_parallel": 2}]}).service
    plain = plan(one | {"ollama": {**PAIR["ollama"], "num_parallel": 2}}).service
    assert (alone.name, alone.unit, alone.jobs) == (plain.name, plain.unit, plain.jobs)
    assert (alone.container, alone.limits) == (plain.container, plain.limits)
    assert variables(alone) == variables(plain)


# ── what one does for all ─────────────────────────────────────────────────────────────────────


def test_one_server_pulls_and_creates_for_all() -> None:
    large, small = two(PAIR)
    jobs = {job.unit: job for service in (large, small) for job in service.jobs}
    assert sorted(jobs) == [
        "ollama-large-create.service",
        "ollama-large-pull.service",
        "ollama-large-warmup.service",
        "ollama-resume.service",
        "ollama-small-warmup.service",
    ]
    pull, create = jobs["ollama-large-pull.service"], jobs["ollama-large-create.service"]
    assert pull.models == ("a:1b", "c:1b", "b:1b")
    assert create.models == ("b:1b-tuned",)
    assert create.after == ("ollama@large.service", pull.unit)
    assert create.wanted_by == pull.wanted_by == ("ollama@large.service",)
    assert jobs["ollama-small-warmup.service"].after == (
        "ollama@small.service",
        pull.unit,
        create.unit,
    )


def test_the_others_read_the_models_and_remove_nothing() -> None:
    large, small = two(PAIR)
    assert (large.puller, small.puller) == ("", "ollama@large.service")
    assert "OLLAMA_NOPRUNE" not in variables(large)
    assert variables(small)["OLLAMA_NOPRUNE"] == "1"
    assert variables(small)["OLLAMA_MODELS"] == variables(large)["OLLAMA_MODELS"] == "/srv/models"
    assert "ollama@large.service" in small.after
    assert (large.home, small.home) == ("/var/lib/ollama", "/var/lib/ollama-small")
    written = {d.name: d.value for d in small.hardening}["ReadWritePaths"]
    assert written == "/var/lib/ollama-small"


def test_the_server_that_is_marked_pulls() -> None:
    marked = [{"name": "x", "gpus": ["0"]}, {"name": "y", "gpus": ["1"], "pulls": True}]
    first, second = two(PAIR | {"instances": marked, "ollama": {}})
    assert (first.puller, second.puller) == ("ollama@y.service", "")
    assert variables(first)["OLLAMA_MODELS"] == "/var/lib/ollama/.ollama/models"
    assert [job.kind for job in first.jobs] == ["warmup"]
    assert second.jobs[0].models == ("a:1b", "b:1b", "c:1b")


def test_a_suspend_stops_all_servers_before_the_module_goes() -> None:
    large, _ = two(PAIR)
    (resume,) = (job for job in large.jobs if job.kind == "resume")
    for step in (*resume.steps, *resume.stop_steps):
        assert step.argv[-2:] == ("ollama@large.service", "ollama@small.service")


# ── what is divided ───────────────────────────────────────────────────────────────────────────


def test_the_means_of_the_host_are_divided() -> None:
    whole = {"resources": {"memory_max": "20G", "cpus": 8}, "threads": {"count": 8}}
    chosen = [{"name": "x"}, {"name": "y"}]
    for service in two(SOCKETS | whole | {"instances": chosen}):
        assert limits(service) == {
            "cpu_quota": 400,
            "memory_max": 10 * GIB,
            "memory_swap_max": 0,
        }
        assert service.threads == 4
        assert "A part of the 20 GiB that all servers have" in reasons(service)


def test_a_node_has_its_cpus_its_memory_and_its_threads() -> None:
    left, right = two(SOCKETS)
    assert limits(left) == {
        "allowed_cpus": "0-5,12-17",
        "cpu_quota": 700,
        "memory_max": 31 * GIB // 2,
        "memory_swap_max": 0,
        "numa_policy": "bind",
        "numa_mask": "0",
    }
    assert limits(right)["allowed_cpus"] == "6-11,18-23"
    assert (left.threads, right.threads) == (6, 6)


def test_servers_on_the_same_cpus_gain_nothing_and_it_is_said() -> None:
    def told(*chosen: dict[str, Any]) -> list[str]:
        found = plan(SOCKETS | {"instances": chosen}).findings
        return [each.message for each in found if each.rule == "HW321"]

    message = "`x`, `y` compute on the same CPUs, and share their memory bandwidth"
    assert told({"name": "x"}, {"name": "y"}) == [message]
    assert told({"name": "x"}, {"name": "y"}, {"name": "z", "numa_node": 1}) == [message]
    assert told({"name": "x", "numa_node": 0}, {"name": "y", "numa_node": 1}) == []
    own = [{"name": "x", "allowed_cpus": "0-5"}, {"name": "y", "allowed_cpus": "6-11"}]
    assert told(*own) == []
    assert [each for each in plan(PAIR).findings if each.rule == "HW321"] == []


# ── what they cannot have ─────────────────────────────────────────────────────────────────────


def test_all_that_is_wrong_is_told_at_once() -> None:
    wrong = [
        {"name": "x", "gpus": ["0"], "port": 8000, "models": ["a:1b"]},
        {"name": "x", "gpus": ["0", "7"], "port": 8000, "models": ["a:1"], "numa_node": 3},
    ]
    told = refused(PAIR | {"instances": wrong})
    assert told["instances.1.name"] == "`x` is there twice"
    assert told["instances.1.port"] == "8000 is the port of `x` already"
    assert told["instances.1.models.0"] == "there is no model `a:1` in this profile"
    assert told["instances.1.numa_node"] == "this profile does not say which CPUs node 3 has"
    assert told["instances.1.gpus"] == "there is no GPU 7; this host has 2"
    assert told["models.1.name"] == "no server is for `b:1b`"


def test_two_servers_cannot_have_one_card() -> None:
    shared = [{"name": "x", "gpus": ["0"]}, {"name": "y", "gpus": ["0"]}]
    assert refused(PAIR | {"instances": shared}) == {
        "instances.1.gpus": "GPU 0 is that of `x`, and each plans for all its memory"
    }
    told = refused(PAIR | {"instances": [{"name": "x", "gpus": ["0"]}, {"name": "y"}]})
    assert told == {"instances.1.gpus": "is left out, so it would have all of them"}


def test_a_model_is_the_same_for_all_who_share_the_store() -> None:
    # So old a release reads the context from the model alone.
    chosen = [{"name": "x", "gpus": ["0"]}, {"name": "y", "gpus": ["1"], "context_length": 8192}]
    data = PAIR | {"instances": chosen, "models": [{"name": "a:1b"}]}
    with pytest.raises(ProfileError) as caught:
        plan({**data, "ollama": {"context_length": 4096}}, "0.3.12")
    assert {p.where for p in caught.value.problems} == {"models.0.serve_as"}


def test_a_file_laid_over_one_service_is_for_one_server() -> None:
    told = refused(PAIR | {"container": {"compose": "override"}})
    assert list(told) == ["container.compose"]


# ── who reads it ──────────────────────────────────────────────────────────────────────────────


def test_each_server_is_a_view_and_sees_its_card_alone() -> None:
    decided = plan(PAIR)
    assert [view.name for view in views_of(decided)] == ["test: large", "test: small"]
    seen = [loading_view(part).host.gpus for part in decided.parts]
    assert [[gpu.name for gpu in gpus] for gpus in seen] == [[c["name"]] for c in CARDS]


def rendered(decided: Plan, target: str, folder: Path) -> Path:
    for file in load_target(target).render(decided):
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text, encoding="utf-8")
    return folder


def test_systemd_takes_every_unit(tmp_path: Path) -> None:
    decided = plan(PAIR)
    folder = rendered(decided, "systemd", tmp_path)
    jobs = [job.unit for service in decided.services for job in service.jobs]
    units = [*(service.unit for service in decided.services), *jobs]
    assert systemd.verify(folder / UNITS, units) == []
    for service in decided.services:
        found = systemd.read(folder / UNITS, service.unit)
        assert found.environment["OLLAMA_HOST"] == service.listen.address


def test_compose_takes_every_server(tmp_path: Path) -> None:
    decided = plan(PAIR)
    file = rendered(decided, "compose", tmp_path) / "compose.yaml"
    for service, card in zip(decided.services, ("0", "1"), strict=True):
        found = compose.read(file, service.container.service).extra
        (device,) = found["service"]["deploy"]["resources"]["reservations"]["devices"]
        assert device["device_ids"] == [card]
        stores = [v for v in found["service"]["volumes"] if v["source"] == "/srv/models"]
        assert [v.get("read_only", False) for v in stores] == [service.puller != ""]


def test_quadlet_takes_every_server(tmp_path: Path) -> None:
    decided = plan(PAIR)
    folder = rendered(decided, "quadlet", tmp_path)
    assert quadlet.verify(folder / "etc/containers/systemd", folder / UNITS, rootless=False) == []


def test_nixos_takes_upstreams_server_and_units_beside_it(tmp_path: Path) -> None:
    file = rendered(plan(PAIR), "nixos", tmp_path) / "test.nix"
    assert nix.verify(file) == []
    found = nix.read(file)
    assert found.environment["CUDA_VISIBLE_DEVICES"] == "0"
    units = found.extra["nix"]["units"]
    beside = units["ollama@small.service"]
    assert "nvidia-persistenced.service ollama.service" in beside
    assert "OLLAMA_HOST=127.0.0.1:11435" in beside
    assert found.extra["nix"]["ollama"]["loadModels"] == ["a:1b", "c:1b", "b:1b"]


def test_nixos_needs_a_place_for_models_that_all_may_read() -> None:
    with pytest.raises(RenderError) as caught:
        load_target("nixos").render(plan(PAIR | {"ollama": {}}))
    assert caught.value.where == "ollama.models_dir"
