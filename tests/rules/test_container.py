"""HW508 to HW510, HW518 and HW542: images, health checks, volumes and addresses of containers."""

from pathlib import Path
from typing import Any

import pytest

from generator.check.mend import mended
from generator.engines.ollama.rules.container import no_volume
from generator.engines.ollama.rules.health import health_check_fails, health_check_loads
from generator.rules.helpers.containers import repository
from generator.rules.registry import every_rule
from generator.rules.service import unpinned_image
from generator.view import Container, Edit, Line, Place, View
from tests.texts import messages, pod, service
from tests.views import found, view

COMPOSE = "compose.yaml"
BY_ID = every_rule()
KEPT = (("ollama:/root/.ollama", Place(COMPOSE, 6)),)
IMAGE = Place(COMPOSE, 3, "image")


def boxed(
    tag: str = "0.32.15", *, image: str = "ollama/ollama", told: bool = False, **more: Any
) -> View:
    lines = more.pop("lines", ())
    env = more.pop("env", None)
    origin = more.pop("origin", "compose")
    fields: dict[str, Any] = {"place": IMAGE, "mounts": KEPT, **more}
    box = Container(image=image, tag=tag, **fields)
    return view(env, kind=origin, container=box, lines=lines, release_told=told)


def checked(*words: str) -> View:
    return boxed(healthcheck=(words, Place(COMPOSE, 9, "healthcheck")))


def mounted(*mounts: str, **more: Any) -> View:
    return boxed(mounts=tuple((text, Place(COMPOSE, 6)) for text in mounts), **more)


def lined(section: str, **values: str) -> View:
    """Make the View of a container with lines of one section, from line 20 on."""
    lines = tuple(
        Line(section=section, name=name, value=value, place=Place(COMPOSE, at, name))
        for at, (name, value) in enumerate(values.items(), 20)
    )
    return boxed(lines=lines)


def bound(host: str, *ports: str, **more: Any) -> View:
    published = tuple((text, Place(COMPOSE, 8)) for text in ports)
    return boxed(env={"OLLAMA_HOST": host}, ports=published, **more)


CASES: dict[str, tuple[View, View]] = {
    "HW508": (boxed("latest"), boxed("0.32.15")),
    "HW509": (
        checked("CMD", "curl", "-f", "http://localhost:11434/"),
        checked("CMD", "ollama", "list"),
    ),
    "HW510": (checked("CMD", "ollama", "run", "llama3:8b", "hi"), checked("CMD", "ollama", "ps")),
    "HW545": (lined("startupProbe", failureThreshold="360"), lined("startupProbe")),
    "HW518": (mounted(), mounted("ollama:/root/.ollama")),
    "HW542": (bound("127.0.0.1:11434", "8080:11434"), bound("[::]", "127.0.0.1:8080:11434")),
}


@pytest.mark.parametrize("rule", CASES)
def test_it_catches_one_and_leaves_the_other_alone(rule: str) -> None:
    caught, left = CASES[rule]
    assert [placed.finding.rule for placed in found(BY_ID[rule], caught)] == [rule]
    assert found(BY_ID[rule], left) == ()


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("ollama/ollama", "ollama/ollama"),
        ("docker.io/ollama/ollama:0.9.6", "docker.io/ollama/ollama"),
        ("registry.lan:5000/ollama/ollama:rocm", "registry.lan:5000/ollama/ollama"),
        ("ollama/ollama@sha256:abc", "ollama/ollama"),
    ],
)
def test_a_repository_has_no_tag(image: str, name: str) -> None:
    assert repository(image) == name


def test_without_the_release_there_is_advice_but_no_edit() -> None:
    (placed,) = found(unpinned_image, boxed("latest"))
    assert placed.finding.fix == "write the release that you want, like `ollama/ollama:0.32.15`"
    assert placed.edits == ()


@pytest.mark.parametrize(
    ("tag", "old", "new"),
    [
        ("latest", "ollama/ollama:latest", "ollama/ollama:0.32.15"),
        ("", "ollama/ollama", "ollama/ollama:0.32.15"),
        ("rocm", "ollama/ollama:rocm", "ollama/ollama:0.32.15-rocm"),
    ],
)
def test_the_release_that_runs_is_pinned(tag: str, old: str, new: str) -> None:
    (placed,) = found(unpinned_image, boxed(tag, told=True))
    assert placed.edits == (Edit(IMAGE, old, new),)


def test_a_missing_tag_means_latest() -> None:
    (placed,) = found(unpinned_image, boxed(""))
    assert placed.finding.message.startswith("there is no tag, which means `latest`")


def test_a_digest_pins_whatever_the_tag_says() -> None:
    assert found(unpinned_image, boxed("latest", digest=True)) == ()


def test_a_variable_is_judged_by_its_default() -> None:
    (latest,) = found(unpinned_image, boxed("${OLLAMA_DOCKER_TAG-latest}", told=True))
    assert "`latest` where nobody sets it" in latest.finding.message
    assert latest.finding.fix == "give it a release as its default: `0.32.15`"
    assert latest.edits == ()
    (without,) = found(unpinned_image, boxed("${OLLAMA_TAG}"))
    assert "`${OLLAMA_TAG}` has no default" in without.finding.message
    assert found(unpinned_image, boxed("${OLLAMA_TAG:-0.32.15}")) == ()


def test_the_tags_of_other_images_are_not_known() -> None:
    (placed,) = found(unpinned_image, boxed("latest", image="registry.lan/own", told=True))
    assert placed.finding.fix == "name a tag that does not move, or a digest"
    assert placed.edits == ()
    assert found(unpinned_image, boxed("rocm", image="registry.lan/own")) == ()


SHELL = "curl -fsS http://localhost:11434/api/version || exit 1"


@pytest.mark.parametrize(
    ("words", "line", "mend"),
    [
        (("CMD-SHELL", SHELL), f"test: {SHELL}\n", "test: ollama list\n"),
        (("CMD-SHELL", SHELL), f'test: ["CMD-SHELL", "{SHELL}"]\n',
         'test: ["CMD-SHELL", "ollama list"]\n'),
        (("CMD", "wget", "-q", "http://localhost:11434"),
         'test: ["CMD", "wget", "-q", "http://localhost:11434"]\n',
         'test: ["CMD", "ollama", "list"]\n'),
    ],
)  # fmt: skip
def test_a_check_without_its_tool_asks_ollama_instead(
    words: tuple[str, ...], line: str, mend: str
) -> None:
    (placed,) = found(health_check_fails, checked(*words))
    assert words[-1].split()[0] in placed.finding.message or words[1] in placed.finding.message
    before = "#\n" * 8
    assert mended((placed,), {COMPOSE: before + line}) == {COMPOSE: before + mend}


@pytest.mark.parametrize(
    "words",
    [
        ("CMD-SHELL", "bash -c '</dev/tcp/localhost/11434'"),
        ("CMD", "/usr/local/bin/curl-shim"),
        ("NONE",),
        ("CMD-SHELL", "ollama list | grep -q llama3"),
    ],
)
def test_a_check_that_can_work_is_left_alone(words: tuple[str, ...]) -> None:
    assert found(health_check_fails, checked(*words)) == ()


def test_another_image_may_have_curl_but_the_server_has_no_health_address() -> None:
    own = ("CMD", "curl", "-f", "http://localhost:11434/")
    assert found(health_check_fails, boxed(image="lan/own", healthcheck=(own, IMAGE))) == ()
    wrong = (*own[:3], "http://localhost:11434/api/health")
    (placed,) = found(health_check_fails, boxed(image="lan/own", healthcheck=(wrong, IMAGE)))
    assert placed.finding.message == "the server has no `/api/health`: it answers 404"


@pytest.mark.parametrize("port", ["11434", "\u00b2", "1" * 5000])
def test_a_port_that_is_no_number_is_not_that_of_something_else(port: str) -> None:
    asked = ("CMD", "bash", "-c", f"curl http://localhost:{port}/health")
    (placed,) = found(health_check_fails, boxed(image="lan/own", healthcheck=(asked, IMAGE)))
    assert placed.finding.message == "the server has no `/health`: it answers 404"


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("/bin/bash /start.sh", False),
        ("sh -c 'apt-get update && apt-get install -y curl && ollama serve'", False),
        ("/bin/ollama serve", True),
    ],
)
def test_a_script_of_ones_own_may_install_curl(entry: str, *, told: bool) -> None:
    own = ("CMD", "curl", "-f", "http://localhost:11434/")
    started = (Line(section="", name="entrypoint", value=entry, place=IMAGE),)
    assert bool(found(health_check_fails, boxed(lines=started, healthcheck=(own, IMAGE)))) == told


def probe(path: str) -> View:
    return boxed(origin="helm", probes=((path, Place("values.yaml", 7)),))


def test_the_probe_of_a_pod_asks_for_an_address() -> None:
    (placed,) = found(health_check_fails, probe("/health"))
    assert placed.place == Place("values.yaml", 7)
    assert placed.finding.fix == "ask for `/`"
    assert placed.edits == ()
    assert found(health_check_fails, probe("/")) == ()


@pytest.mark.parametrize(
    "words",
    [
        ("CMD-SHELL", 'curl -d \'{"model":"llama3"}\' http://localhost:11434/api/generate'),
        ("CMD-SHELL", "ollama run llama3 hi"),
        ("CMD", "curl", "http://localhost:11434/v1/chat/completions"),
    ],
)
def test_a_check_that_asks_a_model_loads_it(words: tuple[str, ...]) -> None:
    (placed,) = found(health_check_loads, checked(*words))
    assert "loads it" in placed.finding.message
    assert placed.place.key == "healthcheck"


@pytest.mark.parametrize(
    "text",
    [
        "ollama:/root/.ollama:z",
        "./data:/root/.ollama/models",
        "/srv/ollama:/root",
        "x:/root/.ollama/",
        "${DATA:-./data}:/root/.ollama",
        "models:${MODELS}",
    ],
)
def test_a_volume_that_holds_the_models(text: str) -> None:
    assert found(no_volume, mounted(text)) == ()


def test_a_volume_of_no_name_is_none() -> None:
    (placed,) = found(no_volume, mounted("/root/.ollama"))
    assert placed.place == Place(COMPOSE, 6)
    assert placed.finding.message.startswith("`/root/.ollama` has no name")


def test_a_volume_of_something_else_is_none() -> None:
    (placed,) = found(no_volume, mounted("./modelfiles:/modelfiles"))
    assert placed.place == IMAGE
    assert "`/root/.ollama/models`" in placed.finding.message


def test_the_models_may_lie_elsewhere() -> None:
    moved = {"OLLAMA_MODELS": "/models"}
    assert found(no_volume, mounted("m:/models", env=moved)) == ()
    assert found(no_volume, mounted("m:/root/.ollama", env=moved))
    assert found(no_volume, mounted("m:/data", env={"HOME": "/data"})) == ()


def test_a_job_beside_the_server_holds_no_models() -> None:
    pull = Line(section="services.pull", name="command", value="ollama pull llama3", place=IMAGE)
    assert found(no_volume, mounted(lines=(pull,))) == ()
    both = Line(
        section="services.a",
        name="entrypoint",
        value="/bin/sh -c 'ollama serve & ollama pull llama3; wait'",
        place=IMAGE,
    )
    assert found(no_volume, mounted(lines=(both,)))


@pytest.mark.parametrize("command", ["pull llama3", "run llama3 hi"])
def test_the_entry_point_may_be_that_of_the_image(command: str) -> None:
    line = Line(section="Container", name="Exec", value=command, place=IMAGE)
    assert found(no_volume, mounted(lines=(line,))) == ()
    script = Line(section="Container", name="Exec", value="run.sh", place=IMAGE)
    assert found(no_volume, mounted(lines=(script,)))


def test_another_image_may_bring_its_models() -> None:
    assert found(no_volume, mounted(image="registry.lan/ollama-with-llama3")) == ()


def test_a_chart_without_a_persistent_volume() -> None:
    edit = Edit(Place("v.yaml", 2), "false", "true")
    (placed,) = found(no_volume, boxed(origin="helm", mounts=(), unkept=edit))
    assert placed.edits == (edit,)
    assert placed.place == edit.place
    assert placed.finding.fix == "write `enabled: true`"
    assert found(no_volume, boxed(origin="helm", mounts=())) == ()


def test_an_address_of_the_host_cannot_be_bound_in_a_container() -> None:
    (placed,) = found(BY_ID["HW542"], bound("192.168.1.20:11434"))
    assert "does not have the address 192.168.1.20" in placed.finding.message


STATIC = Line(section="networks.lan", name="ipv4_address", value="10.0.0.2", place=IMAGE)


@pytest.mark.parametrize(
    "seen",
    [
        bound("127.0.0.1"),
        bound("ollama:11434", "11434:11434"),
        bound("[::]:11434", "11434:11434"),
        bound("10.0.0.2", lines=(STATIC,)),
        bound("192.168.1.20", host_network=Place(COMPOSE, 5)),
        bound("0.0.0.1"),
        bound("${ADDRESS:-0.0.0.0}", "11434:11434"),
    ],
)
def test_other_addresses_of_a_container_are_no_matter(seen: View) -> None:
    assert not found(BY_ID["HW542"], seen)


@pytest.mark.parametrize(
    ("mount", "user", "told"),
    [
        ("ollama:/home/ubuntu/.ollama", "1000:1000", False),
        ("ollama:/root/.ollama", "0:0", False),
        ("ollama:/root/.ollama", "1000", False),  # HW541 reports it.
        ("ollama:/models", "ubuntu", True),
    ],
)
def test_the_models_of_another_user_are_in_its_home(mount: str, user: str, *, told: bool) -> None:
    assert bool(found(no_volume, mounted(mount, user=user))) == told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("CMD", "ollama", "--version"), "`ollama --version` ends with 0"),
        (("CMD", "/usr/bin/ollama", "-v"), "`ollama -v` ends with 0"),
        (("CMD-SHELL", "ollama --version || exit 1"), "`ollama --version` ends with 0"),
        (("CMD-SHELL", "ollama list || exit 0"), "`exit 0` ends with 0"),
        (("CMD-SHELL", "ollama ps; true"), "`true` ends with 0"),
        (("CMD-SHELL", "pgrep -f 'ollama serve'"), "ends with 0"),
        (("CMD-SHELL", "true"), "`true` ends with 0"),
        (("CMD", "true"), "`true` ends with 0"),
        (("CMD-SHELL", "ollama list || exit 1"), ""),
        (("CMD-SHELL", "ollama list > /dev/null || kill 1"), ""),
        (("CMD-SHELL", "ollama ps | grep -q truebase"), ""),
        (("CMD", "ollama", "show", "-v", "x"), ""),
        (("CMD-SHELL", "bash -c ': > /dev/tcp/127.0.0.1/11434'"), ""),
        (("NONE",), ""),
    ],
)
def test_a_check_that_passes_with_a_dead_server(words: tuple[str, ...], told: str) -> None:
    messages = [p.finding.message for p in found(health_check_fails, checked(*words))]
    assert [told in message for message in messages] == [True] * bool(told)


@pytest.mark.parametrize(
    ("seen", "line"),
    [
        (lined("healthcheck", interval="30s", start_period="1h"), 21),
        (lined("services.x.healthcheck", interval="30m", retries="3"), 20),
        (lined("healthcheck", retries="200"), 20),
        (lined("Container", HealthStartPeriod="2h"), 20),
        (lined("ollama.readinessProbe", initialDelaySeconds="3600"), 20),
        (lined("livenessProbe", periodSeconds="60", failureThreshold="60"), 20),
        (lined("healthcheck", interval="1m", retries="5", start_period="10m"), 0),
        (lined("healthcheck", start_period="later", interval="9" * 400), 0),
        (lined("Service", TimeoutStartSec="3600"), 0),
        (lined("startupProbe", periodSeconds="10", failureThreshold="180"), 0),
    ],
)
def test_how_long_a_check_waits(seen: View, line: int) -> None:
    assert [p.place.line for p in found(BY_ID["HW545"], seen)] == [line] * bool(line)


def test_each_probe_is_judged_of_its_own(tmp_path: Path) -> None:
    probes = (
        'readinessProbe: {exec: {command: [/bin/sh, -c, "ollama -v || exit 1"]}}',
        'livenessProbe: {exec: {command: [bash, -ec, "ollama --version > /dev/null"]}}',
    )
    assert len(messages(tmp_path, pod(*probes), "HW509")) == 2


@pytest.mark.parametrize("none", ['test: ["NONE"]', "disable: true"])
def test_a_check_that_is_off_waits_for_nothing(none: str, tmp_path: Path) -> None:
    text = service(f"healthcheck: {{{none}, start_period: 2h}}")
    assert messages(tmp_path, text, "HW545") == []


def test_a_kubelet_gets_the_words_alone(tmp_path: Path) -> None:
    """It would run a program `CMD`."""
    probe = pod("livenessProbe: {exec: {command: [ollama, --version]}}")
    (said,) = messages(tmp_path, probe, "HW509")
    assert '`["ollama", "list"]`' in said


@pytest.mark.parametrize(
    ("address", "caught"), [("localhost", True), ("http://localhost:11434", True), ("ai", False)]
)
def test_a_name_of_the_container_itself(address: str, caught: bool) -> None:
    assert bool(found(BY_ID["HW542"], bound(address, "11434:11434"))) is caught


@pytest.mark.parametrize(
    ("name", "value", "severity"),
    [
        ("command", "sh -c 'ollama serve & sleep 3 && ollama run $MODEL && wait'", "info"),
        ("entrypoint", "sh -c 'ollama serve & ollama pull qwen3:8b; wait'", "info"),
        ("command", "serve", "warning"),
    ],
)
def test_models_that_are_pulled_at_each_start_are_missed_by_nobody(
    name: str, value: str, severity: str
) -> None:
    place = Place("compose.yaml", 4)
    line = Line(section="services.ollama", name=name, value=value, place=place)
    (placed,) = found(BY_ID["HW518"], mounted(lines=(line,)))
    assert placed.finding.severity == severity
